"""Notes on cited rows, as paper.yaml has them."""

from pathlib import Path

import pytest

from repro.papers import load_papers
from repro.papers.cited import CitedNote
from tests.composed import papers

PAPER = """\
title: Made
authors: A
year: 2020
venue: nowhere
cited:
"""
TABLE = """\
title: Made
kind: comparison
evaluated_on: Somewhere val
columns:
  mIoU: {metric: miou}
rows:
  - {label: "X [1]", kind: cited, cells: {mIoU: 50.0}}
"""


def problems_of(folder: Path, note: str) -> list[str]:
    (folder / "made").mkdir()
    (folder / "made" / "paper.yaml").write_text(f"{PAPER}{note}")
    (folder / "made" / "table1.yaml").write_text(TABLE)
    return [problem.message for problem in load_papers([folder]).problems]


def test_a_note_has_its_table_row_and_facts() -> None:
    notes = papers().papers["vortex"].cited
    assert notes[0] == CitedNote("table2", settings={"COCO": "with"}, place="Table 2, caption", line=notes[0].line)
    (twin,) = [note for note in notes if note.row.startswith("DeepLab v3")]
    assert twin.same_as == ("deeplabv3/table6", "OS=8 + MS + Flip + COCO")


def test_a_right_note_is_no_problem(tmp_path: Path) -> None:
    assert problems_of(tmp_path, '  - {at: "table1: X [1]", place: here, settings: {COCO: with}}\n') == []


@pytest.mark.parametrize(
    ("note", "words"),
    [
        ("  - {at: table2, place: here}\n", "there is no table made/table2"),
        ('  - {at: "table1: Y", place: here}\n', "made/table1 has no row Y"),
        ('  - {at: table1, place: here, same_as: "made/table1: X [2]"}\n', "did you mean X [1]?"),
        ("  - {at: table1}\n", "lacks the key place"),
        ("  - {at: table1, place: here, setings: {}}\n", "did you mean settings?"),
        ("  - table1\n", "must be a mapping"),
        ("  table1\n", "cited must be a list"),
    ],
)
def test_a_wrong_note_is_a_problem_of_one_sentence(tmp_path: Path, note: str, words: str) -> None:
    (problem,) = problems_of(tmp_path, note)
    assert words in problem
