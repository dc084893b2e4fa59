import numpy as np
import torch
from PIL import Image

from repro.engine.pictures import RIGHT, VOID, WRONG, mask_picture, panel, save_picture, stacked

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
