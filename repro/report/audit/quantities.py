"""What each printed cell is a number of: an experiment's score, a cited one, or the difference of two."""

from collections.abc import Hashable, Iterator
from functools import cache

from repro.config.composer import Composer
from repro.config.configuration import Configuration
from repro.config.identity import digest
from repro.config.overrides import split
from repro.config.tree import canonical
from repro.errors import ConfigError
from repro.experiments.overrides import NAMED_BY_EVERY_ROW, cell_overrides, stage_overrides, stages_of
from repro.papers import Address, Cell, Column, Library, Metric, Row, RowKind, Table, TableKind
from repro.report.audit.cited import cited_quantities
from repro.report.audit.places import Place
from repro.report.printed import look, printed, rounded


class Quantities:
    """The quantity of every printed cell; equal keys are one quantity, of which every place must print the same."""

    def __init__(self, library: Library) -> None:
        self.library = library
        self._rows = {(table.key, row.label): (table, row) for table in library.tables.values()
                      for row in table.rows.values()}  # fmt: skip
        self._known: dict[Address, Hashable] = {}
        self._cited: dict[Address, Hashable] = {}
        self._cited = cited_quantities(library, self.of)

    def places(self) -> Iterator[tuple[Hashable, Place]]:
        """Every cell that prints a number, with its quantity."""
        for table, row in self._rows.values():
            for cell in row.cells.values():
                number = rounded(self.library, cell)
                if number is None or cell.metric.is_setting:
                    continue
                # The differences of one row were worked out together, or copied together from another table.
                witness = (table.key, row.label) if cell.metric.is_difference else cell.address
                yield self.of(cell), Place(
                    cell.address, printed(self.library, cell), number, witness,
                    in_prose=table.kind is TableKind.PROSE, is_cited=row.kind is RowKind.CITED,
                )  # fmt: skip

    def of(self, cell: Cell) -> Hashable:
        """The quantity of a cell."""
        if cell.address in self._cited:
            return self._cited[cell.address]
        if cell.address not in self._known:
            self._known[cell.address] = self._find(cell)
        return self._known[cell.address]

    def sides(self, cell: Cell) -> tuple[Hashable, Hashable] | None:
        """The quantities that a difference is taken between; None if one of them is not known."""
        reference = look(self.library, cell.metric.reference)
        if not cell.metric.is_difference or cell.metric.of is None or reference is None:
            return None
        left = self._left(cell, cell.metric.of)
        if left is None or reference.metric != cell.metric.of:
            return None
        right = self.of(reference)
        return None if left == right else (left, right)

    def _find(self, cell: Cell) -> Hashable:
        table, row = self._rows[cell.address.table, cell.address.row]
        sides = self.sides(cell)
        if sides is not None:
            return ("difference", *sides)
        original = look(self.library, row.same_as)
        if original is not None:
            # A row may name the cell whose experiment it tells something else of, such as the largest batch.
            return self.of(original) if _measures(original.metric) == _measures(cell.metric) else cell.address
        return self._experiment(table, row, cell, cell.metric) or cell.address

    def _experiment(self, table: Table, row: Row, cell: Cell, metric: Metric) -> Hashable:
        if metric.reference is not None or metric.is_setting:
            return None
        made = experiment(table, table.columns[cell.address.column], row)
        return (table.paper, *made, str(metric)) if made else None

    def _left(self, cell: Cell, of: Metric) -> Hashable:
        """What a difference belongs to: the cell that its row repeats, one of its row, or its row's experiment."""
        table, row = self._rows[cell.address.table, cell.address.row]
        original = look(self.library, row.same_as)
        if original is not None:
            if original.metric == of:
                return self.of(original)
            return self._left(original, of) if original.metric.of == of else None
        candidates = [other for other in row.cells.values() if other.metric == of and other.signed is not None]
        reference = cell.metric.reference
        in_column = [other for other in candidates if reference and other.address.column == reference.column]
        own = next(iter(in_column or candidates), None)
        return self.of(own) if own is not None else self._experiment(table, row, cell, of)


def _measures(metric: Metric) -> tuple[str, str | None, int | None]:
    return metric.name, metric.class_name, metric.pixels


def experiment(table: Table, column: Column, row: Row) -> tuple[str, ...]:
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
def composed(overrides: tuple[str, ...]) -> Configuration:
    """The configuration of a cell's overrides; raises `ConfigError` if they make none."""
    return _composer().compose(overrides)


@cache
def _canonical(overrides: tuple[str, ...]) -> str:
    """One form for overrides that mean the same experiment, also where a part of it does not exist yet."""
    found = composed(overrides)
    absent = {key: value for key, value in map(split, overrides) if key in found.missing}
    return digest({"run": found.science, "evaluation": found.protocol, "absent": canonical(absent)})


@cache
def _composer() -> Composer:
    return Composer()
