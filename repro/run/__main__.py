"""`python -m repro.run`, the same as `repro run`."""

import sys

from repro.console import process
from repro.run.command import main, result_is_printed

if __name__ == "__main__":
    process(main, result_is_printed=result_is_printed(sys.argv[1:]))
