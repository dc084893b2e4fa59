"""Data sets whose items tell which they are, and the batches that a loader makes of them."""

import signal

import torch
from torch import Tensor
from torch.utils.data import get_worker_info

from repro.data.loaders import training_loader
from repro.data.spec import SegmentationDataset
from repro.data.transforms import Augmentation
from repro.errors import DataError

Batches = list[tuple[Tensor, Tensor]]


class Numbered(SegmentationDataset):
    """Items that carry their index in every pixel."""

    name = "numbered"
    class_names = tuple(map(str, range(100)))
    palette = tuple((value, value, value) for value in range(100))

    def __init__(self, length: int, *, damaged: int | None = None, uneven: bool = False) -> None:
        super().__init__("train", [f"item{index}" for index in range(length)])
        self.damaged, self.uneven = damaged, uneven

    def load(self, index: int) -> tuple[Tensor, Tensor]:
        if index == self.damaged:
            raise DataError(f"image file item{index}.jpg is damaged")
        columns = 12 + (index % 2 if self.uneven else 0)
        image = torch.arange(columns, dtype=torch.uint8).repeat(3, 10, 1)
        return image, torch.full((10, columns), index, dtype=torch.uint8)


class Witness(Numbered):
    """Items that tell about the process that read them."""

    def load(self, index: int) -> tuple[Tensor, Tensor]:
        info = get_worker_info()
        ignores_interrupts = signal.getsignal(signal.SIGINT) == signal.SIG_IGN
        facts = [0 if info is None else 1 + info.id, torch.get_num_threads(), int(ignores_interrupts)]
        return torch.zeros((3, 1, 3), dtype=torch.uint8), torch.tensor([facts], dtype=torch.uint8)


def batches(dataset: SegmentationDataset | None = None, **changes: object) -> Batches:
    """The batches of a training of 13 steps on 18 items, unless told otherwise."""
    arguments: dict[str, object] = {"seed": 3, "batch_size": 4, "total_steps": 13} | changes
    augmentation = Augmentation(8, (0.5, 2.0))
    return list(training_loader(dataset or Numbered(18), augmentation, **arguments))  # type: ignore[arg-type]


def same(one: Batches, other: Batches) -> bool:
    """Whether two trainings get the same pixels."""
    return len(one) == len(other) and all(
        torch.equal(a, b) for left, right in zip(one, other, strict=True) for a, b in zip(left, right, strict=True)
    )
