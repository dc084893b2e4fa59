"""Rebuilds the tables of the papers from the records of runs.

    python -m repro.report                                   all tables, at the paper's scale and all that have runs
    python -m repro.report table=vortex/table1 scale=shapes  one table at one scale
    python -m repro.report check=true                        are the tables what runs.csv gives? writes nothing
    python -m repro.report check=deep                        the same, and every recorded command composed once more
    python -m repro.report source=mlflow uri=http://host     fetches records from a tracking server first
    python -m repro.report audit=paper.tex                   does somebody else's table contradict itself?

What cannot be read, or contradicts itself, is named and counts for nothing; the rest is still built, and the exit code
is then 1. A choice of paper, table or scale leaves index.html and the files of other tables alone; a choice of tables
also the pages on open choices.
An audit of a .csv, .tex or .yaml table writes nothing and fails if it finds something; docs/audit.md tells of it.
"""

import sys
from collections.abc import Iterable, Sequence

from repro.config.completion import Values, of_command
from repro.config.groups import settings_of
from repro.console import Words, answer
from repro.papers.names import OF_SELECTION, paper_names


def main(arguments: Sequence[str] | None = None) -> int:
    """Carries the command out; takes overrides of conf/report.yaml, returns the exit code."""
    return answer(lambda: _carry_out(sys.argv[1:] if arguments is None else list(arguments)))


def words() -> Words:
    """The words that the command takes."""
    values: Values = {**OF_SELECTION, "paper": paper_names, "source": _sources, "check": _checks}
    return Words("report", lambda prefix, given: of_command("report", prefix, given.overrides or (), values))


def _carry_out(arguments: Sequence[str]) -> int:
    given = words().parse_intermixed_args(arguments)
    if given.help:
        print("\n".join([__doc__ or "", "Settings", *(f"  {line}" for line in settings_of("report"))]))
        return 0
    from repro.report.report import make_report  # loads Hydra, which help does without

    return make_report(given.overrides)


def _sources() -> Iterable[str]:
    from repro.report.request import RecordSource

    return RecordSource


def _checks() -> Iterable[str]:
    from repro.report.request import Check

    return "true", "false", Check.DEEP
