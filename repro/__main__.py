"""`python -m repro`: one run, or a grid of runs."""

from repro.run.command import main

if __name__ == "__main__":
    main()
