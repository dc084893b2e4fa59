"""The command of a sweep: plans the trainings that tables need, and carries them out.

It loads torch only once all is in order and something is to be done.
"""

import sys
from collections.abc import Sequence

from repro.console import Words, answer
from repro.sweep.help import help_text
from repro.sweep.request import Action, read_request


def main(arguments: Sequence[str] | None = None) -> int:
    """Takes overrides of conf/sweep.yaml and settings of runs; returns the exit code, 0 only on success."""
    return answer(lambda: _carry_out(sys.argv[1:] if arguments is None else list(arguments)))


def _carry_out(arguments: Sequence[str]) -> int:
    given = Words("sweep").parse_intermixed_args(arguments)
    if given.help:
        print(help_text())
        return 0
    request = read_request(given.overrides)
    if request.action is Action.CANCEL and not request.selection.patterns:
        from repro.sweep.clusters.register import cancelled

        return cancelled(request, None)
    library = request.selection.library()
    library.scale(request.scale)
    tables = request.tables_of(library)
    from repro.sweep.sweep import Sweep

    return Sweep(request, library, tables).carry_out()
