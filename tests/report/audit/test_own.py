"""One field altered at a time: what another one constrains is found at its line; what is unaltered gives nothing."""

import math
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from repro.report.audit.own import audit_lines, audit_together, origins
from repro.store.runs_csv import COLUMNS, runs_csv
from repro.store.runs_file import RunsFile, read_runs
from tests.report.audit.made_lines import KNOWN, altered, lines

FREE = {
    "hardware": "nothing else in a line says on what it ran",
    "torch": "nothing else says with what",
    "dirty": "nothing else says whether a commit holds the code",
    "unknown_images": "nothing else says whose weights it started from",
}
"""Columns that no other one constrains; what differs in them between the cells of a table is a footnote."""

FIRST = lines()[0]
CLASSES = FIRST.per_class_iou_percent
HEX = "0123456789abcdef" * 4
ALTERATIONS = [
    ("scale", "camvid"), ("scale", "smoke"), ("seed", 1), ("seed", -1), ("recipe", 2), ("recipe", 0),
    ("created", "yesterday"), ("created", "2026-11-30T15:24:28"), ("created", "2026-11-30T15:24:28+02:00"),
    ("backbone", "resnet50"), ("head", "vortex"), ("dataset", "camvid"), ("schedule", "shapes_200"),
    ("evaluation", "whole"), ("miou_percent", 99.9), ("miou_percent", 177.9), ("miou_percent", -1.0),
    ("miou_percent", FIRST.scores.miou_percent + 1e-6), ("miou_percent", None), ("pixel_accuracy_percent", 99.9),
    ("pixel_accuracy_percent", 40.0), ("pixel_accuracy_percent", 100.5), ("pixel_accuracy_percent", None),
    ("per_class_iou_percent", CLASSES | {"wire": 28.0}), ("per_class_iou_percent", CLASSES | {"wire": None}),
    ("per_class_iou_percent", CLASSES | {"wire": 101.0}), ("per_class_iou_percent", dict.fromkeys(CLASSES)),
    ("per_class_iou_percent", {f"{name}s": value for name, value in CLASSES.items()}),
    ("steps", 201), ("steps", 199), ("steps", 0), ("steps", -1), ("wall_seconds", -0.5), ("gpu_seconds", -1.0),
    ("parameters", 0), ("parameters", FIRST.parameters + 1), ("batch_norm_samples", 16), ("restarts", -1),
    ("split", "train"), ("images", 95), ("images", 0), ("split_sha256", HEX), ("split_sha256", "3b46"),
    ("commit", "a release"), ("command", "rm -rf runs"), ("command", "python -m repro 'head"),
    ("command", FIRST.command.replace("seed=0", "seed=1")), ("command", FIRST.command.replace("aspp", "fcn")),
    ("command", FIRST.command.replace("200 steps", "300 steps")),
    ("command", FIRST.command.replace("dataset.size=160", "dataset.size=192")),
    ("confusion_sha256", "7a84"), ("confusion_sha256", lines()[1].confusion_sha256), ("measured_trained", 97),
    ("measured_trained", -1), ("measured_selecting", 97), ("selecting_trained", -1), ("science_code", "newer"),
    ("weights_digest", "db04"), ("start_digest", HEX), ("determinism", "strict"), ("threads", 0),
    ("processes", 0),
]  # fmt: skip
SCORES = {"miou_percent", "pixel_accuracy_percent", "per_class_iou_percent", "confusion_sha256"}
"""Columns that constrain each other: a finding in one of them names the others too."""


def file_of(found):
    numbers = {line.evaluation_id: number for number, line in enumerate(found, 2)}
    return RunsFile(Path("runs.csv"), {line.evaluation_id: line for line in found}, numbers)


def found_in(file: RunsFile):
    return [*audit_lines(file, KNOWN), *audit_together(file.lines, origins(file))]


def test_an_unaltered_file_gives_nothing(tmp_path):
    (tmp_path / "runs.csv").write_text(runs_csv(lines()))
    file = read_runs(tmp_path / "runs.csv")
    assert len(file.lines) == len(lines())
    assert file.problems == file.repairs == []
    assert found_in(file) == []


@pytest.mark.parametrize(("column", "value"), ALTERATIONS, ids=lambda value: str(value)[:30])
def test_an_altered_field_is_found_at_its_line(column, value):
    wrong = altered(FIRST, **{column: value})
    findings = found_in(file_of([*lines()[1:4], wrong, *lines()[4:]]))
    blamed = {(item.line, item.evaluation_id) for item in findings}
    assert (5, wrong.evaluation_id) in blamed
    assert len(blamed) == (2 if value == lines()[1].confusion_sha256 else 1)  # of two that share one, either may be it
    told = {item.about.column for item in findings}
    assert column == "command" or column in told | (SCORES if told & SCORES else set())
    for item in findings:
        assert str(item).startswith(f"runs.csv:{item.line}: {item.about.column} is ")


def test_every_column_is_altered_or_free():
    composed = {"evaluation_id", "run_id"}  # which only a composition gives away: see test_own_commands
    assert {column for column, _ in ALTERATIONS} | composed | FREE.keys() == set(COLUMNS)


@settings(deadline=None, max_examples=40)
@given(
    st.integers(0, len(lines()) - 1),
    st.sampled_from(["miou_percent", *CLASSES]),
    st.floats(-100, 100).filter(lambda change: abs(change) > 1e-6),
)
def test_no_score_can_be_moved_alone(place, name, change):
    line = lines()[place]
    if name in CLASSES:
        classes = line.per_class_iou_percent
        columns = {"per_class_iou_percent": classes | {name: classes[name] + change}}
    else:
        columns = {name: line.scores.miou_percent + change}
    assert {item.line for item in audit_lines(file_of([altered(line, **columns)]), KNOWN)} == {2}


def test_the_sentence_says_what_stands_there_and_what_would_be_right():
    mean = math.fsum(CLASSES.values()) / 8
    scores, seed = map(str, audit_lines(file_of([altered(FIRST, miou_percent=99.9, seed=1)]), KNOWN))
    assert scores == f"runs.csv:2: miou_percent is 99.9, but the mean of its 8 classes is {mean}"
    assert seed == "runs.csv:2: seed is 1, but its command means 0"
