"""`python -m repro.track`: brings every run folder into MLflow; as often as asked, without duplicates.

    python -m repro.track                                    outputs/runs into outputs/mlflow.db
    python -m repro.track tracking.uri=http://localhost:5000 into a server

Runs at work, also on other hosts, are shown as far as their newest checkpoint. Exit code 0 only if every run that has
something to show could be brought in.
"""

import sys
from collections.abc import Sequence

from repro.config.completion import of_run
from repro.console import Words, answer


def main(arguments: Sequence[str] | None = None) -> int:
    """Brings in the runs of `outputs`; takes overrides in the grammar of a run, returns the exit code."""
    return answer(lambda: _carry_out(sys.argv[1:] if arguments is None else list(arguments)))


def words() -> Words:
    """The words that the command takes."""
    return Words("track", lambda prefix, given: of_run(prefix, given.overrides or ()))


def _carry_out(arguments: Sequence[str]) -> int:
    given = words().parse_intermixed_args(arguments)
    if given.help:
        print(__doc__)
        return 0
    from repro.track.bring import bring_level  # loads Hydra, which help does without

    return bring_level(given.overrides)
