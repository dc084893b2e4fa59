"""What a data set declares and gives, checked: names and colours of its classes, its ids, and every item."""

import inspect
from collections.abc import Iterable, Sequence
from typing import Any, Protocol

import numpy as np
import torch
from torch import Tensor

from repro.errors import DataError

IGNORE = 255
"""Label of pixels that count neither in the loss nor in a score."""


class Declared(Protocol):
    """What a data set says of itself."""

    name: str
    class_names: tuple[str, ...]
    palette: tuple[tuple[int, int, int], ...]


def check_declaration(dataset: Declared) -> None:
    """Refuses a data set whose class leaves out something that every data set must have.

    Raises:
        DataError: names the class, its file, and what is missing or wrong.
    """
    place = class_and_file(type(dataset))
    for attribute in ("name", "class_names", "palette"):
        if not hasattr(dataset, attribute):
            raise DataError(f"{place} sets no {attribute}; a data set has name, class_names and palette")
    names, palette = dataset.class_names, dataset.palette
    if not isinstance(dataset.name, str) or not dataset.name:
        raise DataError(f"{place}: name is {dataset.name!r}; it must be a text")
    if not isinstance(names, (tuple, list)) or not all(isinstance(name, str) for name in names):
        raise DataError(f'{place}: class_names is {names!r}; it must be a tuple of texts, such as ("road", "car")')
    if not 0 < len(set(names)) == len(names) <= IGNORE:
        raise DataError(f"{place}: class_names has {len(names)} names; there must be 1 to {IGNORE}, each of them once")
    if not isinstance(palette, (tuple, list)) or len(palette) != len(names):
        number = f"has {len(palette)} colours" if isinstance(palette, (tuple, list)) else f"is {palette!r}"
        raise DataError(f"{place}: palette {number} for {len(names)} class_names; one each is needed")
    for name, colour in zip(names, palette, strict=True):
        if not _is_colour(colour):
            raise DataError(f"{place}: the colour of {name} in palette is {colour!r}; it must be three of 0 to 255")
    ids = getattr(dataset, "ids", None)
    if not hasattr(dataset, "split") or not isinstance(ids, Sequence) or not all(isinstance(item, str) for item in ids):
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
        return f"the image is {_kind(image)}; it must be a tensor uint8 [3, height, width] on the CPU"
    if fault := fault_of_label(label, num_classes):
        return fault
    if image.shape[1:] != label.shape:
        sizes = [f"{tensor.shape[-1]}x{tensor.shape[-2]}" for tensor in (image, label)]
        return f"the image is {sizes[0]} pixels (width x height), its label {sizes[1]}; they must be of one size"
    return ""


def fault_of_label(label: Any, num_classes: int) -> str:
    """The same of a label alone, which must be uint8 [H, W] of the classes and 255."""
    if not _is_bytes(label, 2):
        return f"the label is {_kind(label)}; it must be a tensor uint8 [height, width] on the CPU"
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


def first_repeated(ids: Iterable[str]) -> str | None:
    """The first id that was there before; None if each is there once."""
    seen = set()
    for name in ids:
        if name in seen:
            return name
        seen.add(name)
    return None


def class_and_file(cls: type) -> str:
    """A class with the file that it stands in."""
    try:
        file = inspect.getfile(cls)
    except (OSError, TypeError):
        file = "a file that is not known"
    return f"{cls.__module__}.{cls.__qualname__} ({file})"


def _is_bytes(value: Any, dimensions: int) -> bool:
    right = isinstance(value, Tensor) and value.dtype == torch.uint8 and value.device.type == "cpu"
    return right and value.dim() == dimensions and value.numel() > 0


def _is_colour(value: Any) -> bool:
    three = isinstance(value, (tuple, list)) and len(value) == 3
    return three and all(isinstance(part, int) and 0 <= part <= 255 for part in value)


def _kind(value: Any) -> str:
    if isinstance(value, Tensor):
        place = "" if value.device.type == "cpu" else f" on {value.device}"
        return f"{str(value.dtype).removeprefix('torch.')} {list(value.shape)}{place}"
    return f"a {type(value).__name__}" + (f" of {len(value)}" if isinstance(value, (tuple, list)) else "")
