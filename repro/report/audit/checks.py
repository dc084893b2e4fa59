"""The arithmetic of the published tables, done once more from the numbers that they print.

Every check takes into account that a printed number is rounded: a finding is a contradiction that rounding does not
explain. What is checked follows from the metrics of the cells and from how the papers' files say they are made.
"""

from collections.abc import Iterable, Iterator, Sequence
from itertools import pairwise

from repro.papers import Cell, Library, Metric, Row, Table, TableKind
from repro.report.audit.finding import Finding, FindingKind
from repro.report.audit.repeated import cited_more_than_once, printed_elsewhere, printed_more_than_once
from repro.report.printed import (
    EPSILON,
    Rounded,
    look,
    number,
    own_decimals,
    printed,
    printed_decimals,
    rounded,
)

CLASSES = {"cityscapes": 19, "pascal voc": 21, "camvid": 11, "ade20k": 150}
"""Classes in the mean, by the beginning of the name of the evaluated data."""


def audit(library: Library) -> list[Finding]:
    """All contradictions among the published numbers, by kind and in printed order."""
    return [
        *_differences(library), *_means(library), *printed_more_than_once(library), *printed_elsewhere(library),
        *cited_more_than_once(library), *_decimals(library), *_tolerances(library),
    ]  # fmt: skip


def _rows(library: Library) -> Iterator[tuple[Table, Row]]:
    for table in library.tables.values():
        for row in table.rows.values():
            yield table, row


def _differences(library: Library) -> Iterator[Finding]:
    """Printed differences against the published numbers of both sides."""
    for _, row in _rows(library):
        for cell in row.cells.values():
            here = rounded(library, cell)
            if not cell.metric.is_difference or cell.metric.of is None or here is None:
                continue
            left, right = _own_side(library, row, cell), look(library, cell.metric.reference)
            a, b = rounded(library, left), rounded(library, right)
            if a is None or b is None or left is None or right is None or right.metric != cell.metric.of:
                continue
            expected = a.value - b.value
            if abs(here.value - expected) > here.half + a.half + b.half + EPSILON:
                how = f"{left.address} prints {a}, {right.address} prints {b}"
                places = max(a.decimals, b.decimals)
                yield Finding(
                    FindingKind.DIFFERENCE, cell.address, printed(library, cell), number(expected, places), how
                )


def _own_side(library: Library, row: Row, cell: Cell) -> Cell | None:
    """The cell that a difference belongs to: of its own row, or the one that the row repeats."""
    if row.same_as is not None:
        original = look(library, row.same_as)
        return original if original is not None and original.metric == cell.metric.of else None
    candidates = [other for other in row.cells.values() if other.metric == cell.metric.of and other.signed is not None]
    reference = cell.metric.reference
    same_column = [other for other in candidates if reference and other.address.column == reference.column]
    return next(iter(same_column or candidates), None)


def _means(library: Library) -> Iterator[Finding]:
    """Printed means against the printed classes, where all of them are printed, or all but one."""
    for table, row in _rows(library):
        data = table.evaluated_on.casefold()
        count = next((count for name, count in CLASSES.items() if data.startswith(name)), 0)
        for cell in row.cells.values():
            mean = rounded(library, cell)
            parts = [rounded(library, other) for other in row.cells.values() if _is_part(other.metric, cell.metric)]
            numbers = [part for part in parts if part is not None]
            if mean is None or count < 2 or not count - 1 <= len(numbers) <= count:
                continue
            yield from _mean(library, cell, mean, numbers, count)


def _is_part(metric: Metric, mean: Metric) -> bool:
    if metric.class_name is None or mean.class_name is not None or metric.pixels != mean.pixels:
        return False
    return metric.kind.averaged_into == mean.name


def _mean(library: Library, cell: Cell, mean: Rounded, parts: Sequence[Rounded], count: int) -> Iterator[Finding]:
    total, slack = sum(part.value for part in parts), sum(part.half for part in parts) / count + mean.half + EPSILON
    low, high = total / count, (total + 100 * (count - len(parts))) / count
    if low - slack <= mean.value <= high + slack:
        return
    if len(parts) == count:
        expected, how = number(low, mean.decimals + 1), f"mean of the {count} printed classes"
    else:
        expected = f"{number(low, mean.decimals)} to {number(high, mean.decimals)}"
        implied = number(count * mean.value - total, 1)
        how = f"{len(parts)} of {count} classes are printed; the missing one would have {implied}"
    yield Finding(FindingKind.MEAN, cell.address, printed(library, cell), expected, how)


def _decimals(library: Library) -> Iterator[Finding]:
    """Numbers with more or fewer decimals than their column; prose has no columns."""
    for table, row in _rows(library):
        for cell in row.cells.values():
            decimals = table.columns[cell.address.column].decimals
            if table.kind is TableKind.PROSE or decimals is None or cell.signed is None or cell.metric.is_setting:
                continue
            raw, own = printed_decimals(cell), own_decimals(abs(cell.signed))
            found = raw if raw is not None else max(own, decimals)
            if found != decimals:
                how = f"{found} decimals in a column of {decimals}"
                yield Finding(
                    FindingKind.DECIMALS, cell.address, printed(library, cell), number(cell.signed, decimals), how
                )


def _tolerances(library: Library) -> Iterator[Finding]:
    """Boundary scores of one method and class that fall from one tolerance to the next larger one."""
    groups: dict[tuple[str, str, str | None], list[Cell]] = {}
    for table, row in _rows(library):
        for cell in row.cells.values():
            if cell.metric.pixels is not None and cell.signed is not None:
                method = " ".join(row.label.replace(f"{cell.metric.pixels}px", " ").split())
                groups.setdefault((table.key, method, cell.metric.class_name), []).append(cell)
    for cells in groups.values():
        yield from _falls(library, sorted(cells, key=lambda cell: cell.metric.pixels or 0))


def _falls(library: Library, cells: Iterable[Cell]) -> Iterator[Finding]:
    for before, after in pairwise(cells):
        smaller, larger = rounded(library, before), rounded(library, after)
        if smaller is None or larger is None or before.metric.pixels == after.metric.pixels:
            continue
        if larger.value < smaller.value - EPSILON and not larger.agrees(smaller):
            how = f"{before.address} prints {smaller} at {before.metric.pixels} pixels"
            yield Finding(FindingKind.TOLERANCE, after.address, printed(library, after), f"at least {smaller}", how)
