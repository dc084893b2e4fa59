"""Plain tabular as tables."""

from pathlib import Path

import pytest

from repro.errors import ConfigError
from repro.report.audit.foreign.latex_file import read_latex
from tests.places import REPOSITORY
from tests.report.audit.foreign.made_grids import latex, numbers

EXAMPLE = REPOSITORY / "examples" / "tables" / "ablation.tex"


def test_the_example_is_read_with_heads_of_two_lines_groups_and_bold() -> None:
    (table,) = read_latex(EXAMPLE, EXAMPLE.read_text())
    assert table.columns == ["val mIoU (%)", "val Acc. (%)", "Δ mIoU", "Params (M)"]
    assert numbers(table)["Δ mIoU"] == ["2.5", "3.5", "4.8", "7.1", "6.5"]
    assert [row.label for row in table.rows] == ["FCN", "+ PSP", "+ ASPP", "+ NL", "Ours", "Ours, w/o flip"]
    assert [row.line for row in table.rows] == [9, 10, 11, 12, 14, 15]
    assert len({row.group for row in table.rows}) == 2
    assert table.rows[4].cells["val mIoU (%)"].is_bold
    assert table.unread == []


def test_a_percent_sign_begins_a_comment_unless_escaped() -> None:
    table = latex("m & x (\\%) \\\\ \\hline\na & 1.0 % & 2.0\n\\\\\nb & 2.0 \\\\", "lc")
    assert numbers(table) == {"x (%)": ["1.0", "2.0"]}


def test_a_label_over_several_rows_goes_with_each() -> None:
    table = latex("m & n & x \\\\\n\\multirow{2}{*}{A} & p & 1.0 \\\\\n & q & 2.0 \\\\")
    assert [row.label for row in table.rows] == ["A / p", "A / q"]


def test_a_cell_over_several_columns_is_the_number_of_each_and_a_title_of_none() -> None:
    table = latex(
        "m & x & y \\\\\n\\multicolumn{3}{c}{without 1 thing} \\\\\n"
        "a & \\multicolumn{2}{c}{5.0} \\\\\nb & 1.0 & 2.0 \\\\"
    )
    assert numbers(table) == {"x": ["5.0", "1.0"], "y": ["5.0", "2.0"]}


def test_what_is_not_understood_is_said_with_its_line() -> None:
    table = latex("m & x & y \\\\\na & \\wow{1.0} & 2.0 \\\\\nb & 1.0 \\\\")
    assert table.unread == [
        "made.tex:3: \\wow is not understood; what stands in it is kept",
        "made.tex:4: has 2 cells in a table of 3",
    ]


def test_several_tables_of_a_file_have_names_of_their_own() -> None:
    text = EXAMPLE.read_text()
    found = read_latex(Path("made.tex"), text + text.replace("{tabular}{", "{tabularx}{\\linewidth}{").replace(
        "end{tabular}", "end{tabularx}"))  # fmt: skip
    assert [table.name for table in found] == ["made.tex table 1", "made.tex table 2"]
    assert numbers(found[0]) == numbers(found[1])
    assert found[1].rows[0].line == found[0].rows[0].line + text.count("\n")


@pytest.mark.parametrize(
    ("text", "words"),
    [("nothing", r"made\.tex has no \\begin"), ("\n\\begin{tabular}{l}\na", r"made\.tex:2: this tabular has no \\end")],
)
def test_what_is_no_table_is_one_sentence(text: str, words: str) -> None:
    with pytest.raises(ConfigError, match=words):
        read_latex(Path("made.tex"), text)
