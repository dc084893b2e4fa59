"""A CSV file as a table: the first line has the heads, `**80.8**` is bold."""

import csv
from pathlib import Path

from repro.errors import ConfigError
from repro.report.audit.foreign.grid import Grid, GridCell, RawRow, cell_of, grid_of

DELIMITERS = ",;\t|"


def read_csv(file: Path, text: str) -> list[Grid]:
    """The one table of a file.

    Raises:
        ConfigError: it is no CSV, or holds no numbers.
    """
    first = text.partition("\n")[0]
    delimiter = max(DELIMITERS, key=first.count)
    unread: list[str] = []
    try:
        reader = csv.reader(text.splitlines(), delimiter=delimiter, strict=True)
        lines = [(reader.line_num, cells) for cells in reader if any(cell.strip() for cell in cells)]
    except csv.Error as error:
        raise ConfigError(f"{file} is no CSV: {error}") from error
    if len(lines) < 2:
        raise ConfigError(f"{file} has no rows below its line of heads")
    heads = [cell.strip() for cell in lines[0][1]]
    raw = []
    for line, cells in lines[1:]:
        if len(cells) != len(heads):
            unread.append(f"{file}:{line}: has {len(cells)} cells below {len(heads)} heads")
        raw.append(RawRow([_cell(cell) for cell in cells[: len(heads)]], line))
    return [grid_of(file, file.name, heads, raw, unread)]


def _cell(text: str) -> GridCell:
    text = text.strip()
    bold = len(text) > 4 and text.startswith("**") and text.endswith("**")
    return cell_of(text.strip("*") if bold else text, bold)
