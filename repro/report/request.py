"""What a report is asked for: the settings of conf/report.yaml, checked."""

import difflib
import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from repro.config.compose import compose_command
from repro.errors import ConfigError
from repro.papers import PAPER_SCALE, Library, Scale, Table
from repro.report.judge.verdicts import Tolerance
from repro.track import tracking_uri

SOURCES = ("records", "mlflow")


@dataclass(frozen=True)
class Request:
    """The settings of one report; see conf/report.yaml.

    Attributes:
        server: address of the tracking store to fetch from; None: run folders and runs.csv are all there is.
    """

    paper: str | None
    table: tuple[str, ...]
    scale: str | None
    server: str | None
    outputs: Path
    reports: Path
    check: bool
    prune: bool
    tolerance: Tolerance
    sweeps_folders: tuple[Path, ...]
    conf_folder: Path | None

    @property
    def everything(self) -> bool:
        """Whether all tables at all scales are asked for."""
        return self.paper is None and not self.table and self.scale is None


def read_request(overrides: Sequence[str]) -> Request:
    """The request of a command line.

    Raises:
        ConfigError: in one sentence, what is wrong and what would be right.
    """
    given = compose_command("report", overrides)
    if given["source"] not in SOURCES:
        raise ConfigError(f"source is {given['source']!r}; it must be one of {', '.join(SOURCES)}")
    for name in ("check", "prune"):
        if not isinstance(given[name], bool):
            raise ConfigError(f"{name} is {given[name]!r}; it must be true or false")
    if given["check"] and (given["prune"] or given["source"] != "records"):
        raise ConfigError("check=true looks at runs.csv alone and writes nothing; leave out prune and source")
    outputs, table = Path(given["outputs"]), given["table"]
    return Request(
        paper=given["paper"],
        table=() if table is None else tuple(map(str, table)) if isinstance(table, list) else (str(table),),
        scale=given["scale"],
        server=tracking_uri(given["uri"], outputs) if given["source"] == "mlflow" else None,
        outputs=outputs,
        reports=Path(given["reports"]),
        check=given["check"],
        prune=given["prune"],
        tolerance=Tolerance(_width(given, "tolerance"), _width(given, "relative_tolerance")),
        sweeps_folders=(Path(given["sweeps_folder"]),) if given["sweeps_folder"] else (),
        conf_folder=Path(given["conf_folder"]) if given["conf_folder"] else None,
    )


def chosen_tables(request: Request, library: Library) -> list[Table]:
    """The tables asked for, in printed order.

    Raises:
        ConfigError: there is no such paper or table, or none that is both.
    """
    if request.paper is not None and request.paper not in {table.paper for table in library.tables.values()}:
        papers = list(dict.fromkeys(table.paper for table in library.tables.values()))
        for problem in library.problems:
            if problem.file.parent.name == request.paper:
                raise ConfigError(str(problem))
        near = difflib.get_close_matches(str(request.paper), papers, n=1)
        hint = f"did you mean {near[0]}?" if near else f"there are {', '.join(papers)}"
        raise ConfigError(f"there is no paper {request.paper}; {hint}")
    tables = library.matching(request.table) if request.table else list(library.tables.values())
    chosen = [table for table in tables if request.paper in (None, table.paper)]
    if not chosen:
        raise ConfigError(f"no table of {request.paper} is called {', '.join(request.table)}")
    return chosen


def chosen_scales(request: Request, library: Library, recorded: set[str]) -> list[Scale]:
    """The scale asked for, or the papers' own and every one that has evaluations."""
    if request.scale is not None:
        return [library.scale(request.scale)]
    paper = library.scales.get(PAPER_SCALE, Scale(PAPER_SCALE, ""))
    return [paper, *(scale for name, scale in sorted(library.scales.items()) if name in recorded - {PAPER_SCALE})]


def _width(given: dict[str, Any], name: str) -> float:
    value = given[name]
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not math.isfinite(value) or value < 0:
        raise ConfigError(f"{name} is {value!r}; it must be a number of at least 0")
    return float(value)
