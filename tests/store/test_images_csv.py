"""images.csv comes back as written, in one order and one form, and what is wrong in it is said."""

import dataclasses
from pathlib import Path

import pytest

from repro.store.images_csv import COLUMNS, OverImages, confusions_sha256, images_csv, read_images_csv, rounded

ONE, OTHER, THIRD = ("a" * 16,), ("b" * 16, "c" * 16), ("d" * 16,)
LINE = OverImages(ONE, OTHER, "miou_percent", 1.25, -0.5, 3.0, 1449, 2000, 0, "ab" * 32)
SINGLE = dataclasses.replace(LINE, second=THIRD, low=None, high=None, images=1, resamples=0)


def test_lines_come_back_in_one_order(tmp_path: Path) -> None:
    path = tmp_path / "images.csv"
    text = images_csv([SINGLE, LINE])
    assert text == images_csv([LINE, SINGLE])
    assert (
        text.splitlines()[1] == f"{ONE[0]},{' '.join(OTHER)},miou_percent,1.2500,-0.5000,3.0000,1449,2000,0,{'ab' * 32}"
    )
    assert "\r" not in text
    path.write_text(text, encoding="utf-8", newline="")
    lines, problems = read_images_csv(path)
    assert (list(lines.values()), problems) == ([LINE, SINGLE], [])
    assert lines[LINE.key] == LINE


def test_no_file_holds_no_lines_and_a_folder_is_none(tmp_path: Path) -> None:
    assert read_images_csv(tmp_path / "images.csv") == ({}, [])
    lines, (problem,) = read_images_csv(tmp_path)
    assert not lines
    assert "cannot be read" in problem


@pytest.mark.parametrize(
    ("column", "value", "words"),
    [
        ("first", "abc", "first is 'abc'; these are ids of 16 hex digits"),
        ("second", "", "second is ''; these are ids"),
        ("difference", "much", "difference is 'much', which is no difference"),
        ("difference", "nan", "difference is 'nan', which is no difference"),
        ("high", "101", "high is '101', which is no difference"),
        ("low", "3.5", "'3.5' to '3.0000' is no interval"),
        ("low", "", "'' to '3.0000' is no interval"),
        ("images", "-1", "images is '-1', which is no whole number"),
        ("confusions_sha256", "ab", "confusions_sha256 is 'ab', which is no sha256"),
        ("seed", "0,1", "the line has 11 fields, not 10"),
    ],
)
def test_a_wrong_line_is_named_and_the_others_are_read(tmp_path: Path, column: str, value: str, words: str) -> None:
    path = tmp_path / "images.csv"
    head, first, second = images_csv([LINE, SINGLE]).splitlines()
    fields = first.split(",")
    fields[COLUMNS.index(column)] = value
    path.write_text("\n".join([head, ",".join(fields), second, ""]), encoding="utf-8")
    lines, (problem,) = read_images_csv(path)
    assert list(lines.values()) == [SINGLE]
    assert problem.startswith(f"{path}:2: {words}")


def test_a_difference_that_is_there_twice_and_another_head_are_named(tmp_path: Path) -> None:
    path = tmp_path / "images.csv"
    path.write_text(images_csv([LINE, dataclasses.replace(LINE, seed=1)]), encoding="utf-8")
    lines, (problem,) = read_images_csv(path)
    assert len(lines) == 1
    assert problem == f"{path}:3: the same difference is there twice"
    path.write_text("first,second\n", encoding="utf-8")
    lines, (problem,) = read_images_csv(path)
    assert not lines
    assert "images.csv:1: the head line must be first,second,score" in problem
    path.write_text(images_csv([LINE]) + '"', encoding="utf-8")
    assert read_images_csv(path)[1] == [f"{path}:3: unexpected end of data"]


def test_a_number_reads_as_it_was_computed() -> None:
    assert rounded(1.23456) == 1.2346
    assert str(rounded(-0.00001)) == "0.0"


def test_the_digest_tells_sides_apart() -> None:
    digests = {confusions_sha256(["a", "b"], ["c"]), confusions_sha256(["a"], ["b", "c"]),
               confusions_sha256(["b", "a"], ["c"]), confusions_sha256(["c"], ["a", "b"])}  # fmt: skip
    assert len(digests) == 4
