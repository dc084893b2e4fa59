"""What every data set of the harness is: uint8 images and labels of one split, under ids that are checked."""

import hashlib
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeVar

from torch import Tensor
from torch.utils.data import Dataset

from repro.data.declaration import IGNORE as IGNORE
from repro.data.declaration import class_and_file, fault_of, fault_of_label, first_repeated
from repro.errors import DataError, ReproError, is_ours, told

IMAGENET_MEAN = (0.485, 0.456, 0.406)
"""Mean of the ImageNet training images, RGB, in units of full scale (1.0 = 255)."""

IMAGENET_STD = (0.229, 0.224, 0.225)
"""Standard deviation of the ImageNet training images, RGB, in units of full scale."""

PAD_COLOUR = (124, 116, 104)
"""The ImageNet mean as an 8-bit colour: what a small image is padded with, nearly zero after normalisation."""

Colour = tuple[int, int, int]
Loaded = TypeVar("Loaded")


class SegmentationDataset(Dataset[tuple[Tensor, Tensor]], ABC):
    """One split of a semantic segmentation data set, at its native size and in its native order.

    A subclass sets `name`, `class_names` and `palette`, finds the ids of the split, hands them to this constructor and
    implements `load`. Item `index` is `(image, label)`: uint8 RGB [3, H, W] and uint8 [H, W], where 255 is ignored.
    Labels stay uint8 (an eighth of int64 through workers and resizes); the engine widens them on the device.

    Args:
        split: Name of the split, for messages and records.
        ids: One id per item, in the order of the items.
        split_sha256: Expected hash of the ids per split (see `split_sha256`); a split without one is not checked.

    Raises:
        DataError: The ids are empty, repeat, or do not have the expected hash.
    """

    name: str
    class_names: tuple[str, ...]
    palette: tuple[Colour, ...]

    def __init__(self, split: str, ids: Sequence[str], *, split_sha256: Mapping[str, str | None] | None = None) -> None:
        self.split = split
        self.ids: Sequence[str] = tuple(ids)
        if not all(isinstance(name, str) for name in self.ids):
            wrong = next(name for name in self.ids if not isinstance(name, str))
            raise DataError(f"split {split!r} of data set {self.name!r} has the id {wrong!r}; ids must be texts")
        if not self.ids:
            raise DataError(f"split {split!r} of data set {self.name!r} has no images")
        if (repeated := first_repeated(self.ids)) is not None:
            raise DataError(f"split {split!r} of data set {self.name!r} lists {repeated!r} more than once")
        expected = (split_sha256 or {}).get(split)
        if expected is not None and expected != self.split_sha256():
            raise DataError(
                f"split {split!r} of data set {self.name!r} is not the one declared: its {len(self.ids)} ids have the"
                f" sha256 {self.split_sha256()}, the configuration expects {expected}. Restore the list, or, for"
                f" another split on purpose, set dataset.split_sha256.{split}"
            )

    @property
    def num_classes(self) -> int:
        """Number of classes; labels are 0 to `num_classes - 1`, or 255."""
        return len(self.class_names)

    def split_sha256(self) -> str:
        """The sha256 of the ids, in order, joined by newlines: two splits with this hash hold the same images."""
        return hashlib.sha256("\n".join(self.ids).encode()).hexdigest()

    def __len__(self) -> int:
        return len(self.ids)

    def __getitem__(self, index: int) -> tuple[Tensor, Tensor]:
        if not -len(self) <= index < len(self):
            raise IndexError(f"split {self.split!r} of {self.name!r} has {len(self)} images and no index {index}")
        return self._checked(self.load, fault_of, index % len(self))

    def label(self, index: int) -> Tensor:
        """The label of one item, `0 <= index < len(self)`, without its image where the class can read it alone.

        Raises:
            DataError: The label cannot be read, or is not what a label must be.
        """
        return self._checked(self.load_label, fault_of_label, index)

    def _checked(self, load: Callable[[int], Loaded], fault_of: Callable[[Any, int], str], index: int) -> Loaded:
        try:
            loaded = load(index)
        except ReproError:
            raise
        except Exception as error:
            if is_ours(type(self)):
                raise
            raise DataError(f"{self._place(index)} cannot be loaded: {told(error)}") from error
        if fault := fault_of(loaded, self.num_classes):
            raise DataError(f"{self._place(index)}: {fault}")
        return loaded

    def _place(self, index: int) -> str:
        return f"item {self.ids[index]!r} of split {self.split!r} of data set {class_and_file(type(self))}"

    @abstractmethod
    def load(self, index: int) -> tuple[Tensor, Tensor]:
        """Reads or draws one item, `0 <= index < len(self)`: image uint8 [3, H, W] and label uint8 [H, W]."""

    def load_label(self, index: int) -> Tensor:
        """The label of one item alone, as `load` gives it; a subclass whose labels are files reads no image for it."""
        return self[index][1]
