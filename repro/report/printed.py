"""Numbers as papers print them: rounded, with so many decimals, and written the same way in a report."""

import re
from dataclasses import dataclass

from repro.papers import Address, Cell, Column, Library, Table, TableKind

EPSILON = 1e-9
_NUMBER = re.compile(r"\d+(?:\.(\d+))?")


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


def own_decimals(value: float) -> int:
    """Decimals that a number needs to be written in full."""
    digits = f"{value:.10f}".partition(".")[2].rstrip("0")
    return len(digits)


def decimals_of(column: Column, value: float) -> int:
    """Decimals that a published number is printed with: those of its column, or more if it has more."""
    return max(column.decimals or 0, own_decimals(value))


def published_text(column: Column, cell: Cell) -> str:
    """The published content of a cell, as printed; empty if blank."""
    if cell.printed is not None:
        return cell.printed
    if cell.published is None or isinstance(cell.published, str):
        return cell.published or ""
    return f"{cell.published:.{decimals_of(column, cell.published)}f}"


def measured_decimals(column: Column, cell: Cell) -> int:
    """Decimals of a measured value: as published but at least one, two where nothing says how many."""
    if isinstance(cell.published, (int, float)):
        return max(1, decimals_of(column, cell.published))
    return 2 if column.decimals is None else column.decimals


def number(value: float, places: int) -> str:
    """A number with a real minus, and zero without one."""
    text = f"{value:.{places}f}"
    return text.lstrip("-") if float(text) == 0 else text.replace("-", "−")


def signed(value: float, places: int) -> str:
    """A number with its sign, and zero without one."""
    text = number(value, places)
    return text if text.startswith("−") or float(text) == 0 else f"+{text}"


def _decimals(table: Table, column: Column, cell: Cell) -> int:
    raw = printed_decimals(cell)
    if raw is not None:
        return raw
    own = own_decimals(abs(cell.signed or 0.0))
    if table.kind is not TableKind.PROSE:
        return max(column.decimals or 0, own)
    # A number in running text stands in no column; that the file has it with a point, as in 0.0, tells of one decimal.
    return max(own, int(isinstance(cell.signed, float)))
