"""Tests of the loaders: the batch of a step depends on the seed and the step, and on nothing else."""

import random

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from repro.data.loaders import evaluation_loader, steps_per_epoch, training_loader
from repro.data.transforms import Augmentation
from repro.errors import DataError
from tests.data.numbered import Numbered, batches, same

pytestmark = [
    pytest.mark.filterwarnings("ignore:This DataLoader will create:UserWarning"),  # on machines with few cores
    pytest.mark.filterwarnings("ignore:This process .* is multi-threaded:DeprecationWarning"),  # Python 3.12 and 3.13
]


def test_shapes_and_memory_format() -> None:
    loader = training_loader(Numbered(9), Augmentation(), seed=0, batch_size=4, total_steps=5)
    assert len(loader) == 5
    for image, label in loader:
        assert (image.shape, image.dtype) == ((4, 3, 10, 12), torch.uint8)
        assert image.is_contiguous(memory_format=torch.channels_last)
        assert (label.shape, label.dtype) == ((4, 10, 12), torch.uint8)


@given(length=st.integers(1, 40), batch_size=st.integers(1, 9), seed=st.integers(0, 99))
@settings(max_examples=40, deadline=None)
def test_each_epoch_visits_every_image_at_most_once(length: int, batch_size: int, seed: int) -> None:
    if length < batch_size:
        return
    per_epoch = steps_per_epoch(length, batch_size)
    loader = training_loader(
        Numbered(length), Augmentation(), seed=seed, batch_size=batch_size, total_steps=2 * per_epoch
    )
    order = [label[:, 0, 0].tolist() for _, label in loader]
    for epoch in (order[:per_epoch], order[per_epoch:]):
        visited = [index for batch in epoch for index in batch]
        assert len(visited) == len(set(visited)) == per_epoch * batch_size


def test_epochs_and_seeds_differ() -> None:
    def order(seed: int, steps: int) -> list[int]:
        loader = training_loader(Numbered(40), Augmentation(), seed=seed, batch_size=40, total_steps=steps)
        return [int(index) for _, label in loader for index in label[:, 0, 0]]

    first, second = order(0, 2)[:40], order(0, 2)[40:]
    assert sorted(first) == sorted(second) == list(range(40))
    assert first != second
    assert first != order(1, 1)
    assert first == order(0, 1)


@given(first_step=st.integers(0, 13))
@settings(max_examples=14, deadline=None)
def test_resumed_batches_are_those_of_the_whole_run(first_step: int) -> None:
    assert same(batches(first_step=first_step), batches()[first_step:])


def test_a_longer_run_begins_with_the_shorter_one() -> None:
    assert same(batches(total_steps=20)[:13], batches())


@pytest.mark.parametrize("workers", [1, 3])
def test_number_of_workers_changes_nothing(workers: int) -> None:
    assert same(batches(workers=workers), batches())
    assert same(batches(workers=workers, prefetch=5, first_step=6), batches()[6:])


def test_augmentation_differs_between_items_and_epochs() -> None:
    """A data set of one image, many times over: every place in every epoch is augmented differently."""
    images = [image for batch, _ in batches(Numbered(1), batch_size=1, total_steps=30) for image in batch]
    assert len({image.numpy().tobytes() for image in images}) > 15


def test_can_be_iterated_again_from_the_start() -> None:
    loader = training_loader(Numbered(18), Augmentation(), seed=0, batch_size=4, total_steps=6)
    assert same(list(loader), list(loader))


@pytest.mark.parametrize("workers", [0, 2])
def test_global_generators_are_untouched(workers: int) -> None:
    torch.manual_seed(1)
    np.random.seed(1)
    random.seed(1)
    batches(workers=workers)
    list(evaluation_loader(Numbered(3), workers=workers))
    drawn = float(torch.rand(())), float(np.random.rand()), random.random()
    torch.manual_seed(1)
    np.random.seed(1)
    random.seed(1)
    assert drawn == (float(torch.rand(())), float(np.random.rand()), random.random())


@given(seed=st.integers(0, 2**31), noise=st.integers(0, 2**31))
@settings(max_examples=10, deadline=None)
def test_global_generators_have_no_say(seed: int, noise: int) -> None:
    expected = batches(seed=seed, total_steps=3)
    torch.manual_seed(noise)
    np.random.seed(noise)
    assert same(batches(seed=seed, total_steps=3), expected)


@pytest.mark.parametrize("workers", [0, 2])
def test_evaluation_goes_in_order_at_native_size(workers: int) -> None:
    loader = evaluation_loader(Numbered(7, uneven=True), workers=workers)
    assert len(loader) == 7
    items = list(loader)
    assert [index for index, _, _ in items] == list(range(7))
    assert [int(label[0, 0]) for _, _, label in items] == list(range(7))
    assert [image.shape[-1] for _, image, _ in items] == [12, 13, 12, 13, 12, 13, 12]


@pytest.mark.parametrize("workers", [0, 2])
def test_a_damaged_file_is_one_sentence(workers: int) -> None:
    with pytest.raises(DataError) as error:
        batches(Numbered(18, damaged=5), workers=workers)
    assert str(error.value) == "image file item5.jpg is damaged"
    seen = []
    with pytest.raises(DataError) as error:
        seen.extend(index for index, _, _ in evaluation_loader(Numbered(9, damaged=5), workers=workers))
    assert str(error.value) == "image file item5.jpg is damaged"
    assert seen == [0, 1, 2, 3, 4]


def test_several_sizes_without_a_crop_are_explained() -> None:
    loader = training_loader(Numbered(8, uneven=True), Augmentation(), seed=0, batch_size=8, total_steps=1)
    with pytest.raises(DataError, match=r"image 'item\d' is 1[23]x10 pixels.*set schedule.augmentation.crop_size"):
        list(loader)


def test_too_few_images_are_refused_at_once() -> None:
    with pytest.raises(DataError, match="holds 3 images, fewer than one batch of 4"):
        training_loader(Numbered(3), Augmentation(), seed=0, batch_size=4, total_steps=1)


def test_processes_that_share_a_batch_have_its_items_between_them_and_read_no_others() -> None:
    whole = batches(total_steps=6)
    parts = [batches(total_steps=6, share=share) for share in (range(2), range(2, 3), range(3, 4))]
    for number, (image, label) in enumerate(whole):
        assert torch.equal(torch.cat([part[number][0] for part in parts]), image)
        assert torch.equal(torch.cat([part[number][1] for part in parts]), label)


def test_some_items_of_an_evaluation_keep_their_index() -> None:
    assert [index for index, _, _ in evaluation_loader(Numbered(9), [1, 4, 8])] == [1, 4, 8]
