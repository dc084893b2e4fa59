"""The command `repro`, also `python -m repro`: one run, or another command by its name."""

import sys
from importlib import import_module
from typing import NoReturn

from repro.console import process

A_RUN = "run"
COMMANDS = {A_RUN: "repro.run", "sweep": "repro.sweep", "report": "repro.report", "track": "repro.track"}
"""Name of each command to its package; only the one that is asked for is imported, so that it answers at once."""


def main() -> NoReturn:
    """Carries out the command that the first word names, or else a run."""
    first = sys.argv[1] if len(sys.argv) > 1 else ""
    name, words = (first, sys.argv[2:]) if first in COMMANDS else (A_RUN, sys.argv[1:])
    command = import_module(f"{COMMANDS[name]}.command")
    process(lambda: command.main(words), result_is_printed=name != A_RUN)


if __name__ == "__main__":
    main()
