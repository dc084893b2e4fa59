"""The command of a sweep: plans the trainings that tables need, and carries them out."""

import sys
from argparse import Namespace
from collections.abc import Iterable, Sequence

from repro.config.completion import Values, choices_of_group, of_command, of_run
from repro.console import Words, answer
from repro.papers.names import OF_SELECTION, paper_names
from repro.sweep.help import help_text

OF_ALL_RUNS = ("runtime", "tracking")
"""Groups whose settings runs may be given whatever they measure."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Takes overrides of conf/sweep.yaml and settings of runs; returns the exit code, 0 only on success."""
    return answer(lambda: _carry_out(sys.argv[1:] if arguments is None else list(arguments)))


def words() -> Words:
    """The words that the command takes."""
    values: Values = {**OF_SELECTION, "ledger": paper_names, "action": _actions,
                      "cluster": lambda: choices_of_group("cluster")}  # fmt: skip

    def completions(prefix: str, given: Namespace) -> list[str]:
        words = given.overrides or ()
        of_runs = [word for word in of_run(prefix, words) if word.startswith(OF_ALL_RUNS)]
        root = [] if "=" in prefix else ["dataset.root="]
        return [*of_command("sweep", prefix, words, values), *of_runs, *root]

    return Words("sweep", completions)


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
