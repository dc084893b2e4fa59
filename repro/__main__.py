"""The command `repro`, also `python -m repro`: one run, or another command by its name."""

import os
import sys
from collections.abc import Sequence
from importlib import import_module
from typing import Any, NoReturn

from repro.console import process

A_RUN = "run"
COMMANDS = {A_RUN: "repro.run", "sweep": "repro.sweep", "report": "repro.report", "track": "repro.track"}
"""Name of each command to its package; only the one that is asked for is imported, so that it answers at once."""


def main() -> NoReturn:
    """Carries out the command that the first word names, or else a run."""
    if "_ARGCOMPLETE" in os.environ:
        complete(os.environ["COMP_LINE"][: int(os.environ["COMP_POINT"])])
    name, words = asked_for(sys.argv[1:])
    module = command(name)
    process(lambda: module.main(words), result_is_printed=name != A_RUN or module.result_is_printed(words))


def asked_for(words: Sequence[str]) -> tuple[str, list[str]]:
    """The name of the command that some words ask for, and the words for it."""
    return (words[0], list(words[1:])) if words and words[0] in COMMANDS else (A_RUN, list(words))


def command(name: str) -> Any:
    """The module of a command, with its `main` and `words`."""
    return import_module(f"{COMMANDS[name]}.command")


def complete(typed: str) -> NoReturn:
    """Answers a shell that asks what may come next on a command line, from what is typed of it."""
    import argcomplete

    words = typed.split()
    whole = words if typed.endswith(" ") else words[:-1]
    name, _ = asked_for(whole[1:])
    parser = command(name).words()
    if len(whole) == 1:  # the first word may name a command, too
        parser.complete_by(lambda prefix, given: [*COMMANDS, *parser.completions(prefix, given)])
    argcomplete.autocomplete(parser, always_complete_options=False)
    sys.exit(0)


if __name__ == "__main__":
    main()
