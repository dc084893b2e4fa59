"""Differences over images from run folders and from what is remembered, and when there is none."""

import dataclasses
from pathlib import Path

import numpy as np
import pytest

from repro.metrics import SCORES
from repro.report.judge.images import RESAMPLES, SEED, DifferencesOverImages, in_run_folders, told
from repro.store.images_csv import images_csv, read_images_csv
from repro.store.matrices import ImageConfusions, entries_of
from repro.store.outputs import Outputs
from repro.store.record import confusion_sha256
from repro.store.runs_csv import recorded
from tests.example_runs import example_record

IMAGES, CLASSES = 40, 3
SPLIT = {"name": "val", "images": IMAGES, "sha256": "cd" * 32}
GOOD, GOOD_TOO, BAD, OLD = (f"{number:016x}" for number in (1, 2, 3, 4))


def matrices(seed: int, right: float) -> np.ndarray:
    """One evaluation's matrices of the same images; `right` is how much of each class is found."""
    truth = np.random.default_rng(0).integers(10, 60, (IMAGES, CLASSES))
    wrong = (1 - right) / (CLASSES - 1)
    shares = np.full((CLASSES, CLASSES), wrong) + np.eye(CLASSES) * (right - wrong)
    return np.random.default_rng(seed).multinomial(truth, shares[None].repeat(IMAGES, 0))


class Study:
    """Run folders with a few evaluations of one split, and what is known of them."""

    def __init__(self, root: Path) -> None:
        self.outputs = Outputs(root)
        self.evaluations = {}
        self.matrices = {GOOD: matrices(1, 0.8), GOOD_TOO: matrices(2, 0.8), BAD: matrices(3, 0.6)}
        for evaluation_id, found in self.matrices.items():
            self.add(evaluation_id, found)

    def add(self, evaluation_id, found, **changes):
        images = ImageConfusions.of(CLASSES, [entries_of(matrix) for matrix in found])
        provenance = {"evaluated_split": {**SPLIT, "images": len(found)}}
        digests = {"confusion_sha256": confusion_sha256(images.total()), "image_confusions_sha256": images.sha256()}
        record = example_record(evaluation_id, evaluation_id, **({"provenance": provenance} | digests | changes))
        kept = images if record.image_confusions_sha256 else None
        path = self.outputs.run(evaluation_id).write_record(record, images.total(), kept)
        self.evaluations[evaluation_id] = recorded(record)
        return path

    def differences(self, remembered=None, *, folders=True):
        source = in_run_folders(self.outputs) if folders else None
        return DifferencesOverImages(self.evaluations, remembered or {}, source)


@pytest.fixture
def study(tmp_path):
    return Study(tmp_path / "outputs")


@pytest.mark.parametrize("score", SCORES)
def test_the_difference_is_that_of_the_scores_with_an_interval_around_it(study, score):
    line = study.differences().of([GOOD_TOO, GOOD], [BAD], score)
    one, too, bad = (SCORES[score](study.matrices[item].sum(0)) for item in (GOOD, GOOD_TOO, BAD))
    assert line.difference == pytest.approx((one + too) / 2 - bad, abs=1e-4)
    assert 0 < line.low < line.difference < line.high
    assert (line.first, line.second) == ((GOOD, GOOD_TOO), (BAD,))
    assert (line.images, line.resamples, line.seed) == (IMAGES, RESAMPLES, SEED)
    assert told(line) == f"{line.difference:+.1f} [{line.low:+.1f}, {line.high:+.1f}] over 40 images"


def test_a_report_without_run_folders_reads_what_one_with_them_has_written(study, tmp_path):
    made = study.differences()
    line = made.of([GOOD], [BAD])
    text = images_csv(made.lines(asked_alone=True))
    path = tmp_path / "images.csv"
    path.write_text(text, encoding="utf-8")
    remembered, problems = read_images_csv(path)
    assert problems == []
    for folders in (False, True):
        again = study.differences(remembered, folders=folders)
        assert again.of([GOOD], [BAD]) == line
        assert images_csv(again.lines(asked_alone=True)) == text


