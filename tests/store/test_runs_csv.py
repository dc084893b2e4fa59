"""runs.csv: what stands in it, that it survives a way there and back, and what is wrong in it."""

import csv
import dataclasses
import io
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from repro.store.runs_csv import COLUMNS, Recorded, read_runs, recorded, runs_csv
from tests.example_runs import example_record

ANY_TEXT = st.text(st.characters(blacklist_categories=("Cs", "Cc")), max_size=12).map(
    lambda text: " ".join(text.split())
)
SCORE = st.none() | st.floats(0, 100)


def line(**changes):
    return dataclasses.replace(recorded(example_record()), **changes)


def test_columns_of_a_record(shortened):
    record = shortened.record("Rates", 2, 71.25)
    found = recorded(record)
    assert found.evaluation_id == record.evaluation_id
    assert (found.scale, found.seed, found.head, found.dataset) == ("short", 2, "aspp", "shapes")
    assert (found.miou_percent, found.pixel_accuracy_percent) == (71.25, 90.0)
    assert (found.hardware, found.commit, found.dirty, found.torch) == ("A card", "c0ffee", False, "2.11.0")
    assert (found.split, found.images, found.batch_norm_samples, found.restarts) == ("val", 96, 4, 1)
    assert "head=aspp" in found.command
    assert "schedule.length=" in found.command


def test_a_record_that_tells_little_gives_a_line_all_the_same(tmp_path):
    found = recorded(example_record(provenance={}))
    assert (found.hardware, found.commit, found.dirty, found.images) == ("", "", None, None)
    (tmp_path / "runs.csv").write_text(runs_csv([found]))
    assert read_runs(tmp_path / "runs.csv") == ([found], [])


def test_there_and_back(tmp_path, shortened):
    lines = [recorded(shortened.record(row, seed, 70 + seed / 3)) for row in ("Plain", "Rates") for seed in (10, 2)]
    (tmp_path / "runs.csv").write_text(runs_csv(lines))
    found, problems = read_runs(tmp_path / "runs.csv")
    assert not problems
    assert sorted(found, key=repr) == sorted(lines, key=repr)
    assert [item.seed for item in found] == [2, 10, 2, 10]  # as numbers, not as text


@given(st.lists(st.tuples(ANY_TEXT, SCORE, st.dictionaries(ANY_TEXT, SCORE, max_size=3)), max_size=5))
def test_any_content_survives_and_the_order_of_lines_does_not_matter(tmp_path_factory, contents):
    lines = [
        line(evaluation_id=f"{place:016x}", command=text, miou_percent=score, per_class_iou_percent=classes)
        for place, (text, score, classes) in enumerate(contents)
    ]
    text = runs_csv(lines)
    assert runs_csv(reversed(lines)) == text
    path = tmp_path_factory.mktemp("csv") / "runs.csv"
    path.write_text(text, encoding="utf-8", newline="")
    assert read_runs(path) == (lines, [])


def test_no_file_is_an_empty_list(tmp_path):
    assert read_runs(tmp_path / "runs.csv") == ([], [])
    assert runs_csv([]) == ",".join(COLUMNS) + "\n"


def broken(tmp_path, column, value):
    rows = list(csv.reader(io.StringIO(runs_csv([line(), line(evaluation_id="b" * 16)]))))
    rows[2][COLUMNS.index(column)] = value
    stream = io.StringIO()
    csv.writer(stream, lineterminator="\n").writerows(rows)
    (tmp_path / "runs.csv").write_text(stream.getvalue())
    return read_runs(tmp_path / "runs.csv")


@pytest.mark.parametrize(
    ("column", "value", "words"),
    [
        ("miou_percent", "seventy", "miou_percent is 'seventy', which is no number"),
        ("miou_percent", "nan", "no number"),
        ("seed", "1.5", "seed is '1.5', which is no whole number"),
        ("per_class_iou_percent", '{"disc":', "no JSON object"),
        ("per_class_iou_percent", "[1]", "no JSON object"),
        ("per_class_iou_percent", '{"disc": "x"}', "no JSON object"),
        ("dirty", "perhaps", "dirty is 'perhaps', which is no true or false"),
        ("evaluation_id", "xyz", "no id of 16 hex digits"),
        ("evaluation_id", "00000000000000ee", "twice"),
    ],
)
def test_a_wrong_line_is_named_and_the_others_are_read(tmp_path, column, value, words):
    found, problems = broken(tmp_path, column, value)
    assert len(found) == 1
    (problem,) = problems
    assert problem.startswith(f"{tmp_path / 'runs.csv'}:3: ")
    assert words in problem


def test_a_line_of_too_few_fields_and_the_marks_of_a_merge(tmp_path):
    text = runs_csv([line()]) + "<<<<<<< HEAD\n"
    (tmp_path / "runs.csv").write_text(text)
    found, problems = read_runs(tmp_path / "runs.csv")
    assert len(found) == 1
    assert problems == [f"{tmp_path / 'runs.csv'}:3: the line has 1 fields, not {len(COLUMNS)}"]


def test_another_head_line_makes_the_file_unreadable(tmp_path):
    (tmp_path / "runs.csv").write_text("a,b\n1,2\n")
    found, problems = read_runs(tmp_path / "runs.csv")
    assert not found
    assert f"{tmp_path / 'runs.csv'}:1: the head line must be evaluation_id,run_id" in problems[0]


def test_a_file_that_is_no_text(tmp_path):
    (tmp_path / "runs.csv").write_bytes(b"\xff\xfe\x00")
    assert "cannot be read" in read_runs(tmp_path / "runs.csv")[1][0]


def test_every_column_has_a_plain_type():
    for value in dataclasses.astuple(line()):
        assert value is None or isinstance(value, (str, int, float, bool, dict))
        assert not isinstance(value, float) or math.isfinite(value)
    assert len(COLUMNS) == len(dataclasses.fields(Recorded))
