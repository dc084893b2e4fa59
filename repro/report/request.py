"""What a report is asked for: the settings of conf/report.yaml, checked."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from pathlib import Path

from repro.config.command import Given, compose_command
from repro.errors import ConfigError
from repro.experiments.selection import Selection, read_selection
from repro.papers import PAPER_SCALE, Library, Scale
from repro.report.judge.verdicts import Tolerance
from repro.track import tracking_uri


class RecordSource(StrEnum):
    """Where records come from."""

    RECORDS = "records"
    MLFLOW = "mlflow"


class Check(StrEnum):
    """Whether files are written, or held against what runs.csv gives."""

    NONE = "none"
    TABLES = "tables"
    DEEP = "deep"


@dataclass(frozen=True)
class Request:
    """The settings of one report; see conf/report.yaml.

    Attributes:
        selection: which tables, and where things are.
        server: address of the tracking store to fetch from; None: run folders and runs.csv are all there is.
        check: whether anything is written; `deep` composes every recorded command again.
        audit: somebody else's table to audit in place of a report.
        relations: the file that declares what holds in it; None: likely relations are tried.
    """

    selection: Selection
    server: str | None
    check: Check
    prune: bool
    tolerance: Tolerance
    audit: Path | None = None
    relations: Path | None = None

    @property
    def everything(self) -> bool:
        """Whether all tables at all scales are asked for."""
        chosen = self.selection
        return chosen.paper is None and not chosen.tables and chosen.scale is None


def read_request(overrides: Sequence[str]) -> Request:
    """The request of a command line.

    Raises:
        ConfigError: in one sentence, what is wrong and what would be right.
    """
    given = compose_command("report", overrides)
    source = given.word("source", RecordSource)
    check, prune = _check(given), given.flag("prune")
    if check is not Check.NONE and (prune or source is not RecordSource.RECORDS):
        word = Check.DEEP if check is Check.DEEP else "true"
        raise ConfigError(f"check={word} looks at runs.csv alone and writes nothing; leave out prune and source")
    selection = read_selection(given, paper=given.optional_text("paper"))
    audit, relations = given.optional_path("audit"), given.optional_path("relations")
    if relations is not None and audit is None:
        raise ConfigError(f"relations={relations} are those of a table to audit; name it too: audit=<table>")
    if audit is not None and (
        check is not Check.NONE or prune or selection.paper or selection.tables or selection.scale
    ):
        raise ConfigError(f"audit={audit} looks at that one file; leave out paper, table, scale, check and prune")
    uri = given.optional_text("uri")
    return Request(
        selection=selection,
        server=tracking_uri(uri, selection.outputs) if source is RecordSource.MLFLOW else None,
        check=check,
        prune=prune,
        tolerance=_tolerance(given),
        audit=audit,
        relations=relations,
    )


def _check(given: Given) -> Check:
    value = given.leaves["check"]
    if value == Check.DEEP:
        return Check.DEEP
    if not isinstance(value, bool):
        raise ConfigError(f"check is {value!r}; it must be true or false, or deep")
    return Check.TABLES if value else Check.NONE


def chosen_scales(selection: Selection, library: Library, recorded: set[str]) -> list[Scale]:
    """The scale asked for, or the papers' own and every one that has evaluations."""
    if selection.scale is not None:
        return [library.scale(selection.scale)]
    paper = library.scales.get(PAPER_SCALE, Scale(PAPER_SCALE, ""))
    return [paper, *(scale for name, scale in sorted(library.scales.items()) if name in recorded - {PAPER_SCALE})]


@cache
def standard_tolerance() -> Tolerance:
    """The tolerance of a report that is asked for no other."""
    return _tolerance(compose_command("report", ()))


def _tolerance(given: Given) -> Tolerance:
    return Tolerance(given.number("tolerance"), given.number("relative_tolerance"))
