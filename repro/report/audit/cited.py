"""Cited rows: which of several papers print one result of one method, and which two that only share a name.

Rows are one result if name, data, metric and marks are the same and no setting that both print tells them apart. What
a row leaves unsaid, such as further training data, gives it the benefit of the doubt: it belongs to the result whose
number it prints, if there is one.
"""

import re
from collections.abc import Callable, Hashable, Iterator
from dataclasses import dataclass, field

from repro.papers import Address, Cell, Library, Row, RowKind, Table
from repro.papers.cited import CitedNote
from repro.report.printed import Rounded, rounded

_REFERENCE = re.compile(r"\[[^\]]*\]|\([^()]*\b(?:19|20)\d\d[a-z]?\)")


@dataclass(frozen=True)
class _Copy:
    cell: Cell
    number: Rounded
    settings: dict[str, str]
    is_cited: bool


@dataclass
class _Result:
    """Copies of one result, with all that their rows say about it."""

    copies: list[_Copy] = field(default_factory=list)
    settings: dict[str, str] = field(default_factory=dict)

    def takes(self, copy: _Copy) -> bool:
        """Whether nothing tells a copy apart from these; one table does not print a result twice."""
        shared = copy.settings.keys() & self.settings.keys()
        tables = {other.cell.address.table for other in self.copies}
        return copy.cell.address.table not in tables and all(copy.settings[key] == self.settings[key] for key in shared)

    def prints(self, copy: _Copy) -> bool:
        """Whether one of these has the same number."""
        return any(copy.number.agrees(other.number) for other in self.copies)

    def add(self, copy: _Copy) -> None:
        """One more copy."""
        self.copies.append(copy)
        self.settings |= copy.settings


def cited_quantities(library: Library, quantity: Callable[[Cell], Hashable]) -> dict[Address, Hashable]:
    """The quantity of every cell that is cited, and of the own cell where the library has what is cited."""
    groups: dict[tuple[str, ...], list[_Copy]] = {}
    for table in library.tables.values():
        for row in table.rows.values():
            for key, copy in _copies(library, table, row):
                groups.setdefault(key, []).append(copy)
    found: dict[Address, Hashable] = {}
    for key, copies in groups.items():
        for place, result in enumerate(_results(copies)):
            if any(copy.is_cited for copy in result.copies):
                own = next((copy.cell for copy in result.copies if not copy.is_cited), None)
                named: Hashable = ("cited", *key, place) if own is None else quantity(own)
                found |= {copy.cell.address: named for copy in result.copies}
    return found


def _results(copies: list[_Copy]) -> list[_Result]:
    """Copies of one name as results; those that say most come first, so that the others can be held against them."""
    results: list[_Result] = []
    for copy in sorted(copies, key=lambda copy: -len(copy.settings)):
        fitting = [result for result in results if result.takes(copy)]
        chosen = next((result for result in fitting if result.prints(copy)), None) or next(iter(fitting), None)
        if chosen is None:
            results.append(chosen := _Result())
        chosen.add(copy)
    return results


def _copies(library: Library, table: Table, row: Row) -> Iterator[tuple[tuple[str, ...], _Copy]]:
    notes = [note for note in _notes(library, table) if note.row in ("", row.label)]
    there, named = next((_row(library, note.same_as) for note in notes if note.same_as), (table, row))
    evaluated_on = next((note.evaluated_on for note in _notes(library, there) if note.evaluated_on), there.evaluated_on)
    settings = _settings(row)
    for note in notes:
        settings |= {_plain(name): _plain(word) for name, word in note.settings.items()}
    for cell in row.cells.values():
        number = rounded(library, cell)
        if number is None or cell.metric.is_setting or cell.metric.reference is not None or row.same_as is not None:
            continue
        key = (_plain(_REFERENCE.sub(" ", named.label)), _plain(evaluated_on), str(cell.metric), *sorted(named.marks))
        yield key, _Copy(cell, number, settings, row.kind is RowKind.CITED)


def _row(library: Library, named: tuple[str, str]) -> tuple[Table, Row]:
    table = library.tables[named[0]]
    return table, table.rows[named[1]]


def _notes(library: Library, table: Table) -> Iterator[CitedNote]:
    paper = library.papers.get(table.paper)
    return (note for note in (paper.cited if paper else ()) if f"{table.paper}/{note.table}" == table.key)


def _settings(row: Row) -> dict[str, str]:
    cells = (cell for cell in row.cells.values() if cell.metric.is_setting and cell.published is not None)
    return {_plain(cell.address.column): _plain(str(cell.published)) for cell in cells}


def _plain(text: str) -> str:
    return "".join(sign for sign in text.casefold() if sign.isalnum() or sign == "+")
