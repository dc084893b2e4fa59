"""Pictures of predictions: masks in the dataset's palette, and panels for the eye."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from PIL import Image
from torch import Tensor

IGNORE = 255
GAP = 4
RIGHT, WRONG, VOID = (40, 140, 60), (200, 30, 40), (225, 225, 225)

Palette = Sequence[tuple[int, int, int]]


def mask_picture(mask: Tensor, palette: Palette) -> Image.Image:
    """A palette picture of class indices `[H, W]`; 255 is drawn light grey."""
    picture = Image.fromarray(mask.numpy().astype(np.uint8), mode="P")
    colours = np.full((256, 3), VOID, dtype=np.uint8)
    colours[: len(palette)] = palette
    picture.putpalette(colours.tobytes())
    return picture


def panel(image: Tensor, label: Tensor, prediction: Tensor, palette: Palette) -> Image.Image:
    """Image | truth | prediction | error side by side.

    Args:
        image: uint8 `[3, H, W]`.
        label: uint8 `[H, W]`, 255 = ignore.
        prediction: uint8 `[H, W]`.
    """
    error = np.where((label == prediction).numpy()[..., None], RIGHT, WRONG).astype(np.uint8)
    error[(label == IGNORE).numpy()] = VOID
    parts = [
        Image.fromarray(image.permute(1, 2, 0).contiguous().numpy()),
        mask_picture(label, palette).convert("RGB"),
        mask_picture(prediction, palette).convert("RGB"),
        Image.fromarray(error),
    ]
    return _arranged([parts])


def stacked(panels: Sequence[Image.Image]) -> Image.Image:
    """Panels one below the other."""
    return _arranged([[picture] for picture in panels])


def save_picture(picture: Image.Image, path: Path) -> None:
    """Writes a PNG, making the folder if needed."""
    path.parent.mkdir(parents=True, exist_ok=True)
    picture.save(path, optimize=True)


def _arranged(rows: Sequence[Sequence[Image.Image]]) -> Image.Image:
    width = max(sum(part.width for part in row) + GAP * (len(row) - 1) for row in rows)
    height = sum(max(part.height for part in row) for row in rows) + GAP * (len(rows) - 1)
    sheet = Image.new("RGB", (width, height), "white")
    top = 0
    for row in rows:
        left = 0
        for part in row:
            sheet.paste(part, (left, top))
            left += part.width + GAP
        top += max(part.height for part in row) + GAP
    return sheet
