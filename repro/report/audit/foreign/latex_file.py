"""Plain `tabular` of LaTeX as tables; what is not understood is said with its line."""

import re
from dataclasses import dataclass
from pathlib import Path

from repro.errors import ConfigError
from repro.report.audit.foreign.grid import Grid, GridCell, RawRow, cell_of, grid_of
from repro.report.audit.foreign.latex_text import Text, group_at, plain, rule_at

_BEGIN = re.compile(r"\\begin\{(?P<name>tabular\*?|tabularx|array)\}")
_COMMENT = re.compile(r"(?<!\\)%.*")
_SPAN = re.compile(r"^\s*\\multicolumn\s*\{(\d+)\}\s*\{")


@dataclass(frozen=True)
class _Line:
    """One printed line: texts with the columns that each spans, whether a rule is above it, and where it begins."""

    cells: list[tuple[str, int]]
    is_below_rule: bool
    line: int


def read_latex(file: Path, text: str) -> list[Grid]:
    """Every `tabular` of a file.

    Raises:
        ConfigError: it has none, or one that does not end.
    """
    text = "\n".join(_COMMENT.sub("", line) for line in text.splitlines())
    begins = list(_BEGIN.finditer(text))
    if not begins:
        raise ConfigError(f"{file} has no \\begin{{tabular}}")
    grids = []
    for number, begin in enumerate(begins, 1):
        name = file.name if len(begins) == 1 else f"{file.name} table {number}"
        line = text.count("\n", 0, begin.start()) + 1
        end = text.find(f"\\end{{{begin['name']}}}", begin.end())
        if end < 0:
            raise ConfigError(f"{file}:{line}: this {begin['name']} has no \\end{{{begin['name']}}}")
        start = begin.end()
        if begin["name"] in ("tabular*", "tabularx"):
            start = group_at(text, start)[1]
        if text[start : start + 1] == "[":
            start = text.index("]", start) + 1
        start = group_at(text, start)[1]
        grids.append(_grid(file, name, text[start:end], text.count("\n", 0, start) + 1))
    return grids


def _grid(file: Path, name: str, body: str, line: int) -> Grid:
    unread: list[str] = []
    lines = _lines(body, line)
    columns = max((sum(span for _, span in item.cells) for item in lines), default=0)
    raw: list[RawRow] = []
    group = 0
    for item in lines:
        group += item.is_below_rule
        cells: list[GridCell] = []
        for text, span in item.cells:
            found = plain(text)
            unread += [
                f"{file}:{item.line}: {word} is not understood; what stands in it is kept" for word in found.unknown
            ]
            cells += [_cell(found)] * span if span < columns else [_cell(found), *[GridCell()] * (span - 1)]
        if len(cells) > columns or (len(cells) < columns and len(cells) > 1):
            unread.append(f"{file}:{item.line}: has {len(cells)} cells in a table of {columns}")
        raw.append(RawRow(cells, item.line, group))
    above = next((place for place, row in enumerate(raw) if _has_numbers(row)), len(raw))
    heads = [_head(raw[:above], place) for place in range(columns)]
    return grid_of(file, name, heads, _filled(raw[above:]), list(dict.fromkeys(unread)))


def _cell(text: Text) -> GridCell:
    return cell_of(text.words, text.is_bold)


def _has_numbers(row: RawRow) -> bool:
    return any(cell.number is not None for cell in row.cells[1:])


def _head(rows: list[RawRow], place: int) -> str:
    """The heads above a column, those of several columns first."""
    words = [row.cells[place].text for row in rows if place < len(row.cells) and len(row.cells) > 1]
    return " ".join(dict.fromkeys(word for word in words if word))


def _filled(rows: list[RawRow]) -> list[RawRow]:
    """Rows whose first cell is empty below one of several lines have that one's."""
    above, made = GridCell(), []
    for row in rows:
        cells = row.cells
        if cells and not cells[0].text and any(cell.text for cell in cells):
            cells = [above, *cells[1:]]
        above = cells[0] if cells else above
        made.append(RawRow(cells, row.line, row.group))
    return made


def _lines(body: str, line: int) -> list[_Line]:
    """The body cut at its line ends and `&` outside of braces, without rules."""
    lines: list[_Line] = []
    cells, text, depth, ruled, place, begun = [], "", 0, False, 0, line

    def close() -> None:
        nonlocal cells, text, ruled
        cells.append(text)
        if len(cells) > 1 or text.strip():
            lines.append(_Line([_span(cell) for cell in cells], ruled, begun))
            ruled = False
        cells, text = [], ""

    while place < len(body):
        sign = body[place]
        if not cells and not text.strip():
            begun = line + body.count("\n", 0, place)
        rule = rule_at(body, place) if depth == 0 and sign == "\\" else None
        if rule is not None:
            ruled, place = True, rule
            continue
        if body.startswith("\\\\", place) and depth == 0:
            close()
            place += 2
            skipped = re.match(r"\*?\s*\[[^\]]*\]", body[place:])
            place += skipped.end() if skipped else 0
            continue
        if sign == "\\":
            text += body[place : place + 2]
            place += 2
            continue
        depth += (sign == "{") - (sign == "}")
        if sign == "&" and depth == 0:
            cells.append(text)
            text = ""
        else:
            text += sign
        place += 1
    close()
    return lines


def _span(text: str) -> tuple[str, int]:
    match = _SPAN.match(text)
    if not match:
        return text, 1
    _, end = group_at(text, match.end() - 1)
    inside, after = group_at(text, end)
    return inside + text[after:], int(match[1])
