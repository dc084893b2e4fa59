"""A claim and its comparisons in words: what is compared, by how much, within what, over what."""

from collections.abc import Iterable

from repro.papers import Address, Amount, Claim, Gain, Operator, Part, Quantity
from repro.report.judge.results import TableResult
from repro.report.printed import number, own_decimals

SIGNS = {Operator.GREATER: ">", Operator.NOT_LESS: "≥", Operator.EQUAL: "≈"}
"""The operators as a reader sees them."""


def claim_text(claim: Claim, result: TableResult) -> str:
    """The sides and operators of a claim, with its amount, its margin, and how many pairs it is about."""
    names = _Names(result, [] if claim.is_paired else [cell for part in claim.parts for cell in part.addresses()])
    texts = [", ".join(names.of(item) for item in side) for side in claim.sides]
    words = [texts[0]]
    for operator, text in zip(claim.operators, texts[1:], strict=True):
        words += [SIGNS[operator], text]
    unit = _unit(claim, result)
    tail = [_amount(claim.by, unit)] if claim.by is not None else []
    if claim.within is not None:
        tail.append(f"within {_measure(claim.within.value, claim.within.value, unit, claim.within.is_share)}")
    if claim.is_paired or claim.most or claim.over:
        tail.append(_pairs(claim))
    return ", ".join([names.whole(" ".join(words)), *tail])


def part_text(part: Part, result: TableResult) -> str:
    """One comparison of a claim."""
    names = _Names(result, part.addresses())
    return names.whole(f"{names.of(part.left)} {SIGNS[part.operator]} {names.of(part.right)}")


class _Names:
    """Names of cells beside each other: what all of them share, table and row or column, is said once.

    Args:
        result: of the table on whose page they are named.
        cells: all that are named.
    """

    def __init__(self, result: TableResult, cells: Iterable[Address]) -> None:
        self._table = result.table
        heads = {cell.address.column for cell in result.table.cells() if not cell.metric.is_setting}
        self._has_columns = len(heads) > 1
        named = list(cells)
        self._first = named[0] if len({cell.table for cell in named}) == 1 else None
        self._is_column = len({cell.column for cell in named}) == 1
        self._is_row = len({cell.row for cell in named}) == 1
        if not self._is_column and not self._is_row:
            self._first = None

    def of(self, side: Quantity | str) -> str:
        """A side by itself."""
        if isinstance(side, str):
            return side
        if isinstance(side, Gain):
            return f"({self.of(side.first)} − {self.of(side.second)})"
        if isinstance(side, float):
            return number(side, own_decimals(side))
        if self._first is not None:
            return side.row if self._is_column else side.column
        return f"{self._of_table(side)}{side.row}{self._of_column(side)}"

    def whole(self, text: str) -> str:
        """A text of such sides, with what they share."""
        if self._first is None:
            return text
        table = self._of_table(self._first)
        return (
            f"{table}{text}{self._of_column(self._first)}" if self._is_column else f"{table}{self._first.row}: {text}"
        )

    def _of_table(self, cell: Address) -> str:
        own = f"{self._table.paper}/"
        return "" if cell.table == self._table.key else f"{cell.table.removeprefix(own)}: "

    def _of_column(self, cell: Address) -> str:
        return f" @ {cell.column}" if cell.table != self._table.key or self._has_columns else ""


def _unit(claim: Claim, result: TableResult) -> str:
    """The unit of an amount or a margin: that of the first cell of the table that the claim rests on."""
    cells = (cell for part in claim.parts for cell in part.addresses() if cell.table == result.table.key)
    first = next(cells, None)
    unit = "" if first is None else result.table.columns[first.column].unit
    return "points" if unit == "%" else unit


def _amount(by: Amount, unit: str) -> str:
    return f"by {_measure(by.low, by.high, unit, by.is_share)}"


def _measure(low: float, high: float, unit: str, is_share: bool) -> str:
    scaled = [round(100 * value, 8) if is_share else value for value in (low, high)]
    texts = list(dict.fromkeys(number(value, own_decimals(value)) for value in scaled))
    return " ".join(item for item in (" to ".join(texts), "%" if is_share else unit) if item)


def _pairs(claim: Claim) -> str:
    count = f"in most of {len(claim.parts)} pairs" if claim.most else f"in each of {len(claim.parts)} pairs"
    return f"{count} ({claim.over})" if claim.over else count
