"""VOC and SBD folders: the splits, which mask is read, and one clear error for everything that can be wrong."""

import hashlib
import pickle
from pathlib import Path

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from omegaconf import OmegaConf
from PIL import Image

from repro.data import IGNORE, VOC
from repro.data.voc import PARTS, colour_map
from tests.places import CONF

CONFIGURATION = CONF / "dataset" / "voc.yaml"
LISTS = "VOCdevkit/VOC2012/ImageSets/Segmentation"
IMAGES = "VOCdevkit/VOC2012/JPEGImages"
MASKS = "VOCdevkit/VOC2012/SegmentationClass"


@pytest.mark.parametrize("split", PARTS)
def test_ids_are_sorted_and_hashed(pristine: tuple[Path, dict[str, list[str]]], split: str) -> None:
    root, ids = pristine
    digest = hashlib.sha256("\n".join(ids[split]).encode()).hexdigest()
    dataset = VOC(split, root=root, split_sha256={split: digest}, expected_images={split: len(ids[split])})
    assert list(dataset.ids) == ids[split]
    assert dataset.split_sha256() == digest
    assert (dataset.name, dataset.num_classes, len(dataset.palette)) == ("voc", 21, 21)


@pytest.mark.parametrize("split", PARTS)
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


@pytest.mark.parametrize("root", ["VOCdevkit", "VOCdevkit/VOC2012", "VOC2012", "."])
def test_the_root_may_be_a_folder_on_the_way(damaged: tuple[Path, dict[str, list[str]]], root: str) -> None:
    folder, ids = damaged
    if root == "VOC2012":
        (folder / "VOCdevkit" / "VOC2012").rename(folder / "VOC2012")
    dataset = VOC("trainaug", root=folder / root)
    assert list(dataset.ids) == ids["trainaug"]
    assert {dataset.label_path(index).suffix for index in range(len(dataset))} == {".png", ".mat"}


@pytest.mark.parametrize("place", ["VOCdevkit/VOC2012", "."])
def test_sbds_masks_may_be_png_files(damaged: tuple[Path, dict[str, list[str]]], place: str) -> None:
    root, ids = damaged
    before = VOC("trainaug", root=root)
    labels = [label for _, label in before]
    pictures = root / place / "SegmentationClassAug"
    pictures.mkdir()
    for name, label in zip(before.ids, labels, strict=True):
        Image.fromarray(label.numpy()).save(pictures / f"{name}.png")
    for name in ids["val"]:
        (pictures / f"{name}.png").touch()
    (pictures / ".DS_Store.png").touch()
    (root / "SBD").rename(root / "elsewhere")
    after = VOC("trainaug", root=root, expected_images={"trainaug": len(before)})
    assert after.ids == before.ids
    extra = [index for index in range(len(after)) if after.label_path(index).parent == pictures]
    assert [after.ids[index] for index in extra] == [name for name in ids["trainaug"] if name not in ids["train"]]
    assert all(torch.equal(label, expected) for (_, label), expected in zip(after, labels, strict=True))


def test_endings_in_capitals_are_understood(damaged: tuple[Path, dict[str, list[str]]]) -> None:
    root, _ = damaged
    before = [(image.clone(), label.clone()) for image, label in VOC("trainval", root=root)]
    for path in (*(root / IMAGES).iterdir(), *(root / MASKS).iterdir()):
        path.rename(path.with_suffix(path.suffix.upper()))
    after = VOC("trainval", root=root)
    assert after.image_path(0).suffix == ".JPG"
    assert after.label_path(0).suffix == ".PNG"
    assert all(
        torch.equal(one, other) for pair in zip(before, after, strict=True) for one, other in zip(*pair, strict=True)
    )


def test_deeplabs_lists_with_two_paths_are_understood(damaged: tuple[Path, dict[str, list[str]]]) -> None:
    root, ids = damaged
    for part in ("train", "val"):
        lines = [f"/JPEGImages/{name}.jpg /SegmentationClassAug/{name}.png\r\n" for name in ids[part]]
        (root / LISTS / f"{part}.txt").write_text("".join(lines), newline="", encoding="utf-8-sig")
    assert list(VOC("trainval", root=root).ids) == ids["trainval"]


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
    assert set(configuration.split_sha256) == set(PARTS)
    assert len({int(digest, 16) for digest in configuration.split_sha256.values() if len(digest) == 64}) == len(PARTS)
