"""Records with one field altered: against their configurations, their matrices, and the lines made of them."""

import dataclasses
from dataclasses import replace

import pytest

from repro.report.audit.contradiction import OwnKind
from repro.report.audit.own import Origin, audit_record
from repro.report.audit.own_lines import Known
from repro.report.audit.own_records import line_contradictions, line_in_record
from repro.store.record import Names, Record, Scores
from repro.store.runs_csv import recorded
from tests.report.audit.made_lines import altered
from tests.report.made_runs import matrix_of, store

MIOU = 70.5


@pytest.fixture
def record(shortened):
    return shortened.record("Rates", 1, MIOU)


def told(record, matrix=None):
    found = audit_record(record, matrix, Origin("record.json"), Known())
    return {(item.about.column, item.about.kind) for item in found}


def with_provenance(record, **changes):
    return replace(record, provenance=record.provenance | changes)


ALTERATIONS = {
    "run_id": lambda r: replace(r, run_id="0" * 16),
    "evaluation_id": lambda r: replace(r, evaluation_id="0" * 16),
    "recipe": lambda r: replace(r, recipe=2),
    "created": lambda r: replace(r, created="today"),
    "seed": lambda r: replace(r, seed=0),
    "head": lambda r: replace(r, names=Names("resnet18", "vortex", "shapes", "shapes_200", "whole")),
    "miou_percent": lambda r: replace(r, scores=Scores(99.9, r.scores.pixel_accuracy_percent)),
    "pixel_accuracy_percent": lambda r: replace(r, scores=Scores(MIOU, 90.0)),
    "per_class_iou_percent": lambda r: replace(r, per_class_iou_percent=r.per_class_iou_percent | {"strip": 70.0}),
    "confusion_sha256": lambda r: replace(r, confusion_sha256="ab"),
    "config": lambda r: replace(r, config=r.config | {"precision": "bf16"}),
    "config.seed": lambda r: replace(r, config=r.config | {"seed": 9}),
    "evaluation_config": lambda r: replace(r, evaluation_config=r.evaluation_config | {"evaluation": {"flip": True}}),
    "split": lambda r: with_provenance(r, evaluated_split={"name": "test", "images": 96, "sha256": "ab" * 32}),
    "images": lambda r: with_provenance(r, evaluated_split={"name": "val", "images": 95, "sha256": "ab" * 32}),
    "split_sha256": lambda r: with_provenance(r, evaluated_split={"name": "val", "images": 96, "sha256": "ab"}),
    "command": lambda r: with_provenance(r, command=["python", "-m", "repro", "seed=4"]),
    "steps": lambda r: replace(r, steps=r.steps + 1),
    "wall_seconds": lambda r: replace(r, wall_seconds=-1.0),
    "gpu_seconds": lambda r: with_provenance(
        r, hardware={"processor": "A processor"}, training={"hardware": {"processor": "A processor"}}
    ),
    "parameters": lambda r: replace(r, parameters=0),
    "weights_sha256": lambda r: replace(r, weights_sha256="ab"),
}
COLUMN = {"config": "run_id", "config.seed": "seed", "evaluation_config": "evaluation_id", "command": "seed",
          "weights_sha256": "weights_digest"}  # fmt: skip


def test_an_unaltered_record_gives_nothing(record, as_printed):
    assert told(record, matrix_of(MIOU)) == set()
    assert told(as_printed.record("Plain", 0, 33.3), matrix_of(33.3)) == set()


@pytest.mark.parametrize("field", ALTERATIONS)
def test_an_altered_field_is_found(record, field):
    columns = {column for column, _ in told(ALTERATIONS[field](record), matrix_of(MIOU))}
    assert COLUMN.get(field, field) in columns


def test_every_field_of_a_record_is_altered():
    fields = {item.name for item in dataclasses.fields(Record)}
    free = {"scale"}  # of which the configuration keeps no trace; its command is held against the scale's own file
    free |= {"image_confusions_sha256"}  # which the store holds against the matrices
    nested = {"names": "head", "scores": "miou_percent", "provenance": "split"}
    assert {nested.get(name, name) for name in fields - free} <= ALTERATIONS.keys()


def test_scores_are_those_of_the_matrix(record):
    other = told(record, matrix_of(60.0))
    assert {column for column, kind in other if kind is OwnKind.MATRIX} == {
        "miou_percent", "pixel_accuracy_percent", "per_class_iou_percent",
    }  # fmt: skip
    assert told(record, matrix_of(MIOU)[:2, :2]) == {("per_class_iou_percent", OwnKind.MATRIX)}


def test_a_finding_has_its_line_in_the_record(record, tmp_path):
    wrong = replace(record, seed=0)
    path = store(tmp_path, wrong)
    rows = path.read_text().splitlines()
    (finding,) = audit_record(wrong, None, Origin(str(path), is_record=True), Known())
    assert rows[finding.line - 1] == ' "seed": 0,'
    assert str(finding) == f"{path}:{finding.line}: seed is 0, but its configuration says 1"
    assert '"evaluated_split"' in rows[line_in_record(path, "split_sha256") - 1]


def test_a_line_is_what_its_record_gives(record):
    line = recorded(record)
    assert line_contradictions(line, line, "x.json") == []
    (found,) = line_contradictions(altered(line, miou_percent=99.9), line, "x.json")
    assert (found.column, found.found, found.right) == ("miou_percent", 99.9, f"its record x.json says {MIOU}")


def test_a_record_of_another_time_and_an_older_line_contradict_nothing(record):
    line = recorded(record)
    repeated = altered(line, created="2026-02-02T03:04:05+00:00", miou_percent=71.0)
    assert line_contradictions(line, repeated, "x.json") == []
    assert line_contradictions(replace(line, determinism="", threads=None), line, "x.json") == []
