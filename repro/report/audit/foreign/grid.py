"""A table of somebody else's, as read: texts and numbers in rows and columns, with lines."""

import re
from dataclasses import dataclass, field
from pathlib import Path

from repro.report.printed import Rounded

_NUMBER = re.compile(
    r"""^[~≈]?\s*(?P<sign>[+\-−–]?)\s*(?P<whole>\d{1,3}(?:,\d{3})+|\d*)(?:\.(?P<part>\d+))?
        \s*(?:±\s*\d*\.?\d+)?\s*(?P<unit>%|[A-Za-z]{1,2}|×)?\s*(?P<arrow>[↑↓]?)\s*[*†‡]*$""",
    re.VERBOSE,
)
_IN_BRACKETS = re.compile(r"^(?P<first>[^()]*\d[^()]*)\((?P<second>[^()]*)\)\s*$")


@dataclass(frozen=True)
class GridCell:
    """One cell.

    Attributes:
        text: without markup.
        number: what it prints, negative beside an arrow downwards; None if it is no number.
        is_bold: whether it is printed bold.
    """

    text: str = ""
    number: Rounded | None = None
    is_bold: bool = False


@dataclass(frozen=True)
class GridRow:
    """One row: a label of its own, its cells by column, the line it begins on, and the rows between the same rules."""

    label: str
    cells: dict[str, GridCell]
    line: int
    group: int = 0


@dataclass(frozen=True)
class Grid:
    """One table.

    Attributes:
        file: where it was read.
        name: of the file, with a number if it is not the only table there.
        columns: heads of the columns that hold numbers, in order.
        rows: those that print a number.
        unread: one sentence, with its line, for whatever was not understood.
    """

    file: Path
    name: str
    columns: list[str]
    rows: list[GridRow]
    unread: list[str] = field(default_factory=list)

    def numbers(self, column: str) -> list[tuple[GridRow, Rounded]]:
        """The rows that print a number in a column."""
        found = ((row, row.cells[column].number) for row in self.rows if column in row.cells)
        return [(row, number) for row, number in found if number is not None]


@dataclass(frozen=True)
class RawRow:
    """Cells of one line of a table, before it is known which are numbers."""

    cells: list[GridCell]
    line: int
    group: int = 0


def cell_of(text: str, is_bold: bool = False) -> GridCell:
    """A cell from its text without markup."""
    text = " ".join(text.split())
    return GridCell(text, number_of(text), is_bold)


def number_of(text: str) -> Rounded | None:
    """The number that a text is, with its decimals; None if it is another text, such as ResNet-101."""
    match = _NUMBER.match(text)
    if not match or not (match["whole"] or match["part"]):
        return None
    digits = f"{match['whole'].replace(',', '') or 0}.{match['part'] or 0}"
    downwards = match["sign"] in ("-", "−", "–") or match["arrow"] == "↓"
    return Rounded(-float(digits) if downwards else float(digits), len(match["part"] or ""))


def grid_of(file: Path, name: str, heads: list[str], raw: list[RawRow], unread: list[str]) -> Grid:
    """The table of some rows: columns of numbers apart from those of words, which make the labels.

    A number in brackets behind another one, as in 80.8 (+1.6), stands in a column of its own.
    """
    heads, raw = _unbracketed(_distinct(heads), raw)
    numeric = [place for place, _ in enumerate(heads) if _is_numeric(place, raw)]
    if numeric and numeric[0] == 0 and len(numeric) == len(heads):
        numeric = numeric[1:]  # a table of numbers alone is labelled by its first column
    columns = [heads[place] for place in numeric]
    rows: list[GridRow] = []
    labels: set[str] = set()
    for line in raw:
        cells = {heads[place]: line.cells[place] for place in numeric if place < len(line.cells)}
        if not any(cell.number for cell in cells.values()):
            continue
        words = [cell.text for place, cell in enumerate(line.cells) if place not in numeric and cell.text]
        label = " / ".join(words) or f"line {line.line}"
        label = f"{label} (line {line.line})" if label in labels else label
        labels.add(label)
        rows.append(GridRow(label, cells, line.line, line.group))
    return Grid(file, name, columns, rows, unread)


def _is_numeric(place: int, raw: list[RawRow]) -> bool:
    cells = [
        row.cells[place] for row in raw if place < len(row.cells) and row.cells[place].text not in ("", "-", "–", "—")
    ]
    return bool(cells) and 2 * sum(cell.number is not None for cell in cells) > len(cells)


def _distinct(heads: list[str]) -> list[str]:
    made: list[str] = []
    for place, head in enumerate(heads, 1):
        text = head or f"column {place}"
        made.append(f"{text} ({place})" if text in made else text)
    return made


def _unbracketed(heads: list[str], raw: list[RawRow]) -> tuple[list[str], list[RawRow]]:
    for place in range(len(heads) - 1, -1, -1):
        split = [_split(row.cells[place]) if place < len(row.cells) else None for row in raw]
        if not any(split):
            continue
        heads = [*heads[: place + 1], f"{heads[place]} (in brackets)", *heads[place + 1 :]]
        raw = [
            RawRow([*row.cells[:place], *(pair or (row.cells[place], GridCell())), *row.cells[place + 1 :]],
                   row.line, row.group)
            if place < len(row.cells) else row
            for row, pair in zip(raw, split, strict=True)
        ]  # fmt: skip
    return heads, raw


def _split(cell: GridCell) -> tuple[GridCell, GridCell] | None:
    match = _IN_BRACKETS.match(cell.text)
    if not match:
        return None
    first, second = cell_of(match["first"], cell.is_bold), cell_of(match["second"])
    return (first, second) if first.number and second.number else None
