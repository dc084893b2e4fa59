"""What is a number, and what labels a row."""

import pytest

from repro.report.audit.foreign.grid import cell_of, number_of
from repro.report.printed import Rounded
from tests.report.audit.foreign.made_grids import grid, numbers


@pytest.mark.parametrize(
    ("text", "value", "decimals"),
    [("80.8", 80.8, 1), ("80.80", 80.8, 2), ("-0.3", -0.3, 1), ("−0.3", -0.3, 1), ("0.6 ↓", -0.6, 1), ("2.5 ↑", 2.5, 1),
     ("+1.2", 1.2, 1), ("76.2 ± 0.3", 76.2, 1), ("47.5M", 47.5, 1), ("65ms", 65.0, 0), ("12%", 12.0, 0), (".5", 0.5, 1),
     ("1,234", 1234.0, 0), ("0.50×", 0.5, 2), ("81.3†", 81.3, 1), ("80.8*", 80.8, 1)],
)  # fmt: skip
def test_a_number_with_its_unit_and_signs(text: str, value: float, decimals: int) -> None:
    assert number_of(text) == Rounded(value, decimals)


@pytest.mark.parametrize("text", ["ResNet-101", "", "-", "—", "N/A", "80,8", "1 2", "v2", "10k steps", "3x3", "80.8.1"])
def test_other_texts_are_none(text: str) -> None:
    assert number_of(text) is None


def test_columns_of_words_make_the_label_and_labels_are_distinct() -> None:
    table = grid("method,backbone,mIoU\na,R50,70.1\na,R101,72.0\na,R50,71.0\n")
    assert table.columns == ["mIoU"]
    assert [row.label for row in table.rows] == ["a / R50", "a / R101", "a / R50 (line 4)"]
    assert [row.line for row in table.rows] == [2, 3, 4]


def test_heads_are_distinct_and_never_empty() -> None:
    assert grid("m,,x,x\na,1.0,2.0,3.0\nb,1.0,2.0,3.0\n").columns == ["column 2", "x", "x (4)"]


def test_a_table_of_numbers_alone_is_labelled_by_its_first_column() -> None:
    table = grid("batch,mIoU\n4,64.4\n8,75.8\n")
    assert [row.label for row in table.rows] == ["4", "8"]


def test_a_number_in_brackets_is_a_column_of_its_own() -> None:
    table = grid("m,mIoU\nbase,70.0\na,71.6 (+1.6)\nb,72.0 (+2.0)\n")
    assert numbers(table) == {"mIoU": ["70.0", "71.6", "72.0"], "mIoU (in brackets)": ["1.6", "2.0"]}


def test_rows_without_a_number_are_none() -> None:
    assert [row.label for row in grid("m,x\nsection,\na,1.0\n").rows] == ["a"]
    assert cell_of("  two   words ").text == "two words"
