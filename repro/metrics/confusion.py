"""The confusion matrix of a whole evaluation: int64 counts of (true class, predicted class)."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from repro.errors import DataError

Counts = npt.NDArray[np.int64]

_LABEL_VALUES = 256  # what a label can hold in 8 bits: classes, values that are an error, and the ignored pixels' one


class ConfusionMatrix:
    """Counts pixels by true class (row) and predicted class (column) over any number of images.

    Ignored pixels count nowhere, whatever is predicted there. Counts are int64, so that the order of the images
    and the split of a set over processes cannot change a score.

    Args:
        num_classes: Number of classes, at most `ignore_index`; truth and prediction hold 0 to `num_classes - 1`.
        ignore_index: Label of the pixels that are not counted, at most 255.
        device: Where pixels are counted; None counts where the prediction lies. The sums are on the CPU.

    Raises:
        ValueError: `num_classes` lies outside 1 to `ignore_index`.
    """

    def __init__(self, num_classes: int, *, ignore_index: int, device: torch.device | str | None = None) -> None:
        if not 1 <= num_classes <= ignore_index:
            raise ValueError(
                f"a confusion matrix of {num_classes} classes: 1 to {ignore_index} are possible with 8-bit labels"
            )
        self.ignore_index = ignore_index
        self.num_classes = num_classes
        self._device = device
        self._sums: Counts = np.zeros((num_classes, num_classes), dtype=np.int64)

    def numpy(self) -> Counts:
        """The counts so far, int64 [num_classes, num_classes], rows = truth; a copy."""
        return self._sums.copy()

    def update(self, prediction: Tensor, label: Tensor) -> Counts:
        """Adds the pixels of one image or batch, and returns their own counts, int64 [num_classes, num_classes].

        Args:
            prediction: Predicted classes, any integer type and shape, on any device.
            label: True classes of the same shape, `ignore_index` for ignored pixels; any integer type, on any device.

        Raises:
            ValueError: Shapes differ, a type is not an integer, or a prediction is outside the classes.
            DataError: A label is neither a class nor `ignore_index`.
        """
        if prediction.shape != label.shape:
            raise ValueError(
                f"prediction of shape {tuple(prediction.shape)} and label of shape {tuple(label.shape)} must match"
            )
        for name, tensor in (("prediction", prediction), ("label", label)):
            if tensor.is_floating_point() or tensor.is_complex() or tensor.dtype == torch.bool:
                raise ValueError(
                    f"{name} has type {tensor.dtype}; class indices must be integers (argmax of the scores)"
                )
        if prediction.numel() == 0:
            return np.zeros_like(self._sums)
        device = self._device or prediction.device
        counts = self._count(prediction.to(device), label.to(device))
        self._sums += counts
        return counts

    def merge(self, other: ConfusionMatrix) -> None:
        """Adds the counts of another matrix of as many classes, such as another process's share of the images.

        Raises:
            ValueError: The other matrix has another number of classes.
        """
        if other.num_classes != self.num_classes:
            raise ValueError(f"matrices of {self.num_classes} and {other.num_classes} classes cannot be merged")
        self._sums += other._sums

    def _count(self, prediction: Tensor, label: Tensor) -> Counts:
        low, high = _extent(prediction)
        if low < 0 or high >= self.num_classes:
            raise ValueError(f"predictions reach from {low} to {high}; the classes are 0 to {self.num_classes - 1}")
        if label.dtype != torch.uint8:
            low, high = _extent(label)
            if low < 0 or high >= _LABEL_VALUES:
                raise DataError(self._label_complaint(low if low < 0 else high))
        # No mask: ignored and faulty pixels get rows of their own, which costs less than picking out the valid ones.
        # On a CPU the narrowest index that fits halves the traffic, which is what the time goes into.
        bins = _LABEL_VALUES * self.num_classes
        index_type = torch.int16 if bins <= 1 << 15 and prediction.device.type == "cpu" else torch.int32
        index = torch.mul(label.to(index_type), self.num_classes).add_(prediction.to(index_type))
        counts = torch.bincount(index.flatten(), minlength=bins).view(_LABEL_VALUES, self.num_classes).cpu().numpy()
        faulty = counts[self.num_classes : self.ignore_index].any(axis=1)
        if faulty.any():
            raise DataError(self._label_complaint(self.num_classes + int(faulty.argmax())))
        valid: Counts = counts[: self.num_classes]
        return valid

    def _label_complaint(self, value: int) -> str:
        return (
            f"a label holds the value {value}; labels hold the classes 0 to {self.num_classes - 1}, and"
            f" {self.ignore_index} for ignored pixels. The data set has more classes than it declares, or its labels"
            " are not class indices"
        )


def _extent(tensor: Tensor) -> tuple[int, int]:
    if tensor.dtype == torch.uint8:
        return 0, int(tensor.max())
    low, high = torch.aminmax(tensor)
    return int(low), int(high)
