"""Which printed rows a run is: those with its evaluation, else with its training, else the one that differs least."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from enum import StrEnum

from repro.config.configuration import Configuration
from repro.experiments.differences import Difference, differences
from repro.experiments.measurement import Kind, Measurement
from repro.experiments.measurements import AS_PRINTED, Measurements
from repro.papers import Address, Column, Library, Row, RowKind, Table

MOST_COMPOSED = 3
"""Distinct sets of choices that are composed, those that agree most with the run's; each takes a tenth of a second."""

MOST_NAMED = 6
"""Differing leaves that are named."""

_WEIGHT = {"head": 8, "head/ga": 5, "head/ld": 5, "dataset": 4, "schedule": 3, "backbone": 2, "evaluation": 1}


class Agreement(StrEnum):
    """What a run and a printed row have in common."""

    EVALUATION = "evaluation"
    TRAINING = "training"
    NEITHER = "neither"


@dataclass(frozen=True)
class Nearest:
    """The printed rows that a run stands for.

    Attributes:
        agreement: what they have in common with it.
        addresses: one cell of each row; a single one if the agreement is neither.
        differences: what the nearest row does otherwise: `paper` is the row's value, `measured` the run's.
    """

    agreement: Agreement
    addresses: tuple[Address, ...]
    differences: tuple[Difference, ...] = ()

    def __str__(self) -> str:
        rows = [f"{address.table}: {address.row}" for address in self.addresses]
        named = " and ".join(dict.fromkeys(rows))
        if self.agreement is Agreement.EVALUATION:
            return f"this is {named}"
        if self.agreement is Agreement.TRAINING:
            return f"this is the training of {named}, evaluated otherwise"
        if not self.differences:
            return f"nearest printed row: {named}, which starts from other weights"
        leaves = "; ".join(map(str, self.differences[:MOST_NAMED]))
        more = len(self.differences) - MOST_NAMED
        return f"nearest printed row: {named}; otherwise here: {leaves}" + (f"; and {more} more" if more > 0 else "")


def nearest_rows(configuration: Configuration, library: Library) -> Nearest | None:
    """The printed rows, at the paper's scale, that a run's configuration equals, or else the nearest one.

    Only rows with the run's choice of a head are looked at, and of those that choose other groups otherwise only the
    likeliest. None if no printed row has that head.
    """
    candidates = _candidates(configuration, library)
    if not candidates:
        return None
    seed = configuration.seed
    for agreement, equal in (
        (Agreement.EVALUATION, [i for i in candidates if i.evaluation_id(seed) == configuration.evaluation_id]),
        (Agreement.TRAINING, [i for i in candidates if i.run_id(seed) == configuration.run_id]),
    ):
        if equal:
            return Nearest(agreement, tuple(item.address for item in equal))
    told = [(differences(item.chain.own, configuration), item) for item in candidates]
    found, item = min(told, key=lambda pair: len(pair[0]))
    return Nearest(Agreement.NEITHER, (item.address,), tuple(found))


def _candidates(configuration: Configuration, library: Library) -> list[Measurement]:
    """Cells that may be the run."""
    choices = configuration.choices
    ranked: dict[tuple[str | None, ...], list[tuple[Table, Row, Column]]] = {}
    for table, row, column in _own_cells(library):
        named = _written(table, row, column)
        if named.get("head") == choices["head"]:
            ranked.setdefault(tuple(named.get(group) for group in _WEIGHT), []).append((table, row, column))

    def disagreement(named: tuple[str | None, ...]) -> int:
        pairs = zip(_WEIGHT.items(), named, strict=True)
        return sum(weight for (group, weight), choice in pairs if choice != choices.get(group))

    kept = [cell for key in sorted(ranked, key=disagreement)[:MOST_COMPOSED] for cell in ranked[key]]
    tables: dict[str, Table] = {}
    for table, row, column in kept:
        cut = tables.get(table.key) or replace(table, rows={}, columns={})
        rows, columns = {**cut.rows, row.label: row}, {**cut.columns, column.head: column}
        tables[table.key] = replace(cut, rows=rows, columns=columns)
    found = Measurements(library, list(tables.values()), AS_PRINTED)
    wanted = {(table.key, row.label, column.head) for table, row, column in kept}
    return [item for address, item in found.items()
            if item.kind is Kind.RUN and (address.table, address.row, address.column) in wanted]  # fmt: skip


def _own_cells(library: Library) -> Iterator[tuple[Table, Row, Column]]:
    """The measured cells of own rows, those of one row and one configuration once."""
    for table in library.tables.values():
        for row in table.rows.values():
            seen = set()
            for column in table.columns.values():
                settings = (column.run, column.evaluation)
                cell = row.cells[column.head]
                own = row.kind is RowKind.OWN and row.same_as is None
                if own and cell.is_result and settings not in seen:
                    seen.add(settings)
                    yield table, row, column


def _written(table: Table, row: Row, column: Column) -> dict[str, str]:
    """Keys and values of a cell's overrides as they are written: enough for choices of groups, and quick."""
    training = (*table.run, *column.run, *row.run)
    overrides = (*training, *table.evaluation, *column.evaluation, *row.evaluation)
    return {key: value for key, _, value in (override.partition("=") for override in overrides)}
