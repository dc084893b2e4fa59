"""A training split in which images of chosen classes come more than once."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from torch import Tensor

from repro.data.spec import SegmentationDataset
from repro.errors import ConfigError, hint

_VALUES_OF_A_LABEL = 256


class Oversampled(SegmentationDataset):
    """A split whose images that hold at least one pixel of some classes come `times` times in every epoch.

    Behind the items of the split, in their order, stand the oversampled ones again, `times` - 1 times over.
    Augmentation draws by the place in the epoch's list, so that an image and its repetitions are scaled, cropped and
    flipped apart.

    The masks of the whole split are read once, here.

    Source: DeepLabv3, section 4.3 ("bootstrapping"): images with hard classes are duplicated. How often is not said.

    Args:
        dataset: The training split.
        classes: Names of the classes.
        times: How often an image of theirs comes.
        advance: Called after each mask, for a bar.

    Attributes:
        repeated: Number of images that come more than once.

    Raises:
        ConfigError: A class that the data set does not have, no class at all, or `times` below 2.
        DataError: A mask that cannot be used.
    """

    def __init__(
        self,
        dataset: SegmentationDataset,
        classes: Sequence[str],
        times: int,
        *,
        advance: Callable[[], object] = lambda: None,
    ) -> None:
        wanted = _mask_values(dataset, classes)
        if not isinstance(times, int) or times < 2:
            raise ConfigError(
                f"dataset.duplicate_times is {times!r}; it must be a whole number of at least 2, or"
                " dataset.duplicate null"
            )
        chosen = []
        for index in range(len(dataset)):
            if wanted[dataset.label(index).numpy()].any():
                chosen.append(index)
            advance()
        self.name, self.split = dataset.name, dataset.split
        self.class_names, self.palette = dataset.class_names, dataset.palette
        self.repeated = len(chosen)
        self._dataset = dataset
        self._items = (*range(len(dataset)), *chosen * (times - 1))
        self.ids = tuple(dataset.ids[item] for item in self._items)

    def load(self, index: int) -> tuple[Tensor, Tensor]:
        """Reads one item; see `SegmentationDataset`."""
        return self._dataset[self._items[index]]

    def load_label(self, index: int) -> Tensor:
        """Reads the label of one item; see `SegmentationDataset`."""
        return self._dataset.label(self._items[index])


def _mask_values(dataset: SegmentationDataset, classes: Sequence[str]) -> np.ndarray:
    """Whether each value of a label, [256], is one of the classes."""
    if isinstance(classes, str) or not classes:
        raise ConfigError(
            f"dataset.duplicate is {classes!r}; it must be a list of class names, such as"
            f" [{dataset.class_names[-1]}], or null"
        )
    values = np.zeros(_VALUES_OF_A_LABEL, dtype=bool)
    for name in classes:
        if name not in dataset.class_names:
            right = hint(name, dataset.class_names)
            raise ConfigError(f"dataset.duplicate names {name!r}, which is no class of {dataset.name}{right}")
        values[dataset.class_names.index(name)] = True
    return values
