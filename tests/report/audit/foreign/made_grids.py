"""Small tables for the audit of somebody else's."""

from pathlib import Path

from repro.report.audit.foreign.csv_file import read_csv
from repro.report.audit.foreign.grid import Grid
from repro.report.audit.foreign.latex_file import read_latex

GAINS = """\
method,mIoU,gain
base,73.7,
one,76.2,2.5
two,77.2,3.5
three,78.0,4.3
four,80.8,7.1
"""


def grid(text: str) -> Grid:
    """The table of a CSV text."""
    return read_csv(Path("made.csv"), text)[0]


def latex(body: str, spec: str = "lcc") -> Grid:
    """The table of the lines of a tabular."""
    text = f"\\begin{{tabular}}{{{spec}}}\n{body}\n\\end{{tabular}}\n"
    return read_latex(Path("made.tex"), text)[0]


def numbers(table: Grid) -> dict[str, list[str]]:
    """The numbers of every column, as printed."""
    return {column: [str(number) for _, number in table.numbers(column)] for column in table.columns}