def test_what_is_not_remembered_needs_the_run_folders(study):
    assert study.differences(folders=False).of([GOOD], [BAD]) is None
    without = DifferencesOverImages(study.evaluations, {}, in_run_folders(Outputs(study.outputs.root / "elsewhere")))
    assert without.of([GOOD], [BAD]) is None
    assert without.problems == []


def test_lines_that_nobody_asks_for_stay_unless_the_report_is_whole(study):
    line = study.differences().of([GOOD], [GOOD_TOO])
    later = study.differences({line.key: line})
    asked = later.of([GOOD], [BAD])
    assert later.lines(asked_alone=False) == [line, asked]
    assert later.lines(asked_alone=True) == [asked]


def test_a_line_of_an_evaluation_that_was_made_again_counts_no_more(study):
    line = study.differences().of([GOOD], [BAD])
    study.add(BAD, matrices(4, 0.5))
    stale = study.differences({line.key: line}, folders=False)
    assert stale.of([GOOD], [BAD]) is None
    assert stale.lines(asked_alone=False) == []
    assert study.differences({line.key: line}).of([GOOD], [BAD]).difference > line.difference


def test_a_line_drawn_otherwise_is_drawn_anew_where_the_matrices_are(study):
    line = study.differences().of([GOOD], [BAD])
    fewer = dataclasses.replace(line, resamples=100, low=line.low - 1)
    assert study.differences({line.key: fewer}).of([GOOD], [BAD]) == line
    assert study.differences({line.key: fewer}, folders=False).of([GOOD], [BAD]) == fewer


@pytest.mark.parametrize(
    "changes",
    [
        {"provenance": {"evaluated_split": {**SPLIT, "sha256": "ef" * 32}}},
        {"provenance": {}},
        {"per_class_iou_percent": {"background": 1.0, "disc": 1.0, "another": 1.0}},
    ],
)
def test_evaluations_of_different_splits_or_classes_are_not_paired(study, changes):
    study.add(BAD, study.matrices[BAD], **changes)
    differences = study.differences()
    assert differences.of([GOOD], [BAD]) is None
    assert differences.problems == []


def test_there_is_none_of_older_records_unknown_evaluations_empty_sides_and_other_scores(study):
    study.add(OLD, matrices(5, 0.7), image_confusions_sha256=None)
    differences = study.differences()
    for first, second, score in (
        ([GOOD], [OLD], "miou_percent"), ([GOOD], ["f" * 16], "miou_percent"), ([], [GOOD], "miou_percent"),
        ([GOOD], [BAD], "parameters"),
    ):  # fmt: skip
        assert differences.of(first, second, score) is None
    assert differences.problems == []
    assert differences.lines(asked_alone=False) == []


def test_labels_that_are_not_the_same_are_a_problem(study):
    study.add(BAD, study.matrices[BAD][::-1])
    differences = study.differences()
    assert differences.of([GOOD], [BAD]) is None
    assert differences.of([GOOD], [BAD]) is None
    (problem,) = differences.problems
    assert problem.startswith(f"evaluations {GOOD} and {BAD}: the labels of image 1 of the split are not the same")


def test_damaged_matrices_are_named(study):
    path = study.add(BAD, study.matrices[BAD])
    path.with_suffix(".npz").write_bytes(b"")
    differences = study.differences()
    assert differences.of([GOOD], [BAD]) is None
    assert f"{BAD}.npz is damaged" in differences.problems[0]


def test_one_image_has_no_interval(study):
    for evaluation_id in (GOOD, BAD):
        study.add(evaluation_id, study.matrices[evaluation_id][:1])
    line = study.differences().of([GOOD], [BAD])
    assert (line.low, line.high, line.images) == (None, None, 1)
    assert told(line) == f"{line.difference:+.1f} over 1 image, without an interval"
    assert study.differences({line.key: line}).of([GOOD], [BAD]) == line


def test_a_difference_of_nothing_has_no_sign(study):
    line = dataclasses.replace(study.differences().of([GOOD], [BAD]), difference=-0.01, low=-2.0, high=0.04)
    assert told(line) == "0.0 [−2.0, 0.0] over 40 images"
