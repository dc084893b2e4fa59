"""runs.csv: what stands in its lines, and in which columns."""

import dataclasses
import hashlib
import math

from repro.store.record import Names, Scores
from repro.store.runs_csv import COLUMNS, different_fields, flat, recorded
from tests.example_runs import example_record

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
        "hardware": {"gpu": "A card", "processor": "A processor", "threads": 2},
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


def test_what_a_repetition_depends_on_are_columns():
    found = recorded(example_record(config={"determinism": "strict"}, provenance=MEASURED))
    assert (found.determinism, found.threads) == ("strict", 2)
    older = recorded(example_record())
    assert (older.determinism, older.threads) == ("", None)


def test_fields_of_names_and_scores_are_columns_in_their_place():
    assert tuple(flat(line())) == COLUMNS
    assert different_fields(line(), line(score=1.0, seed=4)) == ["seed", "miou_percent"]


def test_every_column_has_a_plain_type():
    values = [value for value in vars(line()).values() if not dataclasses.is_dataclass(value)]
    values += [*vars(line().names).values(), *vars(line().scores).values()]
    assert len(values) == len(COLUMNS) == len(set(COLUMNS))
    for value in values:
        assert value is None or isinstance(value, (str, int, float, bool, dict))
        assert not isinstance(value, float) or math.isfinite(value)


def test_the_largest_number_of_processes_of_any_start_counts():
    layouts = [None, {"processes": 1}, {"processes": 2}, {"processes": 1, "processes_at_starts": [1, 3, 1]}]
    trainings = [{"layout": layout} if layout else {} for layout in layouts]
    found = [recorded(example_record(provenance={**MEASURED, "training": training})) for training in trainings]
    assert [one.processes for one in found] == [None, 1, 2, 3]
