"""Tests of training splits in which images of chosen classes come more than once."""

import pickle
from pathlib import Path

import pytest
import torch
from torch import Tensor

from repro.data import VOC, Augmentation, CamVid, Oversampled, SegmentationDataset, Shapes, training_loader
from repro.errors import ConfigError, DataError
from tests.data.test_camvid import make_camvid
from tests.data.voc_folder import make_voc


class Boxes(SegmentationDataset):
    """Images whose label is background but for one pixel; `holds` gives its value per image."""

    name = "boxes"
    class_names = ("background", "bicycle", "chair", "sofa")
    palette = ((0, 0, 0), (1, 1, 1), (2, 2, 2), (3, 3, 3))

    def __init__(self, holds: list[int]) -> None:
        super().__init__("train", [f"item{index}" for index in range(len(holds))])
        self.holds = holds

    def load(self, index: int) -> tuple[Tensor, Tensor]:
        label = torch.zeros((9, 12), dtype=torch.uint8)
        label[4, 5] = self.holds[index]
        return torch.arange(12, dtype=torch.uint8).repeat(3, 9, 1), label


HOLDS = [0, 2, 1, 255, 3, 2]


@pytest.mark.parametrize(
    ("classes", "times", "added"),
    [(["chair"], 2, [1, 5]), (["sofa", "chair"], 2, [1, 4, 5]), (["bicycle"], 4, [2, 2, 2]), (["bicycle"], 2, [2])],
)
def test_images_of_the_classes_come_again(classes: list[str], times: int, added: list[int]) -> None:
    dataset = Boxes(HOLDS)
    oversampled = Oversampled(dataset, classes, times)
    assert oversampled.ids == (*dataset.ids, *(dataset.ids[index] for index in added))
    assert len(oversampled) == 6 + len(added)
    assert oversampled.repeated == len(set(added))
    for place, item in enumerate([*range(6), *added]):
        assert torch.equal(oversampled[place][1], dataset[item][1])
        assert torch.equal(oversampled.load_label(place), dataset[item][1])
    assert oversampled.split_sha256() != dataset.split_sha256()
    assert (oversampled.split, oversampled.name, oversampled.num_classes) == ("train", "boxes", 4)


def test_a_split_without_the_classes_stays_as_it_is() -> None:
    oversampled = Oversampled(Boxes([0, 1, 255]), ["sofa"], 3)
    assert (len(oversampled), oversampled.repeated) == (3, 0)


def test_each_mask_is_told() -> None:
    told: list[None] = []
    Oversampled(Boxes(HOLDS), ["sofa"], 2, advance=lambda: told.append(None))
    assert len(told) == len(HOLDS)


def test_an_epoch_holds_the_repetitions_and_augments_them_apart() -> None:
    dataset = Oversampled(Boxes([2, 0]), ["chair"], 3)
    loader = training_loader(dataset, Augmentation(8, (0.5, 2.0)), seed=0, batch_size=4, total_steps=1)
    ((images, labels),) = list(loader)
    held = [image for image, label in zip(images, labels, strict=True) if (label == 2).any()]
    assert 1 < len(held) <= 3  # a crop may miss the pixel
    assert not any(torch.equal(one, other) for one in held for other in held if one is not other)


def test_repetitions_travel_to_worker_processes() -> None:
    oversampled = pickle.loads(pickle.dumps(Oversampled(Boxes(HOLDS), ["chair"], 2)))
    assert len(oversampled) == 8


def test_labels_alone_are_those_of_the_items(tmp_path: Path) -> None:
    make_voc(tmp_path / "voc")
    make_camvid(tmp_path / "segnet", "segnet")
    make_camvid(tmp_path / "original", "original")
    for dataset in (
        VOC("trainaug", root=tmp_path / "voc"),
        CamVid("train", root=tmp_path / "segnet"),
        CamVid("train", root=tmp_path / "original", layout="original"),
        Shapes("train", train_images=2),
    ):
        for index in range(len(dataset)):
            assert torch.equal(dataset.load_label(index), dataset[index][1])


def test_images_are_not_read_to_find_the_classes(tmp_path: Path) -> None:
    make_voc(tmp_path)
    dataset = VOC("train", root=tmp_path)
    for index in range(len(dataset)):
        dataset.image_path(index).write_bytes(b"")
    assert len(Oversampled(dataset, VOC.class_names[1:], 2)) == 2 * len(dataset)
    dataset.label_path(3).write_bytes(b"")
    with pytest.raises(DataError, match=f"{dataset.ids[3]}.png cannot be read"):
        Oversampled(dataset, ["sofa"], 2)


@pytest.mark.parametrize(
    ("classes", "times", "message"),
    [
        (["chairs"], 2, "names 'chairs', which is no class of boxes; did you mean chair"),
        (["xyz"], 2, "no class of boxes; there are background, bicycle, chair, sofa"),
        ("chair", 2, r"dataset\.duplicate is 'chair'; it must be a list of class names, such as \[sofa\]"),
        ([], 2, r"dataset\.duplicate is \[\]; it must be a list"),
        (["chair"], 1, r"dataset\.duplicate_times is 1; it must be a whole number of at least 2"),
        (["chair"], 2.5, r"dataset\.duplicate_times is 2\.5"),
    ],
)
def test_mistakes_are_sentences(classes: list[str], times: int, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        Oversampled(Boxes(HOLDS), classes, times)


class Faulty(Boxes):
    """Images of somebody's own class that cannot be read, or whose labels are no labels."""

    fault = ""

    def load(self, index: int) -> tuple[Tensor, Tensor]:
        if self.fault == "image":
            raise KeyError("no image")
        return super().load(index)

    def load_label(self, index: int) -> Tensor:
        if self.fault == "label":
            raise KeyError("no label")
        label = super().load(index)[1]
        return label.long() * 300 if self.fault == "kind" else label


@pytest.mark.parametrize(
    ("fault", "sentence"),
    [
        ("label", r"item 'item0' of split 'train' of data set .*Faulty \(.*\) cannot be loaded: KeyError: 'no label'"),
        ("kind", r"item 'item0' .*Faulty \(.*\): the label is int64 \[9, 12\]; it must be a tensor uint8"),
        ("image", r"item 'item0' .*Faulty \(.*\) cannot be loaded: KeyError: 'no image'"),
    ],
)
def test_faults_of_somebodys_own_class_are_sentences_about_it(fault: str, sentence: str) -> None:
    dataset = Faulty(HOLDS)
    dataset.fault = fault
    with pytest.raises(DataError, match=sentence):
        Oversampled(dataset, ["chair"], 2)[0]
