"""What is done again because it was asked for; a whole one is in tests/flows/test_own_code.py."""

import dataclasses

import pytest

from repro.run.repetition import compared, restarts, told
from repro.store.journal import Journal
from repro.store.outputs import Outputs
from repro.store.record import Scores
from tests.example_runs import example_record


def test_without_a_record_before_nothing_is_compared():
    assert compared(None, example_record()) is None


@pytest.mark.parametrize(
    ("weights", "words"),
    [("a", "repeated: the same weights, the same prediction"), ("b", "repeated: other weights, the same prediction")],
)
def test_equal_matrices_are_the_same_to_the_last_pixel(weights, words):
    before = example_record(weights_sha256="a")
    assert told(compared(before, dataclasses.replace(before, weights_sha256=weights))).startswith(words)


def test_a_difference_is_told_in_points_with_that_of_the_class_that_moved_furthest():
    before = example_record(scores=Scores(70.0, 90.0), per_class_iou_percent={"a": 70.0, "b": 70.0, "c": None})
    after = dataclasses.replace(
        before, scores=Scores(70.5, 90.0), per_class_iou_percent={"a": 68.0, "b": 73.0, "c": 1.0}, confusion_sha256="x"
    )
    found = compared(before, after)
    assert found["differences"] == {"miou_percent": 0.5, "pixel_accuracy_percent": 0.0}
    assert found["largest_of_a_class"] == {"b": 3.0}
    assert told(found) == f"repeated: mIoU +0.5 points, b +3 against the record of {before.created}"


@pytest.mark.parametrize(
    ("events", "expected"),
    [
        (["started"], 0),
        (["started", "resumed", "resumed"], 2),
        (["started", "resumed", "repeated", "resumed"], 0),
        (["started", "repeated", "resumed", "resumed"], 1),
    ],
)
def test_a_training_begun_anew_is_no_restart(tmp_path, events, expected):
    folder = Outputs(tmp_path).run("a" * 16)
    with Journal(folder.journal_path) as journal:
        for kind in events:
            journal.event(kind, what="run")
    assert restarts(folder) == expected
