"""The audit of one file: `repro report audit=<file> relations=<file>`."""

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from repro.errors import ConfigError
from repro.report.audit.finding import Finding, FindingKind, places_text
from repro.report.audit.foreign.check import Audited, audit_grid
from repro.report.audit.foreign.csv_file import read_csv
from repro.report.audit.foreign.declared import read_rules
from repro.report.audit.foreign.grid import Grid
from repro.report.audit.foreign.latex_file import read_latex
from repro.report.audit.foreign.rules import Difference
from repro.report.audit.foreign.yaml_file import audit_yaml

READERS: dict[str, Callable[[Path, str], list[Grid]]] = {
    ".csv": read_csv, ".tsv": read_csv, ".tex": read_latex, ".latex": read_latex,
}  # fmt: skip
"""Ending of a file to what reads it."""

YAML = (".yaml", ".yml")


def audit_file(file: Path, relations: Path | None) -> int:
    """Prints what an audit of a file finds; returns 1 if it finds anything, else 0.

    Raises:
        ConfigError: the file is not there or is no table, or the relations are none of this table.
    """
    if not file.is_file():
        raise ConfigError(f"there is no file {file} to audit")
    if file.suffix.lower() in YAML:
        if relations is not None:
            raise ConfigError("a table in our own form has its relations in its metrics; leave out relations")
        findings = audit_yaml(file)
        lines = [line for finding in findings for line in _told(f"{file}", finding)]
    else:
        audited = _audited(file, relations)
        findings = [finding for table in audited for finding in table.findings]
        lines = [line for table in audited for line in _table(table, relations is None)]
    count = f"{len(findings)} {'finding' if len(findings) == 1 else 'findings'}"
    blamed = sum(bool(finding.blamed) for finding in findings)
    print("\n".join([*lines, f"{file}: {count}, {blamed} of them with the number to blame."
                     if findings else f"{file}: nothing that rounding does not explain."]))  # fmt: skip
    return 1 if findings else 0


def _audited(file: Path, relations: Path | None) -> list[Audited]:
    reader = READERS.get(file.suffix.lower())
    if reader is None:
        raise ConfigError(f"{file} is no table: its name must end in {', '.join((*READERS, *YAML))}")
    try:
        text = file.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"{file} cannot be read: {error}") from error
    grids = [grid for grid in reader(file, text) if grid.rows]
    if not grids:
        raise ConfigError(f"{file} has no row with a number")
    if relations is not None and not relations.is_file():
        raise ConfigError(f"there is no file {relations} of relations")
    rules = None if relations is None else read_rules(relations, grids)
    return [audit_grid(grid, rules) for grid in grids]


def _table(audited: Audited, is_looked_for: bool) -> Iterator[str]:
    grid = audited.grid
    yield f"{grid.name}: {len(grid.rows)} rows, {len(grid.columns)} columns of numbers: {', '.join(grid.columns)}"
    yield from grid.unread
    if audited.likely:
        yield "It looks as if (declare what is meant in relations=<file>):"
        for title, kind in (("differences:", True), ("means:", False)):
            chosen = [item for item in audited.likely if isinstance(item.rule, Difference) == kind]
            if chosen:
                yield f"  {title}"
            for item in chosen:
                yield f"    - {item.rule.entry()}  # holds in {item.holding} of {item.said}"
    elif is_looked_for:
        yield "No column or row looks like a difference or a mean of others; relations=<file> declares those that are."
    for finding in audited.findings:
        place = f"{grid.file}:{audited.line(finding.places[0])}"
        yield from _told(place, finding)


def _told(place: str, finding: Finding) -> Sequence[str]:
    if finding.blamed:
        who = "; ".join(f"{item.row} @ {item.column}" for item in finding.blamed)
        right = f", {finding.expected} expected" if finding.expected else ""
        first = f"{place}: {finding.kind}: {who}: {finding.printed} printed{right}: {finding.how}"
    else:
        either = "; ".join(places_text(finding.suspects))
        among = f"undecided among {either}" if either else "undecided which is wrong"
        first = f"{place}: {finding.kind}: {among}: {finding.how}"
    if finding.kind in (FindingKind.DECIMALS, FindingKind.BEST):
        return [first]
    return [first, f"    places: {'; '.join(places_text(finding.places))}"]
