"""`python -m repro`: one run, or a grid of runs."""

from repro.cli import main

if __name__ == "__main__":
    main()
