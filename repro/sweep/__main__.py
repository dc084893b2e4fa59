"""`python -m repro.sweep`, the same as `repro sweep`."""

from repro.console import process
from repro.sweep.command import main

if __name__ == "__main__":
    process(main)
