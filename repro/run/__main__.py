"""`python -m repro.run`, the same as `repro run`."""

from repro.console import process
from repro.run.command import main

if __name__ == "__main__":
    process(main, result_is_printed=False)
