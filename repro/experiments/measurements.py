"""Printed cells -> measurements: composed, scaled, and told why where nothing can be run."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path

from repro.config.overrides import merged
from repro.errors import CodeNotFoundError, ConfigError
from repro.experiments.chain import NOTHING, Chain
from repro.experiments.chains import Chains
from repro.experiments.measurement import Kind, Measurement
from repro.experiments.overrides import sets_itself
from repro.papers import PAPER_SCALE, Address, Cell, Column, Library, Row, RowKind, Scale, Source, SpecError, Table

AS_PRINTED = Scale(PAPER_SCALE, "")


@dataclass(frozen=True)
class _OfTable:
    """The measurements of one table's cells, and the rows that cannot be composed."""

    cells: Mapping[Address, Measurement]
    problems: tuple[SpecError, ...]


class Measurements(Mapping[Address, Measurement]):
    """How the cells of some tables are measured at one scale; iterates over those, and answers for any other cell.

    Args:
        library: the papers.
        tables: the chosen tables, in order.
        scale: the scale.
        conf_folder: a folder with further choices of the config groups.
    """

    def __init__(
        self, library: Library, tables: Sequence[Table], scale: Scale, conf_folder: Path | None = None
    ) -> None:
        self.library, self.tables, self.scale = library, tuple(tables), scale
        self._chains = Chains(library, scale, conf_folder)
        self._read: dict[str, _OfTable] = {}

    def __getitem__(self, address: Address) -> Measurement:
        return self._of(self.library.tables[address.table]).cells[address]

    def __iter__(self) -> Iterator[Address]:
        for table in self.tables:
            yield from self._of(table).cells

    def __len__(self) -> int:
        return sum(len(self._of(table).cells) for table in self.tables)

    @cached_property
    def problems(self) -> list[SpecError]:
        """Rows of the tables that cannot be composed, each with its place."""
        return [problem for table in self.tables for problem in self._of(table).problems]

    def reading(self, address: Address, overrides: Sequence[str]) -> Measurement:
        """An own cell of the tables with some more overrides: another reading of what the paper leaves open.

        Earlier trainings of the cell follow it, unless a stage sets the same keys itself.

        Raises:
            SpecError: it cannot be composed.
        """
        table = self.library.tables[address.table]
        row = table.rows[address.row]
        if row.same_as is not None:
            return self.reading(row.same_as, overrides)
        try:
            altered = replace(table, run=merged(table.run, overrides))
            row = replace(row, evaluation=merged(row.evaluation, overrides))
        except ConfigError as error:
            raise SpecError(table.file, row.line, f"row {row.label}: {error}") from error
        return self._own_cell(altered, row, table.columns[address.column], row.cells[address.column])

    def _of(self, table: Table) -> _OfTable:
        if table.key not in self._read:
            cells: dict[Address, Measurement] = {}
            problems = []
            for row in table.rows.values():
                for column in table.columns.values():
                    cell = row.cells[column.head]
                    try:
                        cells[cell.address] = self._measurement(table, row, column, cell)
                    except SpecError as error:
                        problems.append(error)
                        cells[cell.address] = Measurement(cell, self.scale.name, Kind.NOT_BUILT, error.message)
            found = cells if self.scale.is_paper else _without_twins(cells)
            self._read[table.key] = _OfTable(found, tuple(problems))
        return self._read[table.key]

    def _measurement(self, table: Table, row: Row, column: Column, cell: Cell) -> Measurement:
        if row.kind is RowKind.CITED:
            return Measurement(cell, self.scale.name, Kind.CITED, row.reason)
        if cell.metric.is_setting:
            return Measurement(cell, self.scale.name, Kind.SETTING)
        if cell.published is None and not cell.is_wanted:
            return Measurement(cell, self.scale.name, Kind.BLANK)
        if row.kind is not RowKind.OWN:
            return Measurement(cell, self.scale.name, Kind(row.kind), row.reason)
        if row.same_as is not None:
            return replace(self._repeated(row.same_as, cell), cell=cell)
        return self._own_cell(table, row, column, cell)

    def _repeated(self, address: Address, cell: Cell) -> Measurement:
        """The cell that a row prints once more, or what `cell` wants to know of the same run."""
        table = self.library.tables[address.table]
        row = table.rows[address.row]
        first = row.cells[address.column]
        if first.metric.base == cell.metric.base:
            if table.key in self._read:  # else without the rest of its table
                return self._read[table.key].cells[address]
            return self._measurement(table, row, table.columns[address.column], first)
        return self._measurement(table, row, table.columns[address.column], replace(cell, address=address))

    def _own_cell(self, table: Table, row: Row, column: Column, cell: Cell) -> Measurement:
        static = cell.metric.base.kind.source is Source.network
        metrics = (cell.metric, cell.metric.base)
        missing = [f"metric={metric.name}" for metric in metrics
                   if metric.kind.source is Source.none and not metric.is_difference]  # fmt: skip
        paper_chain = self._chains.of(table, row, column, AS_PRINTED)
        chain = (
            paper_chain
            if static or self.scale.name == AS_PRINTED.name
            else self._chains.of(table, row, column, self.scale)
        )
        lacking = [thing for link in chain.links for thing in link.configuration.missing]
        if static:  # the network alone decides, and it needs a head and a number of classes only
            lacking = [name for name in lacking if not name.startswith("schedule")]
        kind, reason = Kind.STATIC if static else Kind.RUN, ""
        fixed = [leaf for leaf in table.varies if leaf in self.scale.set and sets_itself(row, column, leaf)]
        if missing or lacking:
            kind, reason = Kind.NOT_BUILT, self._chains.explained(table, row, [*missing, *lacking])
        elif fixed and not static:
            kind, reason = Kind.NOT_AT_THIS_SCALE, f"the scale sets {', '.join(fixed)}"
        elif not static and (absent := _absent(chain)):
            kind, reason = absent
        return Measurement(cell, self.scale.name, kind, reason, chain if kind.is_measured else NOTHING, paper_chain)


def _absent(chain: Chain) -> tuple[Kind, str] | None:
    """What counts by its content, weights, data or code, and is not there; None if nothing lacks."""
    try:
        for link in chain.links:
            _ = link.configuration.science, link.configuration.protocol
    except CodeNotFoundError as error:
        return Kind.NOT_RUN, str(error)
    except ConfigError as error:
        return Kind.CANNOT_BE_RUN, str(error)
    return None


def _without_twins(found: Mapping[Address, Measurement]) -> dict[Address, Measurement]:
    """Of cells that differ in the paper and not at the scale, all but the first are the same as that one."""
    first: dict[tuple[str, str, str | None], tuple[Address, str]] = {}
    result = {}
    for address, item in found.items():
        result[address] = item
        if item.kind is not Kind.RUN:
            continue
        reference = str(item.reference) if item.reference else None
        key = (item.evaluation_id(0), str(item.metric), reference)
        paper = repr([link.configuration.frozen() for link in item.paper_chain.links])
        twin, twin_paper = first.setdefault(key, (address, paper))
        if twin != address and twin_paper != paper:
            where = twin.row if twin.row != address.row else f"{twin.row} @ {twin.column}"
            result[address] = replace(item, kind=Kind.SAME_AS, reason=where, chain=NOTHING, twin=twin)
    return result
