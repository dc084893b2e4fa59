"""Scores against matrices worked by hand and against loops over pixels."""

import math
from fractions import Fraction

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from repro.metrics import SCORES, ConfusionMatrix, iou_percent, miou_percent, pixel_accuracy_percent

square_counts = st.integers(1, 6).flatmap(
    lambda size: hnp.arrays(np.int64, (size, size), elements=st.integers(0, 10**9) | st.just(0))
)


def test_golden_three_classes() -> None:
    # Unions: 50 + 52 - 46 = 56, 30 + 28 - 24 = 34, 20 + 20 - 15 = 25.
    matrix = np.array([[46, 2, 2], [3, 24, 3], [3, 2, 15]])
    assert iou_percent(matrix).tolist() == pytest.approx([100 * 46 / 56, 100 * 24 / 34, 60.0], rel=1e-15)
    assert miou_percent(matrix) == pytest.approx(
        float(Fraction(100, 3) * (Fraction(46, 56) + Fraction(24, 34) + Fraction(3, 5)))
    )
    assert pixel_accuracy_percent(matrix) == 85.0


def test_golden_perfect_and_all_wrong() -> None:
    assert iou_percent(np.diag([3, 1, 7])).tolist() == [100.0, 100.0, 100.0]
    assert (miou_percent(np.diag([3, 1, 7])), pixel_accuracy_percent(np.diag([3, 1, 7]))) == (100.0, 100.0)
    swapped = np.array([[0, 5], [5, 0]])
    assert (miou_percent(swapped), pixel_accuracy_percent(swapped)) == (0.0, 0.0)


def test_class_in_neither_truth_nor_prediction_is_left_out() -> None:
    matrix = np.array([[6, 0, 2], [0, 0, 0], [0, 0, 4]])
    scores = iou_percent(matrix)
    np.testing.assert_allclose(scores, [75.0, math.nan, 100 * 4 / 6])
    assert miou_percent(matrix) == pytest.approx((75 + 100 * 4 / 6) / 2)


@pytest.mark.parametrize("matrix", [[[5, 1], [0, 0]], [[5, 0], [1, 0]]])
def test_class_only_predicted_or_only_missed_counts_as_zero(matrix: list[list[int]]) -> None:
    assert iou_percent(np.array(matrix))[1] == 0.0
    assert miou_percent(np.array(matrix)) == pytest.approx(100 * 5 / 6 / 2)


def test_nothing_counted_has_no_score() -> None:
    empty = np.zeros((4, 4), dtype=np.int64)
    assert np.isnan(iou_percent(empty)).all()
    assert math.isnan(miou_percent(empty))
    assert math.isnan(pixel_accuracy_percent(empty))


def test_scores_equal_sets_of_pixels() -> None:
    generator = np.random.default_rng(3)
    truth, prediction = generator.integers(0, 4, (2, 40, 50), dtype=np.uint8)
    truth[generator.random(truth.shape) < 0.2] = 255
    confusion = ConfusionMatrix(4, ignore_index=255)
    confusion.update(torch.from_numpy(prediction), torch.from_numpy(truth))
    counted = truth != 255
    expected = []
    for number in range(4):
        true, predicted = (truth == number) & counted, (prediction == number) & counted
        expected.append(100 * (true & predicted).sum() / (true | predicted).sum())
    np.testing.assert_allclose(iou_percent(confusion.numpy()), expected, rtol=1e-14)
    assert miou_percent(confusion.numpy()) == pytest.approx(np.mean(expected))
    assert pixel_accuracy_percent(confusion.numpy()) == pytest.approx(100 * (truth == prediction)[counted].mean())


@given(square_counts, st.randoms(use_true_random=False))
def test_order_of_the_classes_does_not_matter(matrix: np.ndarray, random: object) -> None:
    order = list(range(len(matrix)))
    random.shuffle(order)  # type: ignore[attr-defined]
    permuted = matrix[np.ix_(order, order)]
    np.testing.assert_array_equal(iou_percent(permuted), iou_percent(matrix)[order])
    assert pixel_accuracy_percent(permuted) == pytest.approx(pixel_accuracy_percent(matrix), nan_ok=True)


@given(square_counts)
def test_ranges_symmetry_and_bounds(matrix: np.ndarray) -> None:
    scores = iou_percent(matrix)
    occurring = scores[~np.isnan(scores)]
    assert ((occurring >= 0) & (occurring <= 100)).all()
    np.testing.assert_array_equal(scores, iou_percent(matrix.T))
    absent = (matrix.sum(axis=0) == 0) & (matrix.sum(axis=1) == 0)
    np.testing.assert_array_equal(np.isnan(scores), absent)
    if len(occurring):
        assert occurring.min() - 1e-9 <= miou_percent(matrix) <= occurring.max() + 1e-9
        assert 0 <= pixel_accuracy_percent(matrix) <= 100


@given(square_counts, st.integers(2, 1000))
def test_scores_do_not_depend_on_the_unit_of_the_counts(matrix: np.ndarray, factor: int) -> None:
    np.testing.assert_allclose(iou_percent(matrix * factor), iou_percent(matrix), rtol=1e-12)


@pytest.mark.parametrize(
    ("matrix", "message"),
    [
        (np.zeros((2, 3), dtype=np.int64), r"square.*\(2, 3\)"),
        (np.zeros(4, dtype=np.int64), "square"),
        (np.full((2, 2), 0.5), "integer counts.*float64"),
        (np.array([[1, -1], [0, 1]]), "negative"),
    ],
)
def test_anything_but_a_square_of_counts_is_refused(matrix: np.ndarray, message: str) -> None:
    for score in (iou_percent, miou_percent, pixel_accuracy_percent):
        with pytest.raises(ValueError, match=message):
            score(matrix)


def test_every_score_of_a_record_is_a_function_of_the_matrix() -> None:
    matrix = np.array([[46, 2, 2], [3, 24, 3], [3, 2, 15]])
    found = {name: score(matrix) for name, score in SCORES.items()}
    assert found == {"miou_percent": miou_percent(matrix), "pixel_accuracy_percent": 85.0}
