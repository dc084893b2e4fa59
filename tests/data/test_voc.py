"""VOC and SBD folders: the splits, which mask is read, and one clear error for everything that can be wrong."""

import hashlib
import pickle
from pathlib import Path

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from omegaconf import OmegaConf

from repro.data import IGNORE, VOC
from repro.data.voc import SPLITS, colour_map
from tests.places import CONF

CONFIGURATION = CONF / "dataset" / "voc.yaml"
LISTS = "VOCdevkit/VOC2012/ImageSets/Segmentation"
IMAGES = "VOCdevkit/VOC2012/JPEGImages"
MASKS = "VOCdevkit/VOC2012/SegmentationClass"


@pytest.mark.parametrize("split", SPLITS)
def test_ids_are_sorted_and_hashed(pristine: tuple[Path, dict[str, list[str]]], split: str) -> None:
    root, ids = pristine
    digest = hashlib.sha256("\n".join(ids[split]).encode()).hexdigest()
    dataset = VOC(split, root=root, split_sha256={split: digest}, expected_images={split: len(ids[split])})
    assert list(dataset.ids) == ids[split]
    assert dataset.split_sha256() == digest
    assert (dataset.name, dataset.num_classes, len(dataset.palette)) == ("voc", 21, 21)


@pytest.mark.parametrize("split", SPLITS)
def test_items_are_images_with_the_masks_that_were_drawn(
    pristine: tuple[Path, dict[str, list[str]]], split: str
) -> None:
    root, ids = pristine
    dataset = VOC(split, root=root)
    for index, name in enumerate(ids[split]):
        image, label = dataset[index]
        assert (image.dtype, label.dtype) == (torch.uint8, torch.uint8)
        assert image.shape == (3, *label.shape)
        values = set(label.unique().tolist())
        if split == "test":
            assert values == {IGNORE}
            continue
        expected = {0, *values - {0, IGNORE}} | ({IGNORE} if name in ids["trainval"] else set())
        assert values == expected
        (category,) = values - {0, IGNORE}
        inside = image[:, label == category].float().mean(1)
        assert (inside - torch.tensor(dataset.palette[category])).abs().max() < 12


def test_trainaug_reads_vocs_masks_for_its_images_and_sbds_for_the_rest(
    pristine: tuple[Path, dict[str, list[str]]],
) -> None:
    root, ids = pristine
    dataset = VOC("trainaug", root=root)
    suffixes = {name: dataset.label_path(index).suffix for index, name in enumerate(dataset.ids)}
    assert suffixes == {name: ".png" if name in ids["train"] else ".mat" for name in ids["trainaug"]}
    assert not set(dataset.ids) & set(ids["val"])


def test_sbd_may_lie_as_its_archive_unpacks(damaged: tuple[Path, dict[str, list[str]]]) -> None:
    root, ids = damaged
    (root / "benchmark_RELEASE").mkdir()
    (root / "SBD").rename(root / "benchmark_RELEASE" / "dataset")
    dataset = VOC("trainaug", root=root)
    assert list(dataset.ids) == ids["trainaug"]
    assert dataset[len(dataset) - 1][1].dtype == torch.uint8


def test_data_sets_travel_to_worker_processes(pristine: tuple[Path, dict[str, list[str]]]) -> None:
    dataset = VOC("trainaug", root=pristine[0])
    copy = pickle.loads(pickle.dumps(dataset))
    for index in range(len(dataset)):
        assert all(torch.equal(one, other) for one, other in zip(dataset[index], copy[index], strict=True))


def test_colour_map_is_vocs() -> None:
    colours = colour_map(256)
    known = {0: (0, 0, 0), 1: (128, 0, 0), 8: (64, 0, 0), 15: (192, 128, 128), 20: (0, 64, 128), 255: (224, 224, 192)}
    assert {index: colours[index] for index in known} == known
    assert len(set(colours)) == 256
    assert VOC.palette == colours[:21]


@given(st.integers(0, 255))
def test_a_colour_gives_its_index_back(index: int) -> None:
    red, green, blue = colour_map(index + 1)[index]
    bits = [channel >> (7 - level) & 1 for level in range(8) for channel in (red, green, blue)]
    assert sum(bit << position for position, bit in enumerate(bits)) == index


def test_configuration_declares_a_count_and_a_hash_for_every_split() -> None:
    configuration = OmegaConf.load(CONFIGURATION)
    assert dict(configuration.expected_images) == {
        "train": 1464, "trainaug": 10582, "trainval": 2913, "val": 1449, "test": 1456,
    }  # fmt: skip
    assert set(configuration.split_sha256) == set(SPLITS)
    assert len({int(digest, 16) for digest in configuration.split_sha256.values() if len(digest) == 64}) == len(SPLITS)
