"""`python -m repro.report`: rebuilds the tables, see `repro.report.command`."""

import sys

from repro.report.command import main

if __name__ == "__main__":
    sys.exit(main())
