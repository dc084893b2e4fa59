"""Tests of what all data sets share: splits, hashes, and errors that name the file."""

import hashlib
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image
from torch import Tensor

from repro.data.spec import (
    IMAGENET_MEAN,
    PAD_COLOUR,
    SegmentationDataset,
    check_label,
    check_same_size,
    read_image,
    read_index_mask,
)
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


def test_png_image_is_read_exactly(tmp_path: Path) -> None:
    pixels = np.random.default_rng(0).integers(0, 256, (5, 7, 3), dtype=np.uint8)
    Image.fromarray(pixels).save(tmp_path / "a.png")
    image = read_image(tmp_path / "a.png")
    assert image.dtype == torch.uint8
    assert torch.equal(image, torch.from_numpy(pixels).permute(2, 0, 1))


def test_grey_jpeg_becomes_rgb(tmp_path: Path) -> None:
    Image.fromarray(np.full((8, 8), 77, np.uint8)).save(tmp_path / "grey.jpg")
    assert read_image(tmp_path / "grey.jpg").shape == (3, 8, 8)


@pytest.mark.parametrize("mode", ["P", "L"])
def test_index_mask_keeps_indices(tmp_path: Path, mode: str) -> None:
    indices = np.array([[0, 1, 255], [20, 3, 7]], np.uint8)
    mask = Image.fromarray(indices)
    if mode == "P":
        mask.putpalette([(37 * value) % 256 for value in range(768)])
    mask.save(tmp_path / "m.png")
    assert read_index_mask(tmp_path / "m.png").tolist() == indices.tolist()


def test_colour_mask_is_refused(tmp_path: Path) -> None:
    Image.new("RGB", (2, 2)).save(tmp_path / "m.png")
    with pytest.raises(DataError, match=r"m\.png has pixels of kind 'RGB'.*palette or 8-bit grey"):
        read_index_mask(tmp_path / "m.png")


@pytest.mark.parametrize("read", [read_image, read_index_mask])
def test_missing_file_is_named(tmp_path: Path, read: object) -> None:
    assert callable(read)
    with pytest.raises(DataError, match=r"gone\.png is missing"):
        read(tmp_path / "gone.png")


@pytest.mark.parametrize("suffix", ["jpg", "png"])
@pytest.mark.parametrize("damage", ["empty", "cut", "text"])
def test_damaged_file_is_named(tmp_path: Path, suffix: str, damage: str) -> None:
    path = tmp_path / f"harm.{suffix}"
    Image.fromarray(np.random.default_rng(0).integers(0, 256, (64, 64), dtype=np.uint8)).save(path)
    whole = path.read_bytes()
    path.write_bytes({"empty": b"", "cut": whole[: len(whole) // 2], "text": b"not an image"}[damage])
    with pytest.raises(DataError, match=rf"harm\.{suffix} cannot be read: it is damaged"):
        read_image(path)
    if suffix == "png":
        with pytest.raises(DataError, match=r"harm\.png cannot be read: it is damaged"):
            read_index_mask(path)


@given(st.lists(st.integers(0, 255), min_size=1, max_size=30), st.integers(1, 255))
def test_check_label_accepts_classes_and_ignore_only(values: list[int], num_classes: int) -> None:
    label = torch.tensor([values], dtype=torch.uint8)
    wrong = [value for value in values if num_classes <= value < 255]
    if not wrong:
        check_label(label, num_classes, "a.png")
        return
    with pytest.raises(DataError) as error:
        check_label(label, num_classes, "a.png")
    assert f"a.png holds the value {wrong[0]} at row 0, column {values.index(wrong[0])}" in str(error.value)


def test_sizes_must_agree() -> None:
    image, label = torch.zeros((3, 4, 6), dtype=torch.uint8), torch.zeros((4, 5), dtype=torch.uint8)
    check_same_size(image, label.new_zeros((4, 6)), "a.jpg", "a.png")
    with pytest.raises(DataError, match=r"a\.jpg is 6x4 pixels.*a\.png is 5x4"):
        check_same_size(image, label, "a.jpg", "a.png")
