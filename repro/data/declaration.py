"""What a data set declares and gives, checked: names and colours of its classes, its ids, and every item."""

from __future__ import annotations

import inspect
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import Tensor

from repro.errors import DataError

if TYPE_CHECKING:
    from repro.data.spec import SegmentationDataset

IGNORE = 255
"""Label of pixels that count neither in the loss nor in a score."""


def check_declaration(dataset: SegmentationDataset) -> None:
    """Refuses a data set whose class leaves out something that every data set must have.

    Raises:
        DataError: names the class, its file, and what is missing or wrong.
    """
    place = class_and_file(type(dataset))
    for attribute in ("name", "class_names", "palette"):
        if not hasattr(dataset, attribute):
            raise DataError(f"{place} sets no {attribute}; a data set has name, class_names and palette")
    names, palette = dataset.class_names, dataset.palette
    if not isinstance(names, (tuple, list)) or not all(isinstance(name, str) for name in names):
        raise DataError(f'{place}: class_names is {names!r}; it must be a tuple of texts, such as ("road", "car")')
    if not 0 < len(set(names)) == len(names) <= IGNORE:
        raise DataError(f"{place}: class_names has {len(names)} names; there must be 1 to {IGNORE}, each of them once")
    if len(palette) != len(names):
        raise DataError(f"{place}: palette has {len(palette)} colours for {len(names)} class_names; one each is needed")
    for name, colour in zip(names, palette, strict=True):
        if len(colour) != 3 or not all(isinstance(part, int) and 0 <= part <= 255 for part in colour):
            raise DataError(f"{place}: the colour of {name} in palette is {colour!r}; it must be three of 0 to 255")
    if not hasattr(dataset, "ids") or not hasattr(dataset, "split"):
        raise DataError(f"{place}: its constructor must call super().__init__(split, ids), with one text per image")


def fault_of(item: Any, num_classes: int) -> str:
    """What is wrong with an item, which must be image uint8 [3, H, W] and label uint8 [H, W] of the classes and 255.

    Args:
        item: What `load` gave.
        num_classes: Number of classes.

    Returns:
        A clause that says which part is what, and what it must be; empty if all is right.
    """
    if not isinstance(item, (tuple, list)) or len(item) != 2:
        return f"load gave {_kind(item)}; it must give two tensors, image and label"
    image, label = item
    if not _is_bytes(image, 3) or image.shape[0] != 3:
        return f"the image is {_kind(image)}; it must be a tensor uint8 [3, height, width]"
    if not _is_bytes(label, 2):
        return f"the label is {_kind(label)}; it must be a tensor uint8 [height, width]"
    if image.shape[1:] != label.shape:
        sizes = [f"{tensor.shape[-1]}x{tensor.shape[-2]}" for tensor in (image, label)]
        return f"the image is {sizes[0]} pixels (width x height), its label {sizes[1]}; they must be of one size"
    found = value_outside(label, num_classes)
    if found is None:
        return ""
    value, row, column = found
    return (
        f"the label holds the value {value} at row {row}, column {column}; it may hold the classes 0 to "
        f"{num_classes - 1} of class_names and {IGNORE} for ignored pixels"
    )


def value_outside(label: Tensor, num_classes: int) -> tuple[int, int, int] | None:
    """The first value of a label, uint8 [H, W], that is no class and not 255, with row and column; None if all are."""
    values = label.numpy()
    # In 8 bits 255 + 1 is 0, so that one comparison with the largest value judges both ranges.
    if int((values + np.uint8(1)).max(initial=0)) <= num_classes:
        return None
    row, column = np.argwhere((values >= num_classes) & (values != IGNORE))[0]
    return int(values[row, column]), int(row), int(column)


def class_and_file(cls: type) -> str:
    """A class with the file that it stands in."""
    try:
        file = inspect.getfile(cls)
    except (OSError, TypeError):
        file = "a file that is not known"
    return f"{cls.__module__}.{cls.__qualname__} ({file})"


def _is_bytes(value: Any, dimensions: int) -> bool:
    return isinstance(value, Tensor) and value.dtype == torch.uint8 and value.dim() == dimensions


def _kind(value: Any) -> str:
    if isinstance(value, Tensor):
        return f"{str(value.dtype).removeprefix('torch.')} {list(value.shape)}"
    return f"a {type(value).__name__}" + (f" of {len(value)}" if isinstance(value, (tuple, list)) else "")
