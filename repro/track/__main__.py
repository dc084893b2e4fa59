"""`python -m repro.track`, the same as `repro track`."""

from repro.console import process
from repro.track.command import main

if __name__ == "__main__":
    process(main)
