"""What every data set of the harness is, and how its files are read: uint8 images and labels, checked on the way."""

import hashlib
from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from torch import Tensor
from torch.utils.data import Dataset

from repro.data.declaration import IGNORE as IGNORE
from repro.data.declaration import class_and_file, fault_of, value_outside
from repro.errors import DataError, ReproError, first_line, is_ours, told

IMAGENET_MEAN = (0.485, 0.456, 0.406)
"""Mean of the ImageNet training images, RGB, in units of full scale (1.0 = 255)."""

IMAGENET_STD = (0.229, 0.224, 0.225)
"""Standard deviation of the ImageNet training images, RGB, in units of full scale."""

PAD_COLOUR = (124, 116, 104)
"""The ImageNet mean as an 8-bit colour: what a small image is padded with, nearly zero after normalisation."""

Colour = tuple[int, int, int]


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
        if len(set(self.ids)) != len(self.ids):
            repeated = next(name for name in self.ids if self.ids.count(name) > 1)
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
        item = index % len(self)
        try:
            loaded = self.load(item)
        except ReproError:
            raise
        except Exception as error:
            if is_ours(type(self)):
                raise
            raise DataError(f"{self._place(item)} cannot be loaded: {told(error)}") from error
        if fault := fault_of(loaded, self.num_classes):
            raise DataError(f"{self._place(item)}: {fault}")
        return loaded

    def _place(self, index: int) -> str:
        return f"item {self.ids[index]!r} of split {self.split!r} of data set {class_and_file(type(self))}"

    @abstractmethod
    def load(self, index: int) -> tuple[Tensor, Tensor]:
        """Reads or draws one item, `0 <= index < len(self)`: image uint8 [3, H, W] and label uint8 [H, W]."""

    def load_label(self, index: int) -> Tensor:
        """The label of one item alone, as `load` gives it; a subclass whose labels are files reads no image for it."""
        return self[index][1]


def read_image(path: str | Path) -> Tensor:
    """Reads a JPEG or PNG file as an RGB image, uint8 [3, H, W], in channels-last order in memory.

    Raises:
        DataError: The file is missing, empty, truncated or not an image; the message names it.
    """
    with _reading(path, "image"), Image.open(path) as image:
        # A copy, since the array that PIL lends is read-only, which torch warns about.
        pixels = np.array(image if image.mode == "RGB" else image.convert("RGB"))
    return torch.from_numpy(pixels).permute(2, 0, 1)


def read_index_mask(path: str | Path) -> Tensor:
    """Reads a PNG whose pixel values are class indices (palette or 8-bit grey), uint8 [H, W].

    Raises:
        DataError: The file is missing, damaged, or has another kind of pixel; the message names it.
    """
    with _reading(path, "mask"), Image.open(path) as mask:
        mode, indices = mask.mode, np.array(mask)
    if mode not in ("P", "L"):
        raise DataError(
            f"mask file {path} has pixels of kind {mode!r}; class indices in a palette or 8-bit grey PNG are expected"
        )
    return torch.from_numpy(indices)


def check_label(label: Tensor, num_classes: int, path: str | Path) -> None:
    """Refuses a label, uint8 [H, W], that holds anything but 0 to `num_classes - 1` and 255.

    Raises:
        DataError: Names the file, the value and where it lies first.
    """
    found = value_outside(label, num_classes)
    if found is not None:
        value, row, column = found
        raise DataError(
            f"mask file {path} holds the value {value} at row {row}, column {column}; it may hold the classes"
            f" 0 to {num_classes - 1} and {IGNORE} for ignored pixels"
        )


def check_same_size(image: Tensor, label: Tensor, image_path: str | Path, label_path: str | Path) -> None:
    """Refuses an image [3, H, W] and a label [H, W] of different sizes.

    Raises:
        DataError: Names both files and both sizes.
    """
    if image.shape[-2:] != label.shape[-2:]:
        sizes = [f"{tensor.shape[-1]}x{tensor.shape[-2]}" for tensor in (image, label)]
        raise DataError(
            f"image file {image_path} is {sizes[0]} pixels (width x height), its mask {label_path} is {sizes[1]};"
            " they must have the same size"
        )


@contextmanager
def _reading(path: str | Path, kind: str) -> Iterator[None]:
    try:
        yield
    except FileNotFoundError as error:
        raise DataError(f"{kind} file {path} is missing") from error
    # PIL reports damage under all of these names.
    except (OSError, SyntaxError, ValueError, EOFError, Image.DecompressionBombError) as error:
        raise DataError(
            f"{kind} file {path} cannot be read: it is damaged or not an image; restore it ({first_line(error)})"
        ) from error
