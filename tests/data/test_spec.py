"""Tests of what all data sets share: splits, hashes, and errors that name the file."""

import hashlib

import pytest
import torch
from torch import Tensor

from repro.data.spec import IMAGENET_MEAN, PAD_COLOUR, SegmentationDataset
from repro.errors import DataError


class Toy(SegmentationDataset):
    name = "toy"
    class_names = ("ground", "figure")
    palette = ((0, 0, 0), (255, 255, 255))

    def load(self, index: int) -> tuple[Tensor, Tensor]:
        return torch.full((3, 2, 4), index, dtype=torch.uint8), torch.zeros((2, 4), dtype=torch.uint8)


def test_items_follow_the_ids_and_end() -> None:
    toy = Toy("train", ["b", "a", "c"])
    assert toy.ids == ("b", "a", "c")
    assert [int(image[0, 0, 0]) for image, _ in toy] == [0, 1, 2]
    assert int(toy[-1][0][0, 0, 0]) == 2
    assert (toy.num_classes, toy.split, len(toy)) == (2, "train", 3)
    with pytest.raises(IndexError, match="no index 3"):
        toy[3]


def test_split_hash_is_that_of_the_list() -> None:
    expected = hashlib.sha256(b"b\na").hexdigest()
    assert Toy("train", ["b", "a"]).split_sha256() == expected
    assert len(Toy("train", ["b", "a"], split_sha256={"train": expected, "val": "other"})) == 2
    assert len(Toy("train", ["b", "a"], split_sha256={"train": None})) == 2


def test_a_changed_list_is_refused_with_both_hashes() -> None:
    expected = Toy("train", ["a", "b"]).split_sha256()
    with pytest.raises(DataError) as error:
        Toy("train", ["b", "a"], split_sha256={"train": expected})
    for part in ("'train'", "'toy'", "2 ids", expected, Toy("train", ["b", "a"]).split_sha256()):
        assert part in str(error.value)


def test_empty_and_repeated_ids_are_refused() -> None:
    with pytest.raises(DataError, match="has no images"):
        Toy("val", [])
    with pytest.raises(DataError, match="lists 'a' more than once"):
        Toy("val", ["a", "b", "a"])


def test_pad_colour_is_the_mean() -> None:
    assert tuple(round(255 * mean) for mean in IMAGENET_MEAN) == PAD_COLOUR
