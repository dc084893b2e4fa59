"""A data set with a split that holds the images of two others, as those of the papers have."""

from torch import Tensor

from repro.data import SegmentationDataset, Shapes


class Joined(SegmentationDataset):
    """The built-in images, with `trainval`: those of `train` and `val` together."""

    name = "joined"
    class_names, palette = Shapes.class_names, Shapes.palette

    def __init__(self, split: str, **settings: object) -> None:
        names = {"trainval": ("train", "val")}.get(split, (split,))
        self._parts = [Shapes(name, **settings) for name in names]
        super().__init__(split, [name for part in self._parts for name in part.ids])

    def load(self, index: int) -> tuple[Tensor, Tensor]:
        """Draws one item; see `SegmentationDataset`."""
        for part in self._parts:
            if index < len(part):
                return part.load(index)
            index -= len(part)
        raise IndexError(index)
