"""`python -m repro.report`, the same as `repro report`."""

from repro.console import process
from repro.report.command import main

if __name__ == "__main__":
    process(main)
