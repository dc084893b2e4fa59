"""Images behind some weights: gathered over a chain, stored, counted."""

import pytest

from repro.errors import StoreError
from repro.store.images import ImageCounts, UsedImages, counts


@pytest.fixture
def chain():
    """A training on a and b, a choice by b and c, then one on another data set, from weights of somebody else."""
    used = UsedImages().after_unknown("torchvision:net").trained_on("voc", ["a", "b"]).selected_by("voc", ["b", "c"])
    return used.trained_on("coco", ["a", "z"])


def test_what_serves_twice_is_counted_within_its_data_set(chain):
    assert counts(chain, "voc", ["a", "b", "c", "d"]) == ImageCounts(2, 2, 1, ("torchvision:net",))
    assert counts(chain, "coco", ["a", "b"]) == ImageCounts(1, 0, 1, ("torchvision:net",))
    assert counts(chain, "ade", ["a"]) == ImageCounts(0, 0, 1, ("torchvision:net",))
    assert counts(UsedImages(), "voc", ["a"]) == ImageCounts(0, 0, 0, ())


def test_images_that_are_trained_on_after_a_choice_by_them_did_not_spoil_it():
    used = UsedImages().trained_on("voc", ["a"]).selected_by("voc", ["b"]).trained_on("voc", ["b"])
    assert used.selecting_trained == {}
    assert counts(used, "voc", ["b"]) == ImageCounts(1, 1, 0, ())


def test_the_stored_form_comes_back_and_is_the_same_for_the_same_images(chain):
    content = chain.to_bytes()
    assert UsedImages.from_bytes(content, "a file") == chain
    assert UsedImages().trained_on("voc", "ab").to_bytes() == UsedImages().trained_on("voc", "ba").to_bytes()
    assert len(UsedImages().trained_on("voc", (f"2007_{i:06d}" for i in range(10582))).to_bytes()) < 60_000


@pytest.mark.parametrize("damage", [lambda data: data[:-9], lambda data: data[:30] + b"x" + data[31:],
                                    lambda _: b"", lambda _: UsedImages().to_bytes()[:0] + b"{}"])  # fmt: skip
def test_damage_is_told_with_the_file(chain, damage):
    with pytest.raises(StoreError, match=r"runs/images is damaged \(.*\); it should hold the images behind"):
        UsedImages.from_bytes(damage(chain.to_bytes()), "runs/images")
