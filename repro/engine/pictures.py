"""Pictures of predictions: masks in the dataset's palette, and panels for the eye."""

import io
from collections.abc import Callable, Sequence
from pathlib import Path, PurePosixPath

import numpy as np
from PIL import Image
from torch import Tensor

from repro.data import IGNORE, SegmentationDataset
from repro.engine.team import ALONE, Team
from repro.errors import DataError
from repro.store.files import atomic_write

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
    """Writes a PNG whole or not at all, making the folder if needed.

    Raises:
        StoreError: the disk refuses it.
    """
    content = io.BytesIO()
    picture.save(content, "PNG", optimize=True)
    atomic_write(path, content.getvalue())


def check_name(item: str) -> None:
    """Refuses an id that is no name of a file below a folder.

    Raises:
        DataError: naming the id.
    """
    path = PurePosixPath(item)
    if path.is_absolute() or ".." in path.parts or not path.parts or "\0" in item:
        raise DataError(f"the mask of the image {item!r} would be written outside the folder of the masks; "
                        "rename the image in the list of its split, or give evaluation.masks=false")  # fmt: skip


class Gallery:
    """Writes masks of all images and panels of a few, evenly spread over the split.

    Args:
        dataset: the evaluated split.
        masks: folder for the masks; None for none.
        panels: file for the panels.
        count: how many images the panels show.
        interrupt: called with a place before each image; raises if the evaluation is to end.
        team: the processes that share the images; each writes the masks of its own.

    Raises:
        DataError: an id would name a mask outside their folder.
    """

    def __init__(
        self,
        dataset: SegmentationDataset,
        masks: Path | None,
        panels: Path,
        count: int,
        interrupt: Callable[[str], None],
        team: Team = ALONE,
    ) -> None:
        self._dataset, self._masks, self._panels, self._interrupt = dataset, masks, panels, interrupt
        self._team = team
        if masks is not None:
            for item in dataset.ids:
                check_name(item)
        count = min(count, len(dataset))
        self._chosen = {index * len(dataset) // count for index in range(count)}
        self._shown: dict[int, Image.Image] = {}

    def show(self, index: int, image: Tensor, label: Tensor, prediction: Tensor) -> None:
        """Takes one evaluated image; also the place where a signal ends an evaluation."""
        self._interrupt("during the evaluation; the trained weights are kept")
        if self._masks is not None:
            picture = mask_picture(prediction, self._dataset.palette)
            save_picture(picture, self._masks / f"{self._dataset.ids[index]}.png")
        if index in self._chosen:
            self._shown[index] = panel(image, label, prediction, self._dataset.palette)

    def finish(self) -> None:
        """Writes the panels as one picture."""
        shown = {index: picture for part in self._team.collect(self._shown) for index, picture in part.items()}
        if shown and self._team.leads:
            save_picture(stacked([shown[index] for index in sorted(shown)]), self._panels)


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
