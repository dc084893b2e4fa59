"""Tests of the built-in data set: what makes its phenomena measurable, and that it never changes unnoticed."""

import hashlib
import pickle
from functools import cache

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from repro.data.shapes import Shapes
from repro.data.spec import IGNORE, SegmentationDataset
from repro.errors import DataError

CLASSES = {name: number for number, name in enumerate(Shapes.class_names)}
TWINS = (CLASSES["twin_warm"], CLASSES["twin_cool"])


def _strip_is_warm(image: torch.Tensor, label: torch.Tensor) -> bool:
    red, _, blue = image[:, label == CLASSES["strip"]].float().mean(dim=1).tolist()
    return bool(red > blue)


@cache
def many(split: str, seed: int) -> Shapes:
    """A split of ten thousand images, whose ids take longer to make than an image."""
    return Shapes(split, train_images=10_001, val_images=10_001, test_images=10_001, seed=seed)


@given(index=st.integers(0, 10_000), split=st.sampled_from(["train", "val", "test"]), seed=st.integers(0, 5))
@settings(max_examples=60, deadline=None)
def test_every_image_keeps_the_rules(index: int, split: str, seed: int) -> None:
    image, label = many(split, seed)[index]
    assert (image.shape, image.dtype) == ((3, 192, 192), torch.uint8)
    assert (label.shape, label.dtype) == ((192, 192), torch.uint8)
    assert image.is_contiguous()
    assert label.is_contiguous()
    assert set(label.unique().tolist()) <= {*range(8), IGNORE}
    strip = label == CLASSES["strip"]
    assert int(strip.sum()) == 35 * 192
    assert bool(strip.all(dim=0).any()) != bool(strip.all(dim=1).any())
    twins = [value for value in TWINS if bool((label == value).any())]
    assert twins == [TWINS[0] if _strip_is_warm(image, label) else TWINS[1]]


@given(index=st.integers(0, 2_000))
@settings(max_examples=40, deadline=None)
def test_twins_lie_far_from_the_strip(index: int) -> None:
    _, label = Shapes("train")[index]
    strip = torch.nonzero(label == CLASSES["strip"])
    twins = torch.nonzero((label == TWINS[0]) | (label == TWINS[1]))
    low, high = strip.min(dim=0).values, strip.max(dim=0).values
    gap = torch.maximum(low - twins, twins - high).clamp(min=0).amax(dim=1) - 1
    assert int(gap.min()) >= 90


def test_an_image_depends_on_its_place_only() -> None:
    few, many = Shapes("train", train_images=10), Shapes("train", train_images=500)
    for index in (0, 7):
        assert all(torch.equal(a, b) for a, b in zip(few[index], many[index], strict=True))
        assert all(torch.equal(a, b) for a, b in zip(few[index], few[index], strict=True))
    copy = pickle.loads(pickle.dumps(few))
    assert torch.equal(copy[3][0], few[3][0])
    assert not torch.equal(few[0][0], Shapes("val")[0][0])
    assert not torch.equal(few[0][0], Shapes("train", seed=1)[0][0])


def test_content_is_frozen() -> None:
    """A change here changes the meaning of every recorded run on this data set: raise `recipe` with it."""
    digest = hashlib.sha256()
    for index in range(8):
        for part in Shapes("train")[index]:
            digest.update(part.numpy().tobytes())
    assert digest.hexdigest() == "6691a8c4e5f06a5fc259d62167208bad40afd8cd666107c2c2629aa649337c3b"


def test_no_global_generator_is_touched() -> None:
    np.random.seed(0)
    before, torch_before = np.random.get_state()[1].copy(), torch.get_rng_state()
    Shapes("val")[0]
    assert (np.random.get_state()[1] == before).all()
    assert torch.equal(torch.get_rng_state(), torch_before)


def test_context_classes_are_balanced_and_common() -> None:
    dataset = Shapes("val", val_images=96)
    pixels = np.zeros(256, int)
    images = dict.fromkeys(TWINS, 0)
    for _, label in dataset:
        pixels += np.bincount(label.numpy().ravel(), minlength=256)
        for value in TWINS:
            images[value] += bool((label == value).any())
    assert list(images.values()) == [48, 48]
    shares = pixels / pixels.sum()
    assert 0.7 < shares[TWINS[0]] / shares[TWINS[1]] < 1.4
    assert shares[list(TWINS)].min() > 0.02
    assert shares[CLASSES["wire"]] > 0.005
    assert 0.001 < shares[IGNORE] < 0.03
    assert shares[8:IGNORE].sum() == 0


def test_sizes_range_over_one_to_ten() -> None:
    """The smallest and the largest plain object, as squares that would hold the same pixels."""
    areas = []
    for _, label in Shapes("val", val_images=60):
        for name in ("green", "checker", "stripes"):
            areas.append(int((label == CLASSES[name]).sum()))
    sides = np.sqrt([area for area in areas if area > 20])
    assert sides.min() < 8
    assert sides.max() > 55


def test_wires_are_thin_and_exact() -> None:
    """No pixel of a wire has wire all around it within five pixels, crossings apart; no void touches its drawing."""
    for index in range(10):
        _, label = Shapes("train")[index]
        wire = (label == CLASSES["wire"]).float()[None, None]
        inside = torch.nn.functional.avg_pool2d(wire, 11, stride=1).ge(1.0).float().mean()
        assert float(inside) < 0.0015


def test_smaller_images_need_a_nearer_cue() -> None:
    with pytest.raises(DataError, match=r"128 pixels leave no room.*cue_distance may be 0 to 69"):
        Shapes("train", size=128)
    image, label = Shapes("train", size=64, cue_distance=30, train_images=4)[1]
    assert image.shape == (3, 64, 64)
    assert set(label.unique().tolist()) & set(TWINS)


def test_unknown_split_lists_the_splits() -> None:
    with pytest.raises(DataError, match="no split 'trainaug'; it has train, val, test"):
        Shapes("trainaug")


def test_description_is_complete() -> None:
    dataset: SegmentationDataset = Shapes("test", test_images=3)
    assert dataset.name == "shapes"
    assert dataset.num_classes == len(dataset.palette) == len(set(dataset.palette)) == 8
    assert len(dataset) == 3
    assert len({Shapes(split).split_sha256() for split in ("train", "val", "test")}) == 3
