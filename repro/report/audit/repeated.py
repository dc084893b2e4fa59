"""Quantities that are printed more than once: in several tables, in the prose, or in several papers."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache

from repro.config.composer import Composer
from repro.config.identity import digest
from repro.config.overrides import split
from repro.config.tree import canonical
from repro.errors import ConfigError
from repro.experiments.overrides import NAMED_BY_EVERY_ROW, cell_overrides, stage_overrides, stages_of
from repro.papers import Address, Cell, Column, Library, Row, RowKind, Table
from repro.report.audit.finding import Finding, FindingKind
from repro.report.printed import Rounded, look, printed, rounded

_REFERENCE = re.compile(r"\[[^\]]*\]|\([^()]*\b(?:19|20)\d\d[a-z]?\)")


@dataclass(frozen=True)
class Copy:
    """One place where a quantity is printed."""

    address: Address
    printed: str
    number: Rounded


def printed_more_than_once(library: Library) -> Iterator[Finding]:
    """Own cells of one experiment and one metric that print different numbers."""
    groups: dict[tuple[str, ...], list[Copy]] = {}
    for table in library.tables.values():
        for row in table.rows.values():
            for column in table.columns.values():
                cell = row.cells[column.head]
                key = _experiment(table, column, row)
                if key and cell.metric.reference is None and not cell.metric.is_setting:
                    groups.setdefault((table.paper, *key, str(cell.metric)), []).extend(_copies(library, cell))
    for copies in groups.values():
        yield from _odd_ones(FindingKind.REPEATED, copies, "one experiment and metric")


def _experiment(table: Table, column: Column, row: Row) -> tuple[str, ...]:
    """What makes a cell's experiment; empty if the cell is cited or names no complete one."""
    overrides = cell_overrides(table, column, row)
    if (
        row.kind is RowKind.CITED
        or row.same_as
        or not {split(item)[0] for item in overrides}.issuperset(NAMED_BY_EVERY_ROW)
    ):
        return ()
    try:
        parts = [_canonical(overrides), *row.drop, table.evaluated_on if row.kind is RowKind.SERVER_ONLY else ""]
        for stage in stages_of(table, row):
            parts += [_canonical(stage_overrides(table, column, row, stage)), *stage.drop]
    except (ConfigError, ValueError):  # planning a sweep says what is wrong with it
        return ()
    return tuple(parts)


@cache
def _canonical(overrides: tuple[str, ...]) -> str:
    """One form for overrides that mean the same experiment, also where a part of it does not exist yet."""
    found = _composer().compose(overrides)
    absent = {key: value for key, value in map(split, overrides) if key in found.missing}
    return digest({"run": found.science, "evaluation": found.protocol, "absent": canonical(absent)})


@cache
def _composer() -> Composer:
    return Composer()


def printed_elsewhere(library: Library) -> Iterator[Finding]:
    """Numbers of the prose that differ from the table's cell that they repeat."""
    for table in library.tables.values():
        for row in table.rows.values():
            original = look(library, row.same_as)
            there = rounded(library, original)
            for cell in row.cells.values():
                here = rounded(library, cell)
                if original is None or there is None or here is None or cell.metric.is_setting:
                    continue
                relative = cell.metric.reference is not None and original.metric.reference is None
                if not relative and not here.agrees(there):
                    how = f"{original.address} prints it; this is {row.place or table.place}"
                    yield Finding(
                        FindingKind.PROSE, cell.address, printed(library, cell), printed(library, original), how
                    )


@dataclass
class _Cluster:
    """Rows of one name that nothing tells apart, with the settings that they print."""

    copies: list[Copy]
    settings: dict[str, str]
    cited: bool


def cited_more_than_once(library: Library) -> Iterator[Finding]:
    """Rows of one name on the same data and metric whose numbers differ between tables, at least one being cited."""
    groups: dict[tuple[str, ...], list[_Cluster]] = {}
    for table in library.tables.values():
        for row in table.rows.values():
            settings = _settings(table, row)
            for cell in row.cells.values():
                if cell.metric.is_setting or cell.metric.reference is not None or row.same_as is not None:
                    continue
                key = (_name(row.label), _plain(table.evaluated_on), str(cell.metric), *sorted(row.marks))
                for copy in _copies(library, cell):
                    _join(groups.setdefault(key, []), copy, settings, row.kind is RowKind.CITED)
    for clusters in groups.values():
        for cluster in clusters:
            if cluster.cited:
                yield from _odd_ones(FindingKind.CITED, cluster.copies, "the same name, data and metric")


def _join(clusters: list[_Cluster], copy: Copy, settings: dict[str, str], cited: bool) -> None:
    for cluster in clusters:
        tables = {other.address.table for other in cluster.copies}
        shared = settings.keys() & cluster.settings.keys()
        if copy.address.table not in tables and all(settings[key] == cluster.settings[key] for key in shared):
            cluster.copies.append(copy)
            cluster.settings |= settings
            cluster.cited |= cited
            return
    clusters.append(_Cluster([copy], dict(settings), cited))


def _name(label: str) -> str:
    return _plain(_REFERENCE.sub(" ", label))


def _plain(text: str) -> str:
    return "".join(sign for sign in text.casefold() if sign.isalnum() or sign == "+")


def _settings(table: Table, row: Row) -> dict[str, str]:
    cells = (cell for cell in row.cells.values() if cell.metric.is_setting and cell.published is not None)
    return {_plain(cell.address.column): _plain(str(cell.published)) for cell in cells}


def _copies(library: Library, cell: Cell) -> list[Copy]:
    found = rounded(library, cell)
    return [] if found is None else [Copy(cell.address, printed(library, cell), found)]


def _odd_ones(kind: FindingKind, copies: Sequence[Copy], what: str) -> Iterator[Finding]:
    """The copies that do not agree with the number that most agree with, the first one where several do."""
    if len(copies) < 2:
        return
    usual = max(copies, key=lambda copy: sum(copy.number.agrees(other.number) for other in copies))
    agreeing = [str(copy.address) for copy in copies if copy.number.agrees(usual.number)]
    for copy in copies:
        if not copy.number.agrees(usual.number):
            yield Finding(kind, copy.address, copy.printed, usual.printed, f"{what}: {'; '.join(agreeing)}")
