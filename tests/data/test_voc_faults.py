"""What can be wrong with a VOC or SBD folder: one clear error for everything, which names the file and the remedy."""

import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from omegaconf import OmegaConf
from PIL import Image
from scipy.io import savemat

from repro.data import VOC
from repro.data.voc import PARTS, colour_map, read_sbd_mask
from repro.errors import DataError
from tests.data.voc_folder import save_palette_mask, save_sbd_mask, write_list
from tests.places import CONF

CONFIGURATION = CONF / "dataset" / "voc.yaml"
LISTS = "VOCdevkit/VOC2012/ImageSets/Segmentation"
IMAGES = "VOCdevkit/VOC2012/JPEGImages"
MASKS = "VOCdevkit/VOC2012/SegmentationClass"


def test_official_counts_refuse_a_small_folder(pristine: tuple[Path, dict[str, list[str]]]) -> None:
    configuration = OmegaConf.load(CONFIGURATION)
    with pytest.raises(
        DataError, match=r"'train' .* has 8 images, the configuration expects 1464.*expected_images\.train"
    ):
        VOC("train", root=pristine[0], expected_images=configuration.expected_images)


def test_another_list_of_the_same_length_is_noticed(pristine: tuple[Path, dict[str, list[str]]]) -> None:
    configuration = OmegaConf.load(CONFIGURATION)
    with pytest.raises(DataError, match=r"'val' .* is not the one declared"):
        VOC("val", root=pristine[0], split_sha256=configuration.split_sha256)


def test_unknown_split(pristine: tuple[Path, dict[str, list[str]]]) -> None:
    with pytest.raises(DataError, match="no split 'valid'; it has train, trainaug, trainval, val, test"):
        VOC("valid", root=pristine[0])


@pytest.mark.parametrize("split", PARTS)
def test_missing_data_set_says_what_where_and_from_whom(tmp_path: Path, split: str) -> None:
    with pytest.raises(DataError) as caught:
        VOC(split, root=tmp_path / "nowhere")
    message = str(caught.value)
    for part in (
        tmp_path / "nowhere" / IMAGES,
        tmp_path / "nowhere" / LISTS,
        "VOCtrainval_11-May-2012.tar",
        "host.robots.ox",
    ):
        assert str(part) in message


def test_missing_sbd_says_what_where_and_from_whom(damaged: tuple[Path, dict[str, list[str]]]) -> None:
    root, _ = damaged
    shutil.rmtree(root / "SBD")
    VOC("train", root=root)
    with pytest.raises(DataError) as caught:
        VOC("trainaug", root=root)
    for part in (
        root / "SBD" / "cls",
        root / "SBD" / "train.txt",
        root / "SBD" / "val.txt",
        "benchmark.tgz",
        "berkeley",
    ):
        assert str(part) in str(caught.value)


@pytest.mark.parametrize(
    ("split", "lost"),
    [
        ("train", f"{LISTS}/train.txt"),
        ("train", f"{LISTS}/val.txt"),
        ("test", f"{LISTS}/test.txt"),
        ("train", MASKS),
        ("trainaug", "SBD/val.txt"),
        ("trainaug", "SBD/cls"),
    ],
)
def test_missing_list_or_folder_is_named(damaged: tuple[Path, dict[str, list[str]]], split: str, lost: str) -> None:
    path = damaged[0] / lost
    path.rename(path.with_name("elsewhere"))
    with pytest.raises(DataError, match=str(path)):
        VOC(split, root=damaged[0])


@pytest.mark.parametrize(
    ("split", "folder", "ending"), [("val", IMAGES, "jpg"), ("val", MASKS, "png"), ("test", IMAGES, "jpg")]
)
def test_missing_file_is_named_on_opening(
    damaged: tuple[Path, dict[str, list[str]]], split: str, folder: str, ending: str
) -> None:
    root, ids = damaged
    paths = [root / folder / f"{name}.{ending}" for name in ids[split][:2]]
    paths[0].unlink()
    with pytest.raises(DataError, match=f"{paths[0]} is missing"):
        VOC(split, root=root)
    paths[1].unlink()
    with pytest.raises(DataError, match=f"{paths[0]} and 1 more files are missing"):
        VOC(split, root=root)


def test_missing_sbd_mask_is_named_on_opening(damaged: tuple[Path, dict[str, list[str]]]) -> None:
    root, ids = damaged
    path = root / "SBD" / "cls" / f"{next(name for name in ids['trainaug'] if name not in ids['train'])}.mat"
    path.unlink()
    with pytest.raises(DataError, match=f"{path} is missing"):
        VOC("trainaug", root=root)


def test_file_lost_after_opening_is_named(damaged: tuple[Path, dict[str, list[str]]]) -> None:
    dataset = VOC("trainaug", root=damaged[0])
    for index in range(len(dataset)):
        path = dataset.label_path(index)
        path.unlink()
        with pytest.raises(DataError, match=f"{path} is missing"):
            dataset[index]


