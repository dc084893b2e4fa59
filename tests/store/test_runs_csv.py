"""runs.csv: what stands in it, that it survives a way there and back, and what is wrong in it."""

import csv
import dataclasses
import hashlib
import io
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from repro.store.record import Names, Scores
from repro.store.runs_csv import COLUMNS, LATER_COLUMNS, read_runs, recorded, runs_csv
from tests.example_runs import example_record

ANY_TEXT = st.text(st.characters(blacklist_categories=("Cs", "Cc")), max_size=12).map(
    lambda text: " ".join(text.split())
)
SCORE = st.none() | st.floats(0, 100)


MEASURED = {
    "command": ["python", "-m", "repro", "head=aspp", "schedule.length=40 steps"],
    "evaluated_split": {"name": "val", "images": 96, "sha256": "ab" * 32},
    "images": {
        "measured_trained": 3,
        "measured_selecting": 2,
        "selecting_trained": 1,
        "unknown": ["file:ab", "run:cd"],
    },
    "restarts": 1,
    "training": {
        "batch_norm_samples": 4,
        "hardware": {"gpu": "A card", "processor": "A processor"},
        "versions": {"torch": "2.11.0"},
        "code": {"commit": "c0ffee", "dirty": False},
    },
}


def line(score=86.4, **changes):
    found = dataclasses.replace(recorded(example_record()), **changes)
    return dataclasses.replace(found, scores=dataclasses.replace(found.scores, miou_percent=score))


def measured(head, seed, score):
    """A record that tells everything."""
    return example_record(
        evaluation_id=hashlib.sha256(f"{head} {seed}".encode()).hexdigest()[:16], seed=seed, scale="short",
        names=Names("resnet18", head, "shapes", "shapes_200", "whole"), scores=Scores(score, 90.0), provenance=MEASURED,
    )  # fmt: skip


def test_columns_of_a_record():
    record = measured("aspp", 2, 71.25)
    found = recorded(record)
    assert found.evaluation_id == record.evaluation_id
    assert (found.scale, found.seed, found.names.head, found.names.dataset) == ("short", 2, "aspp", "shapes")
    assert (found.scores.miou_percent, found.scores.pixel_accuracy_percent) == (71.25, 90.0)
    assert (found.hardware, found.commit, found.dirty, found.torch) == ("A card", "c0ffee", False, "2.11.0")
    assert (found.split, found.images, found.batch_norm_samples, found.restarts) == ("val", 96, 4, 1)
    assert found.command == "python -m repro head=aspp 'schedule.length=40 steps'"
    assert (found.measured_trained, found.measured_selecting, found.selecting_trained) == (3, 2, 1)
    assert found.unknown_images == "file:ab run:cd"


def test_the_code_that_computed_and_the_weights_are_columns():
    code = {"commit": "c0ffee", "dirty": False, "science": "aa"}
    provenance = MEASURED | {"code": code, "training": MEASURED["training"] | {"code": code}, "start": {"sha256": "s"}}
    found = recorded(example_record(provenance=provenance, weights_sha256="w"))
    assert (found.science_code, found.weights_digest, found.start_digest) == ("aa", "w", "s")
    other = recorded(example_record(provenance=provenance | {"code": code | {"science": "bb"}}))
    assert (other.science_code, other.weights_digest) == ("aa bb", "")


def test_a_command_keeps_its_blanks(tmp_path):
    command = "python -m repro --config-dir 'my  conf' head=mine"
    (tmp_path / "runs.csv").write_text(runs_csv([line(command=command)]))
    assert read_runs(tmp_path / "runs.csv")[0][0].command == command


def test_a_record_that_tells_little_gives_a_line_all_the_same(tmp_path):
    found = recorded(example_record(provenance={}))
    assert (found.hardware, found.commit, found.dirty, found.images) == ("", "", None, None)
    (tmp_path / "runs.csv").write_text(runs_csv([found]))
    assert read_runs(tmp_path / "runs.csv") == ([found], [])


def test_there_and_back(tmp_path):
    lines = [recorded(measured(head, seed, 70 + seed / 3)) for head in ("vortex", "aspp") for seed in (10, 2)]
    (tmp_path / "runs.csv").write_text(runs_csv(lines))
    found, problems = read_runs(tmp_path / "runs.csv")
    assert not problems
    assert sorted(found, key=repr) == sorted(lines, key=repr)
    assert [(item.names.head, item.seed) for item in found] == [
        ("aspp", 2),
        ("aspp", 10),
        ("vortex", 2),
        ("vortex", 10),
    ]


@given(st.lists(st.tuples(ANY_TEXT, SCORE, st.dictionaries(ANY_TEXT, SCORE, max_size=3)), max_size=5))
def test_any_content_survives_and_the_order_of_lines_does_not_matter(tmp_path_factory, contents):
    lines = [
        line(score, evaluation_id=f"{place:016x}", command=text, per_class_iou_percent=classes)
        for place, (text, score, classes) in enumerate(contents)
    ]
    text = runs_csv(lines)
    assert runs_csv(reversed(lines)) == text
    path = tmp_path_factory.mktemp("csv") / "runs.csv"
    path.write_text(text, encoding="utf-8", newline="")
    assert read_runs(path) == (lines, [])


def test_a_file_from_before_images_were_counted_is_read(tmp_path):
    lines = [line(), line(evaluation_id="b" * 16)]
    rows = list(csv.reader(io.StringIO(runs_csv(lines))))
    known = [COLUMNS.index(name) for name in COLUMNS if name not in LATER_COLUMNS]
    stream = io.StringIO()
    csv.writer(stream, lineterminator="\n").writerows([row[place] for place in known] for row in rows)
    (tmp_path / "runs.csv").write_text(stream.getvalue())
    found, problems = read_runs(tmp_path / "runs.csv")
    assert problems == []
    assert [(item.measured_trained, item.unknown_images) for item in found] == [(None, "")] * 2


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
    values = [value for value in vars(line()).values() if not dataclasses.is_dataclass(value)]
    values += [*vars(line().names).values(), *vars(line().scores).values()]
    assert len(values) == len(COLUMNS) == len(set(COLUMNS))
    for value in values:
        assert value is None or isinstance(value, (str, int, float, bool, dict))
        assert not isinstance(value, float) or math.isfinite(value)
