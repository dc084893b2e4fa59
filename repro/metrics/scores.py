"""Scores in percent as pure functions of a confusion matrix [C, C], int64 pixel counts, rows = truth."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

Matrix = npt.NDArray[np.integer]


def iou_percent(matrix: Matrix) -> npt.NDArray[np.float64]:
    """Intersection over union of every class, in percent, [C].

    A class that occurs in neither truth nor prediction has no IoU: NaN. A class that is only predicted, or only missed,
    scores 0. Defined over the whole set: the counts of all images are summed first (PASCAL VOC development kit).

    Raises:
        ValueError: The matrix is not a square of counts.
    """
    counts = _checked(matrix)
    intersection = np.diagonal(counts)
    union = counts.sum(axis=1) + counts.sum(axis=0) - intersection
    scores = np.full(len(counts), np.nan)
    np.divide(100.0 * intersection, union, out=scores, where=union > 0)
    return scores


def miou_percent(matrix: Matrix) -> float:
    """Mean IoU in percent, over the classes that occur in truth or prediction.

    The rule for absent classes: a class in neither is left out of the mean instead of counting as 0 or 1; on a full
    evaluation set every class occurs and the rule has no effect. NaN if nothing was counted.

    Raises:
        ValueError: The matrix is not a square of counts.
    """
    scores = iou_percent(matrix)
    occurring = scores[~np.isnan(scores)]
    return float(occurring.mean()) if len(occurring) else float("nan")


def pixel_accuracy_percent(matrix: Matrix) -> float:
    """Share of counted pixels whose class is predicted right, in percent; NaN if nothing was counted.

    Raises:
        ValueError: The matrix is not a square of counts.
    """
    counts = _checked(matrix)
    total = int(counts.sum())
    return 100.0 * int(np.trace(counts)) / total if total else float("nan")


SCORES = {"miou_percent": miou_percent, "pixel_accuracy_percent": pixel_accuracy_percent}
"""Name of each score in a record to the function of the confusion matrix that it is."""


def _checked(matrix: Matrix) -> npt.NDArray[np.int64]:
    if matrix.ndim != 2 or matrix.shape[0] != matrix.shape[1]:
        raise ValueError(f"a confusion matrix is square, this one has the shape {matrix.shape}")
    if not np.issubdtype(matrix.dtype, np.integer):
        raise ValueError(f"a confusion matrix holds integer counts, this one holds {matrix.dtype}")
    if (matrix < 0).any():
        raise ValueError("a confusion matrix holds counts, this one has negative entries")
    return matrix.astype(np.int64, copy=False)
