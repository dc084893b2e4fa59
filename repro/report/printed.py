"""Published numbers as what they are: rounded; and the form of what an audit finds."""

import re
from dataclasses import dataclass

from repro.papers import Address, Cell, Column, Library, Table
from repro.report.render.wording import number, own_decimals, published_text

EPSILON = 1e-9
_NUMBER = re.compile(r"\d+(?:\.(\d+))?")


@dataclass(frozen=True)
class Finding:
    """A contradiction between published numbers that rounding does not explain.

    Attributes:
        kind: one of `repro.report.audit.checks.KINDS`.
        address: the cell that does not fit.
        printed: as the paper prints it.
        expected: what would fit.
        how: how that was computed, from which cells.
    """

    kind: str
    address: Address
    printed: str
    expected: str
    how: str


@dataclass(frozen=True)
class Rounded:
    """A number that was printed with so many decimals."""

    value: float
    decimals: int

    @property
    def half(self) -> float:
        """The most by which rounding can have changed it."""
        return 0.5 * 10.0**-self.decimals

    def __str__(self) -> str:
        return number(self.value, self.decimals)

    def agrees(self, other: "Rounded") -> bool:
        """Whether both can be roundings of one number."""
        slack = 0.0 if self.decimals == other.decimals else max(self.half, other.half)
        return abs(self.value - other.value) <= slack + EPSILON


def look(library: Library, address: Address | None) -> Cell | None:
    """The cell at an address, or None where its table could not be read."""
    if address is None or address.table not in library.tables:
        return None
    return library.cell(address)


def rounded(library: Library, cell: Cell | None) -> Rounded | None:
    """The signed published number of a cell with its decimals; None if it prints none."""
    if cell is None or cell.signed is None:
        return None
    table = library.tables[cell.address.table]
    return Rounded(cell.signed, _decimals(table, table.columns[cell.address.column], cell))


def printed_decimals(cell: Cell) -> int | None:
    """Decimals of the first number of a cell's raw form; None if the file holds the number alone."""
    match = _NUMBER.search(cell.printed or "")
    return len(match[1] or "") if match else None


def printed(library: Library, cell: Cell) -> str:
    """A cell as the paper prints it."""
    return published_text(library.tables[cell.address.table].columns[cell.address.column], cell)


def _decimals(table: Table, column: Column, cell: Cell) -> int:
    raw = printed_decimals(cell)
    if raw is not None:
        return raw
    own = own_decimals(abs(cell.signed or 0.0))
    if table.kind != "prose":
        return max(column.decimals or 0, own)
    # A number in running text stands in no column; that the file has it with a point, as in 0.0, tells of one decimal.
    return max(own, int(isinstance(cell.signed, float)))
