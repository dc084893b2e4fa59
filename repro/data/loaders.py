"""Loaders whose order and content depend on the seed and the step only, never on workers or on a resume."""

from collections.abc import Iterator, Sequence
from typing import Any, Generic, NamedTuple, TypeVar

import torch
from torch import Tensor
from torch.utils.data import DataLoader, Dataset

from repro.data.spec import SegmentationDataset
from repro.data.transforms import Augmentation
from repro.data.workers import signals_held_back, worker_settings
from repro.errors import DataError, ReproError
from repro.seeding import numpy_generator

Batch = tuple[Tensor, Tensor]
IndexedItem = tuple[int, Tensor, Tensor]
Delivered = TypeVar("Delivered")


class _Place(NamedTuple):
    """Where an item stands: epoch, position in that epoch's list, and item of the data set."""

    epoch: int
    position: int
    item: int


def steps_per_epoch(dataset_length: int, batch_size: int) -> int:
    """Number of full batches in an epoch; the images of a last, partial batch are left out.

    Raises:
        DataError: Not even one full batch.
    """
    if dataset_length < batch_size:
        raise DataError(
            f"the training split holds {dataset_length} images, fewer than one batch of {batch_size};"
            f" choose schedule.batch_size={dataset_length} or less"
        )
    return dataset_length // batch_size


def training_loader(
    dataset: SegmentationDataset,
    augmentation: Augmentation,
    *,
    seed: int,
    batch_size: int,
    share: range | None = None,
    first_step: int = 0,
    total_steps: int,
    workers: int = 0,
    prefetch: int = 2,
    pin_memory: bool = False,
    start_method: str | None = None,
) -> "Loader[Batch]":
    """One augmented batch for each step from `first_step` to `total_steps - 1`.

    Each epoch goes through its own permutation, drawn from (seed, "order", epoch); each item is augmented from (seed,
    "augmentation", epoch, position in that permutation). The batch of a step is therefore the same with any number of
    workers, any start method and any first step, and no global random generator is read or moved.

    Args:
        dataset: The training split.
        augmentation: What is done to each item; without a crop all images must have one size.
        seed: The run's seed.
        batch_size: Items in a batch.
        share: The places in each batch of the items that are delivered; None: all. Nothing else is read.
        first_step: First step to deliver; more than 0 when a run is resumed.
        total_steps: Step to stop before.
        workers: Processes that prepare batches, one thread each; 0 prepares them in this process.
        prefetch: Batches that each worker prepares ahead.
        pin_memory: Copy batches to page-locked memory, from where they reach a GPU faster; without a GPU no effect.
        start_method: "fork", "forkserver" or "spawn"; None is Python's default on this system.

    Returns:
        An iterable, with a length, of image uint8 [B, 3, H, W] in channels_last format and label uint8 [B, H, W].

    Raises:
        DataError: Fewer images than one batch; while iterating, a file that cannot be used, or images of several sizes.
    """
    steps_per_epoch(len(dataset), batch_size)
    plan = _StepPlan(len(dataset), seed, batch_size, share or range(batch_size), range(first_step, total_steps))
    loader: DataLoader[Any] = DataLoader(
        _Augmented(dataset, augmentation, seed),
        batch_sampler=plan,
        collate_fn=_as_it_is,
        pin_memory=pin_memory and torch.cuda.is_available(),
        **worker_settings(workers, prefetch, start_method),
    )
    return Loader(loader)


def evaluation_loader(
    dataset: SegmentationDataset,
    indices: Sequence[int] | None = None,
    *,
    workers: int = 0,
    prefetch: int = 2,
    start_method: str | None = None,
) -> "Loader[IndexedItem]":
    """The items of a split one by one, in order and as they are.

    Args:
        dataset: The split to evaluate.
        indices: Which items; None: all.
        workers: Processes that read ahead, one thread each; 0 reads in this process.
        prefetch: Items that each worker reads ahead.
        start_method: "fork", "forkserver" or "spawn"; None is Python's default on this system.

    Returns:
        An iterable, with a length, of (index, image uint8 [3, H, W], label uint8 [H, W]).

    Raises:
        DataError: While iterating, a file that cannot be used.
    """
    loader: DataLoader[Any] = DataLoader(
        _Indexed(dataset),
        batch_size=None,
        sampler=range(len(dataset)) if indices is None else indices,
        collate_fn=_as_it_is,
        **worker_settings(workers, prefetch, start_method),
    )
    return Loader(loader)


