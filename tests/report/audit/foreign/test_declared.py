"""The file of relations."""

from pathlib import Path

import pytest

from repro.papers import SpecError
from repro.report.audit.foreign.declared import read_rules
from repro.report.audit.foreign.rules import ABOVE, Difference, Mean, Rules
from tests.report.audit.foreign.made_grids import GAINS, grid

TABLE = grid(GAINS)


def read(folder: Path, text: str) -> Rules:
    file = folder / "relations.yaml"
    file.write_text(text)
    return read_rules(file, [TABLE])


def test_every_kind_of_entry(tmp_path: Path) -> None:
    found = read(tmp_path, """\
differences:
  - {column: gain, of: mIoU, to: base}
  - {column: gain, of: mIoU, to: the row above}
  - {row: one, of: two, minus: base}
means:
  - {row: base, of: others}
  - {column: mIoU, of: [gain]}
best:
  - {column: mIoU, is: highest}
  - {column: gain, is: lowest}
same:
  - [base @ mIoU, one @ mIoU]
""")  # fmt: skip
    assert found.rules == (
        Difference("gain", "mIoU", to="base"),
        Difference("gain", "mIoU", to=ABOVE),
        Difference("one", "two", minus="base", by_row=True),
        Mean("base", ("one", "two", "three", "four"), by_row=True),
        Mean("mIoU", ("gain",)),
    )
    assert found.best == (("mIoU", True), ("gain", False))
    assert found.same == ((("base", "mIoU"), ("one", "mIoU")),)


@pytest.mark.parametrize(
    ("text", "line", "words"),
    [
        ("diferences: []\n", 1, "did you mean differences?"),
        ("differences:\n  - {column: gian, of: mIoU, to: base}\n", 2, "the table has no gian; did you mean gain?"),
        ("differences:\n  - {column: gain, of: mIoU, to: bas}\n", 2, "did you mean base?"),
        ("differences:\n  - {column: gain, of: mIoU}\n", 2, "needs one of minus: another column, or to: a row"),
        ("differences:\n  - {of: mIoU, to: base}\n", 2, "needs column or row"),
        ("differences:\n  - gain\n", 1, "must be a mapping"),
        ("differences: gain\n", 1, "must be a list"),
        ("means:\n  - {column: mIoU, of: [gains]}\n", 2, "did you mean gain?"),
        ("best:\n  - {column: mIoU, is: largest}\n", 2, "must be highest or lowest"),
        ("same:\n  - [base]\n", 1, "each as row @ column"),
        ("same:\n  - [bass @ mIoU, one @ mIoU]\n", 1, "did you mean base?"),
        ("- a\n", 1, "must be a mapping"),
    ],
)
def test_a_mistake_is_one_sentence_with_its_line(tmp_path: Path, text: str, line: int, words: str) -> None:
    with pytest.raises(SpecError) as mistake:
        read(tmp_path, text)
    assert words in str(mistake.value)
    assert mistake.value.line == line
