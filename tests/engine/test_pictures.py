import errno

import numpy as np
import pytest
import torch
from PIL import Image

from repro.data import SegmentationDataset
from repro.engine.pictures import (
    GAP,
    RIGHT,
    VOID,
    WRONG,
    Gallery,
    check_name,
    mask_picture,
    panel,
    save_picture,
    stacked,
)
from repro.errors import DataError, StoreError

PALETTE = ((0, 0, 0), (10, 20, 30), (200, 100, 50))


def test_a_mask_holds_the_classes_in_the_palette(tmp_path):
    mask = torch.tensor([[0, 1, 2], [2, 255, 0]], dtype=torch.uint8)
    save_picture(mask_picture(mask, PALETTE), tmp_path / "deep" / "mask.png")
    with Image.open(tmp_path / "deep" / "mask.png") as picture:
        assert picture.mode == "P"
        np.testing.assert_array_equal(np.asarray(picture), mask.numpy())
        colours = np.asarray(picture.convert("RGB"))
    assert tuple(colours[0, 2]) == PALETTE[2]
    assert tuple(colours[1, 1]) == VOID


def test_a_panel_shows_image_truth_prediction_and_error():
    image = torch.randint(0, 255, (3, 4, 5), dtype=torch.uint8)
    label = torch.zeros(4, 5, dtype=torch.uint8)
    label[0] = 255
    prediction = torch.zeros(4, 5, dtype=torch.uint8)
    prediction[3] = 1
    sheet = np.asarray(panel(image, label, prediction, PALETTE))
    assert sheet.shape == (4, 4 * 5 + 3 * 4, 3)
    np.testing.assert_array_equal(sheet[:, :5], image.permute(1, 2, 0))
    error = sheet[:, -5:]
    assert tuple(error[0, 0]) == VOID
    assert tuple(error[1, 0]) == RIGHT
    assert tuple(error[3, 0]) == WRONG


def test_panels_of_different_widths_are_stacked():
    sheet = stacked([Image.new("RGB", (30, 10)), Image.new("RGB", (20, 15))])
    assert sheet.size == (30, 10 + 15 + 4)


class Named(SegmentationDataset):
    name, class_names, palette = "named", ("a", "b", "c"), PALETTE

    def load(self, index):
        raise NotImplementedError


@pytest.mark.parametrize(("count", "shown"), [(0, 0), (2, 2), (9, 5)])
def test_a_gallery_writes_every_mask_and_panels_of_a_few(tmp_path, count, shown):
    dataset, places = Named("val", list("abcde")), []
    gallery = Gallery(dataset, tmp_path / "masks", tmp_path / "panels.png", count, places.append)
    images = torch.randint(0, 255, (5, 3, 6, 9), dtype=torch.uint8)
    for index, image in enumerate(images):
        label, prediction = (torch.full((6, 9), value, dtype=torch.uint8) for value in (0, index % 3))
        gallery.show(index, image, label, prediction)
    gallery.finish()
    assert len(places) == 5
    assert sorted(path.name for path in (tmp_path / "masks").iterdir()) == [f"{name}.png" for name in "abcde"]
    with Image.open(tmp_path / "masks" / "c.png") as picture:
        assert set(np.asarray(picture).ravel().tolist()) == {2}
    if not shown:
        assert not (tmp_path / "panels.png").exists()
        return
    with Image.open(tmp_path / "panels.png") as picture:
        sheet = np.asarray(picture)
    assert len(sheet) == shown * 6 + (shown - 1) * GAP
    np.testing.assert_array_equal(sheet[:6, :9], images[0].permute(1, 2, 0))  # the first image is always among them


@pytest.mark.parametrize("item", ["../outside", "/tmp/outside", "a/../../b", "", "."])
def test_an_id_that_is_no_name_below_the_folder_is_refused(tmp_path, item):
    with pytest.raises(DataError, match=f"the mask of the image {item!r} would be written outside"):
        Gallery(Named("val", ["a", item]), tmp_path / "masks", tmp_path / "panels.png", 0, print)
    Gallery(Named("val", ["a", item]), None, tmp_path / "panels.png", 0, print)
    check_name("aachen/aachen_000000")
    check_name("..dots")


def test_a_full_disk_is_a_sentence(tmp_path, monkeypatch):
    def refuse(descriptor):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr("os.fsync", refuse)
    with pytest.raises(StoreError, match=r"mask\.png cannot be written: No space left on device; make room"):
        save_picture(Image.new("RGB", (3, 3)), tmp_path / "mask.png")
    assert list(tmp_path.iterdir()) == []


def test_a_gallery_that_is_to_end_writes_nothing_more(tmp_path):
    def ends(place):
        raise KeyboardInterrupt(place)

    gallery = Gallery(Named("val", ["a"]), tmp_path / "masks", tmp_path / "panels.png", 1, ends)
    mask = torch.zeros(6, 9, dtype=torch.uint8)
    with pytest.raises(KeyboardInterrupt, match="the trained weights are kept"):
        gallery.show(0, torch.zeros(3, 6, 9, dtype=torch.uint8), mask, mask)
    gallery.finish()
    assert list(tmp_path.iterdir()) == []
