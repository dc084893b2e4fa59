"""What a data set must declare and give; every sentence is also met through the command, in the flows."""

import numpy as np
import pytest
import torch

from repro.data import Shapes
from repro.data.declaration import check_declaration, class_and_file, fault_of, first_repeated, value_outside
from repro.errors import DataError
from tests.tiny_data import Joined

IMAGE = torch.zeros(3, 4, 6, dtype=torch.uint8)
LABEL = torch.zeros(4, 6, dtype=torch.uint8)


def test_the_data_sets_here_declare_and_give_what_they_must():
    for dataset in (Shapes("val", size=64, cue_distance=0), Joined("trainval", size=64, cue_distance=0)):
        check_declaration(dataset)
        assert fault_of(dataset.load(0), dataset.num_classes) == ""


@pytest.mark.parametrize(
    ("item", "fault"),
    [
        ((IMAGE, LABEL), ""),
        ([IMAGE, LABEL.fill_(0)], ""),
        (IMAGE, "load gave uint8 [3, 4, 6]"),
        ((IMAGE, LABEL, LABEL), "load gave a tuple of 3"),
        ((IMAGE.float(), LABEL), "the image is float32 [3, 4, 6]"),
        (
            (IMAGE.to("meta"), LABEL),
            "the image is uint8 [3, 4, 6] on meta; it must be a tensor uint8",
        ),
        ((IMAGE, LABEL.to("meta")), "the label is uint8 [4, 6] on meta"),
        ((IMAGE[:, :0], LABEL[:0]), "the image is uint8 [3, 0, 6]"),
        ((IMAGE[:1], LABEL), "the image is uint8 [1, 4, 6]"),
        ((IMAGE, LABEL.long()), "the label is int64 [4, 6]"),
        ((IMAGE, LABEL[None]), "the label is uint8 [1, 4, 6]"),
        ((IMAGE, np.zeros((4, 6), np.uint8)), "the label is a ndarray"),
        ((IMAGE, LABEL.T), "the image is 6x4 pixels (width x height), its label 4x6"),
        ((IMAGE, LABEL + 2), "the label holds the value 2 at row 0, column 0; it may hold the classes 0 to 1"),
    ],
)
def test_a_fault_of_an_item_says_what_it_is(item, fault):
    found = fault_of(item, 2)
    assert found.startswith(fault)
    assert bool(found) == bool(fault)


def test_ignored_pixels_and_the_last_of_255_classes_are_in_order():
    label = torch.tensor([[0, 1], [255, 2]], dtype=torch.uint8)
    assert value_outside(label, 3) is None
    assert value_outside(label, 2) == (2, 1, 1)
    assert value_outside(torch.arange(256, dtype=torch.uint8).reshape(16, 16), 255) is None


@pytest.mark.parametrize(
    ("attribute", "value", "sentence"),
    [
        ("class_names", ["a"] * 8, "8 names; there must be 1 to 255, each of them once"),
        ("class_names", (), "0 names"),
        ("class_names", "abc", "class_names is 'abc'"),
        ("palette", ((0, 0, 0),) * 7, "palette has 7 colours for 8 class_names"),
        ("name", None, "name is None; it must be a text"),
        ("palette", None, "palette is None for 8 class_names; one each is needed"),
        ("palette", tuple(range(8)), "the colour of background in palette is 0; it must be three of 0 to 255"),
        ("ids", None, r"its constructor must call super\(\).__init__\(split, ids\), with one text per image"),
        ("ids", [1, 2], "with one text per image"),
        ("palette", ((0, 0),) * 8, r"the colour of background in palette is \(0, 0\)"),
    ],
)
def test_a_wrong_declaration_is_told_with_class_and_file(attribute, value, sentence):
    dataset = Joined("val", size=64, cue_distance=0)
    setattr(dataset, attribute, value)
    with pytest.raises(DataError, match=rf"tests\.tiny_data\.Joined \(.*tiny_data\.py\).*{sentence}"):
        check_declaration(dataset)


def test_the_first_id_that_comes_again_is_found_in_long_lists_too():
    assert first_repeated(["a", "b", "c", "b", "a"]) == "b"
    assert first_repeated([f"{number}" for number in range(50_000)]) is None
    assert first_repeated([*(f"{number}" for number in range(50_000)), "49999"]) == "49999"


def test_a_class_without_a_file_is_named():
    assert class_and_file(type("Own", (), {"__module__": "nowhere"})) == "nowhere.Own (a file that is not known)"
