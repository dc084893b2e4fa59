"""`python -m repro.sweep`: plans the trainings that tables need, and carries them out."""

import sys

from repro.sweep.command import main

if __name__ == "__main__":
    sys.exit(main())