class Loader(Generic[Delivered]):
    """An iterable of known length over what a torch `DataLoader` delivers; each iteration starts at the beginning.

    A `DataError` met in a worker is raised here as the sentence it is, not wrapped in the worker's traceback.
    """

    def __init__(self, loader: "DataLoader[Any]") -> None:
        self._loader = loader

    def __len__(self) -> int:
        return len(self._loader)

    def __iter__(self) -> Iterator[Delivered]:
        try:
            with signals_held_back():
                items = iter(self._loader)
            for item in items:
                if isinstance(item, ReproError):
                    raise item
                # Page-locking turns tuples into lists.
                yield tuple(item)  # type: ignore[misc]
        except RuntimeError as error:
            if "DataLoader worker" not in str(error):
                raise
            raise DataError(
                f"a loader worker was killed, most often for lack of memory; start again with fewer workers ({error})"
            ) from error


class _StepPlan:
    """The places of each step's batch: the batch sampler of the training loader."""

    def __init__(self, length: int, seed: int, batch_size: int, share: range, steps: range) -> None:
        self._length, self._seed, self._batch_size = length, seed, batch_size
        self._share, self._steps = share, steps

    def __len__(self) -> int:
        return len(self._steps)

    def __iter__(self) -> Iterator[list[_Place]]:
        per_epoch = steps_per_epoch(self._length, self._batch_size)
        order: list[int] = []
        drawn_for = -1
        for step in self._steps:
            epoch, batch = divmod(step, per_epoch)
            if epoch != drawn_for:
                order = numpy_generator(self._seed, "order", epoch).permutation(self._length).tolist()
                drawn_for = epoch
            positions = (batch * self._batch_size + place for place in self._share)
            yield [_Place(epoch, position, order[position]) for position in positions]


class _Augmented(Dataset[Any]):
    """Turns places into an augmented batch, or into the error that prevents it."""

    def __init__(self, dataset: SegmentationDataset, augmentation: Augmentation, seed: int) -> None:
        self._dataset, self._augmentation, self._seed = dataset, augmentation, seed

    def __getitems__(self, places: Sequence[_Place]) -> Batch | ReproError:
        try:
            return self._batch(places)
        except ReproError as error:
            return error

    def _batch(self, places: Sequence[_Place]) -> Batch:
        images: Tensor | None = None
        labels: Tensor | None = None
        for number, place in enumerate(places):
            generator = numpy_generator(self._seed, "augmentation", place.epoch, place.position)
            image, label = self._augmentation(*self._dataset[place.item], generator)
            if images is None or labels is None:
                height, width = label.shape
                images = torch.empty((len(places), height, width, 3), dtype=torch.uint8).permute(0, 3, 1, 2)
                labels = torch.empty((len(places), height, width), dtype=torch.uint8)
            if label.shape != labels.shape[1:]:
                raise DataError(
                    f"image {self._dataset.ids[place.item]!r} is {label.shape[1]}x{label.shape[0]} pixels (width x"
                    f" height), another of its batch {labels.shape[2]}x{labels.shape[1]}; images of several sizes need"
                    " a crop: set schedule.augmentation.crop_size"
                )
            images[number], labels[number] = image, label
        assert images is not None
        assert labels is not None
        return images, labels


class _Indexed(Dataset[Any]):
    """Items with their index, or the error that prevents one."""

    def __init__(self, dataset: SegmentationDataset) -> None:
        self._dataset = dataset

    def __getitem__(self, index: int) -> IndexedItem | ReproError:
        try:
            return (index, *self._dataset[index])
        except ReproError as error:
            return error


def _as_it_is(batch: Any) -> Any:
    return batch
