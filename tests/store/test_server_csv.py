"""server.csv as a person writes it: right lines are read, and what is wrong in one is said with its line."""

from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest

from repro.store.server_csv import COLUMNS, ServerScore, read_server_csv

HEAD = ",".join(COLUMNS)
LINE = "gald/table7,Ours (GALDv2),mIoU,83.30,2026-11-30,Cityscapes,0123456789abcdef"
SCORE = ServerScore(
    "gald/table7", "Ours (GALDv2)", "mIoU", Decimal("83.30"), date(2026, 11, 30), "Cityscapes", "0123456789abcdef"
)


def read(folder: Path, *lines: str):
    path = folder / "server.csv"
    path.write_text("\n".join([*lines, ""]), encoding="utf-8")
    return read_server_csv(path)


def test_no_file_holds_no_scores_and_a_folder_is_none(tmp_path: Path) -> None:
    found = read_server_csv(tmp_path / "server.csv")
    assert (found.lines, found.problems) == ({}, [])
    (problem,) = read_server_csv(tmp_path).problems
    assert "cannot be read" in problem


def test_a_score_keeps_the_decimals_of_the_server(tmp_path: Path) -> None:
    found = read(tmp_path, HEAD, LINE, LINE.replace("Ours (GALDv2)", '"Ours, ""best"""'))
    assert found.problems == []
    assert found.lines[2] == SCORE
    assert str(found.lines[2].score) == "83.30"
    assert found.lines[3].row == 'Ours, "best"'


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("83.30", "833", "score is '833', which is no percentage; it lies within 0 to 100"),
        ("83.30", "-0.1", "score is '-0.1', which is no percentage"),
        ("83.30", "nan", "score is 'nan', which is no percentage"),
        ("83.30", "", "score is '', which is no percentage"),
        ("2026-11-30", "2026-11-31", "date is '2026-11-31', which is no day such as 2026-11-30"),
        ("2026-11-30", "20261130", "date is '20261130', which is no day"),
        ("0123456789abcdef", "0123", "run_id is '0123', which is no id of 16 hex digits"),
        (",Cityscapes,", ", ,", "server is empty"),
        ("gald/table7,", ",", "table is empty"),
        (",Cityscapes,", ",", "the line has 6 fields, not 7"),
        ("gald/table7", '"gald/table7" x', "',' expected after '\"'"),
    ],
)
def test_a_mistake_is_a_sentence_with_file_and_line(tmp_path: Path, old: str, new: str, words: str) -> None:
    found = read(tmp_path, HEAD, LINE.replace(old, new))
    assert found.lines == {}
    assert found.problems == [problem for problem in found.problems if problem.startswith(f"{found.path}:2: {words}")]
    assert len(found.problems) == 1


def test_the_lines_beside_a_wrong_one_count(tmp_path: Path) -> None:
    found = read(tmp_path, HEAD, LINE.replace("83.30", "x"), LINE)
    assert found.lines == {3: SCORE}


def test_another_head_line_makes_the_file_unreadable(tmp_path: Path) -> None:
    found = read(tmp_path, HEAD.replace("score", "miou"), LINE)
    assert (found.lines, found.problems) == ({}, [f"{found.path}:1: the head line must be {HEAD}"])
