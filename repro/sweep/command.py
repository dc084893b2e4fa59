"""The command of a sweep: plans the trainings that tables need, and carries them out."""

import sys
from collections.abc import Iterable, Sequence

from repro.config.completion import Values, choices_of_group, of_command
from repro.console import Words, answer
from repro.papers.names import OF_SELECTION, paper_names
from repro.sweep.help import help_text


def main(arguments: Sequence[str] | None = None) -> int:
    """Takes overrides of conf/sweep.yaml and settings of runs; returns the exit code, 0 only on success."""
    return answer(lambda: _carry_out(sys.argv[1:] if arguments is None else list(arguments)))


def words() -> Words:
    """The words that the command takes."""
    values: Values = {**OF_SELECTION, "ledger": paper_names, "action": _actions,
                      "cluster": lambda: choices_of_group("cluster")}  # fmt: skip
    return Words("sweep", lambda prefix, _: of_command("sweep", prefix, values))


def _carry_out(arguments: Sequence[str]) -> int:
    given = words().parse_intermixed_args(arguments)
    if given.help:
        print(help_text())
        return 0
    from repro.sweep.sweep import carry_out  # loads Hydra, which help does without

    return carry_out(given.overrides)


def _actions() -> Iterable[str]:
    from repro.sweep.request import Action

    return Action