def truncate(path: Path) -> None:
    content = path.read_bytes()
    path.write_bytes(content[: len(content) * 2 // 3])


def overwrite_start(path: Path) -> None:
    # The first 124 bytes of a MATLAB file are a comment.
    path.write_bytes(b"not what it was " * 10 + path.read_bytes()[160:])


def empty(path: Path) -> None:
    path.write_bytes(b"")


@pytest.mark.parametrize("harm", [truncate, overwrite_start, empty])
@pytest.mark.parametrize("kind", ["jpg", "png", "mat"])
def test_damaged_file_is_named(
    damaged: tuple[Path, dict[str, list[str]]], kind: str, harm: Callable[[Path], None]
) -> None:
    dataset = VOC("trainaug", root=damaged[0])
    paths = [dataset.image_path, dataset.label_path][kind != "jpg"]
    index = next(index for index in range(len(dataset)) if paths(index).suffix == f".{kind}")
    dataset[index]
    harm(paths(index))
    with pytest.raises(DataError, match=str(paths(index))):
        dataset[index]


@pytest.mark.parametrize("value", [21, 254])
@pytest.mark.parametrize("kind", ["png", "mat"])
def test_mask_value_outside_the_classes_is_named(
    damaged: tuple[Path, dict[str, list[str]]], kind: str, value: int
) -> None:
    dataset = VOC("trainaug", root=damaged[0])
    index = next(index for index in range(len(dataset)) if dataset.label_path(index).suffix == f".{kind}")
    mask = dataset[index][1].numpy()
    mask[5, 7] = value
    {"png": save_palette_mask, "mat": save_sbd_mask}[kind](dataset.label_path(index), mask)
    with pytest.raises(DataError, match=rf"{dataset.label_path(index)} holds the value {value} at row 5, column 7"):
        dataset[index]


@pytest.mark.parametrize("kind", ["png", "mat"])
def test_image_and_mask_of_different_sizes_are_named(damaged: tuple[Path, dict[str, list[str]]], kind: str) -> None:
    dataset = VOC("trainaug", root=damaged[0])
    index = next(index for index in range(len(dataset)) if dataset.label_path(index).suffix == f".{kind}")
    mask = dataset[index][1].numpy()
    {"png": save_palette_mask, "mat": save_sbd_mask}[kind](dataset.label_path(index), mask[1:])
    with pytest.raises(DataError) as caught:
        dataset[index]
    assert str(dataset.image_path(index)) in str(caught.value)
    assert str(dataset.label_path(index)) in str(caught.value)


def test_coloured_mask_in_place_of_indices_is_named(damaged: tuple[Path, dict[str, list[str]]]) -> None:
    dataset = VOC("val", root=damaged[0])
    path = dataset.label_path(0)
    Image.open(path).convert("RGB").save(path)
    with pytest.raises(DataError, match=f"{path} has pixels of kind 'RGB'"):
        dataset[0]


def test_a_mask_that_an_editor_renumbered_is_the_same_mask(damaged: tuple[Path, dict[str, list[str]]]) -> None:
    dataset = VOC("val", root=damaged[0])
    before = dataset[0][1]
    used = before.unique().tolist()
    renumbered = np.zeros_like(before.numpy())
    for index, value in enumerate(used):
        renumbered[before.numpy() == value] = len(used) - 1 - index
    mask = Image.fromarray(renumbered)
    mask.putpalette([level for value in reversed(used) for level in colour_map(256)[value]])
    mask.save(dataset.label_path(0))
    assert dataset[0][1].equal(before)


@pytest.mark.parametrize(
    "content",
    [
        {"GTinst": {"Segmentation": np.zeros((4, 4), np.uint8)}},
        {"GTcls": {"Boundaries": np.zeros((4, 4), np.uint8)}},
        {"GTcls": {"Segmentation": np.zeros((4, 4))}},
        {"GTcls": np.zeros((4, 4), np.uint8)},
    ],
)
def test_other_matlab_files_are_no_masks(tmp_path: Path, content: dict[str, object]) -> None:
    savemat(tmp_path / "other.mat", content)
    with pytest.raises(DataError, match=f"{tmp_path / 'other.mat'} is damaged or not a class file of SBD"):
        read_sbd_mask(tmp_path / "other.mat")


@pytest.mark.parametrize("split", ["train", "val", "trainval", "trainaug"])
def test_train_and_val_must_be_disjoint(damaged: tuple[Path, dict[str, list[str]]], split: str) -> None:
    root, ids = damaged
    write_list(root / LISTS / "val.txt", [*ids["val"], ids["train"][0]])
    with pytest.raises(DataError, match=rf"train\.txt and .*val\.txt .* share 1 images, such as {ids['train'][0]}"):
        VOC(split, root=root)


def test_repeated_id_is_named(damaged: tuple[Path, dict[str, list[str]]]) -> None:
    root, ids = damaged
    write_list(root / LISTS / "train.txt", [*ids["train"], ids["train"][2]])
    with pytest.raises(DataError, match=rf"train\.txt .* names '{ids['train'][2]}' more than once"):
        VOC("train", root=root)


def test_list_that_is_no_text_is_named(damaged: tuple[Path, dict[str, list[str]]]) -> None:
    (damaged[0] / LISTS / "train.txt").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(DataError, match=r"train\.txt .* cannot be read as text"):
        VOC("train", root=damaged[0])


@pytest.mark.parametrize(("part", "split"), [("train", "train"), ("val", "trainval"), ("train", "trainaug")])
def test_an_empty_list_does_not_leave_its_split_to_another(
    damaged: tuple[Path, dict[str, list[str]]], part: str, split: str
) -> None:
    write_list(damaged[0] / LISTS / f"{part}.txt", [])
    with pytest.raises(DataError, match=rf"{part}\.txt of data set 'voc' has no images; restore it"):
        VOC(split, root=damaged[0])


def test_a_folder_without_masks_is_no_training_set(damaged: tuple[Path, dict[str, list[str]]]) -> None:
    shutil.rmtree(damaged[0] / "SBD")
    (damaged[0] / "SegmentationClassAug").mkdir()
    with pytest.raises(DataError, match="SegmentationClassAug of data set 'voc' has no images"):
        VOC("trainaug", root=damaged[0])
