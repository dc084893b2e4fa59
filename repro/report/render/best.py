"""The best values of each column of a table, to the digits that a reader sees; several where those are equal."""

from collections.abc import Iterable

from repro.papers import Address, Cell, Column, Table
from repro.report.judge.results import TableResult
from repro.report.printed import decimals_of, measured_decimals, printed_decimals


def best_published(table: Table) -> set[Address]:
    """The best published values."""
    return _best((table.columns[cell.address.column], cell, _as_printed(table, cell)) for cell in table.cells())


def _as_printed(table: Table, cell: Cell) -> float | None:
    if cell.signed is None:
        return None
    places = printed_decimals(cell)
    return round(
        cell.signed, decimals_of(table.columns[cell.address.column], cell.signed) if places is None else places
    )


def best_measured(result: TableResult) -> set[Address]:
    """The best measured values."""
    table = result.table
    found = ((table.columns[cell.address.column], cell, result.cells.get(cell.address)) for cell in table.cells())
    return _best(
        (column, cell, round(item.measured.mean, measured_decimals(column, cell)))
        for column, cell, item in found if item is not None and item.measured
    )  # fmt: skip


def _best(values: Iterable[tuple[Column, Cell, float | None]]) -> set[Address]:
    """The best of each column and metric, to the digits that are shown; several where they are equal."""
    groups: dict[tuple[str, str], list[tuple[float, Address]]] = {}
    for column, cell, value in values:
        if value is not None and cell.metric.kind.is_score:
            sign = -1 if column.lower_is_better else 1
            groups.setdefault((column.head, str(cell.metric)), []).append((sign * value, cell.address))
    chosen: set[Address] = set()
    for group in groups.values():
        if len(group) > 1:
            top = max(value for value, _ in group)
            chosen |= {address for value, address in group if value == top}
    return chosen
