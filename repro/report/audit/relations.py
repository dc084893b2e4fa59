"""How the quantities of the papers hang together: differences, means, boundary scores, what a network alone decides."""

from collections.abc import Iterator
from itertools import pairwise

from repro.errors import ConfigError
from repro.experiments.overrides import cell_overrides
from repro.experiments.values import network_value
from repro.papers import Cell, Library, Metric, Row, RowKind, Table
from repro.report.audit.finding import FindingKind
from repro.report.audit.places import Relation
from repro.report.audit.quantities import Quantities, composed

CLASSES = {"cityscapes": 19, "pascal voc": 21, "camvid": 11, "ade20k": 150}
"""Classes in the mean, by the beginning of the name of the evaluated data."""

CLOSED_FORMS = ("utilisation",)
"""Metrics that arithmetic gives. Parameters are counted too, but depend on layers that the papers leave open."""

HIGHEST = 100.0
"""The most that a class can have, in percent."""


def relations_of(quantities: Quantities) -> Iterator[Relation]:
    """Every relation that follows from the metrics of the cells and from how the papers' files say they are made."""
    library = quantities.library
    for table, row in _rows(library):
        for cell in row.cells.values():
            sides = quantities.sides(cell)
            if sides is not None:
                terms = ((quantities.of(cell), 1.0), (sides[0], -1.0), (sides[1], 1.0))
                yield Relation(FindingKind.DIFFERENCE, terms)
        yield from _means(quantities, table, row)
        yield from _closed_forms(quantities, table, row)
    yield from _tolerances(quantities)


def _rows(library: Library) -> Iterator[tuple[Table, Row]]:
    for table in library.tables.values():
        for row in table.rows.values():
            yield table, row


def _means(quantities: Quantities, table: Table, row: Row) -> Iterator[Relation]:
    """Means over classes, where all of them are printed, or all but one."""
    data = table.evaluated_on.casefold()
    count = next((count for name, count in CLASSES.items() if data.startswith(name)), 0)
    for mean in row.cells.values():
        parts = [other for other in row.cells.values() if _is_part(other, mean.metric)]
        if mean.signed is None or count < 2 or not count - 1 <= len(parts) <= count:
            continue
        terms = ((quantities.of(mean), float(count)), *((quantities.of(part), -1.0) for part in parts))
        yield Relation(FindingKind.MEAN, terms, high=HIGHEST * (count - len(parts)))


def _is_part(cell: Cell, mean: Metric) -> bool:
    metric = cell.metric
    if cell.signed is None or metric.class_name is None or mean.class_name is not None or metric.pixels != mean.pixels:
        return False
    return metric.kind.averaged_into == mean.name


def _closed_forms(quantities: Quantities, table: Table, row: Row) -> Iterator[Relation]:
    for cell in row.cells.values():
        if cell.metric.name not in CLOSED_FORMS or cell.signed is None or row.kind is not RowKind.OWN or row.same_as:
            continue
        try:
            configuration = composed(cell_overrides(table, table.columns[cell.address.column], row))
            value = network_value(configuration, cell.metric)
        except (ConfigError, ValueError):  # planning a sweep says what is wrong with it
            continue
        yield Relation(FindingKind.CLOSED_FORM, ((quantities.of(cell), 1.0),), value, value)


def _tolerances(quantities: Quantities) -> Iterator[Relation]:
    """Boundary scores of one method and class, which cannot fall from one tolerance to the next larger one."""
    groups: dict[tuple[str, str, str | None], list[Cell]] = {}
    for table, row in _rows(quantities.library):
        for cell in row.cells.values():
            if cell.metric.pixels is not None and cell.metric.reference is None and cell.signed is not None:
                method = " ".join(row.label.replace(f"{cell.metric.pixels}px", " ").split())
                groups.setdefault((table.key, method, cell.metric.class_name), []).append(cell)
    for cells in groups.values():
        for before, after in pairwise(sorted(cells, key=lambda cell: cell.metric.pixels or 0)):
            if before.metric.pixels != after.metric.pixels:
                terms = ((quantities.of(after), 1.0), (quantities.of(before), -1.0))
                yield Relation(FindingKind.TOLERANCE, terms, high=float("inf"))
