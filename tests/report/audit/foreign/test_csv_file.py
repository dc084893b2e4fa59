"""CSV files as tables."""

from pathlib import Path

import pytest

from repro.errors import ConfigError
from repro.report.audit.foreign.csv_file import read_csv
from tests.report.audit.foreign.made_grids import GAINS, grid, numbers


def test_heads_rows_and_lines() -> None:
    table = grid(GAINS)
    assert numbers(table) == {"mIoU": ["73.7", "76.2", "77.2", "78.0", "80.8"], "gain": ["2.5", "3.5", "4.3", "7.1"]}
    assert [row.line for row in table.rows] == [2, 3, 4, 5, 6]


@pytest.mark.parametrize("sign", [";", "\t", "|"])
def test_other_delimiters(sign: str) -> None:
    assert numbers(grid(GAINS.replace(",", sign))) == numbers(grid(GAINS))


def test_stars_are_bold() -> None:
    (row, other) = grid("m,x\na,**80.8**\nb,79.0\n").rows
    assert row.cells["x"].is_bold
    assert str(row.cells["x"].number) == "80.8"
    assert not other.cells["x"].is_bold


def test_a_quoted_line_end_keeps_the_lines_right() -> None:
    assert [row.line for row in grid('m,x\n"a,\nb",1.0\nc,2.0\n').rows] == [3, 4]


def test_a_line_of_another_length_is_said_with_its_line() -> None:
    table = grid("m,x\na,1.0,2.0\nb\nc,3.0\n")
    assert table.unread == ["made.csv:2: has 3 cells below 2 heads", "made.csv:3: has 1 cells below 2 heads"]


@pytest.mark.parametrize("text", ["", "m,x\n", 'm,x\n"a,1\n'])
def test_what_is_no_table_is_one_sentence(text: str) -> None:
    with pytest.raises(ConfigError, match=r"made\.csv (is no CSV|has no rows)"):
        read_csv(Path("made.csv"), text)
