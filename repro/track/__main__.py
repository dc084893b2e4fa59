"""`python -m repro.track`: brings the runs into MLflow, see `repro.track.command`."""

import sys

from repro.track.command import main

if __name__ == "__main__":
    sys.exit(main())
