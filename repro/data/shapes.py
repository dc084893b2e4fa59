"""The built-in data set: drawn from (seed, index), so that a run needs no file and no download.

It makes three phenomena of the papers measurable: objects whose class is told only by a cue far away (context), objects
over a 1:10 range of sizes, and structures of 2 to 8 pixels with exact borders. Pixels at the borders of about half of
the plain objects are void, as in VOC 2012.
"""

import math
from collections.abc import Iterator, Mapping
from typing import Final

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from repro.data.spec import IGNORE, Colour, SegmentationDataset
from repro.errors import DataError
from repro.seeding import numpy_generator

Pixels = npt.NDArray[np.uint8]
Mask = npt.NDArray[np.bool_]

STRIP_SHARE: Final = 0.18
"""Width of the strip as a share of the image's side."""

_BACKGROUND, _STRIP, _TWIN_WARM, _TWIN_COOL, _GREEN, _CHECKER, _STRIPES, _WIRE = range(8)
_STRIP_COLOURS: Final = {_TWIN_WARM: (215, 150, 40), _TWIN_COOL: (50, 90, 215)}
_TWIN_COLOUR: Final = (200, 40, 140)
_WIRE_COLOUR: Final = (225, 225, 225)
# Light and dark colour of each plain class; the dark one shows only where the class has a texture.
_FILLS: Final = {
    _GREEN: ((50, 160, 60), (50, 160, 60)),
    _CHECKER: ((190, 70, 40), (35, 25, 25)),
    _STRIPES: ((30, 190, 200), (25, 40, 90)),
}
_TEXTURE_CELL_PIXELS: Final = 4
_DRAWS_PER_IMAGE: Final = 256


class Shapes(SegmentationDataset):
    """Square images with a strip along one side whose colour decides what the look-alike objects are.

    `twin_warm` and `twin_cool` look the same, lie at least `cue_distance` pixels from the strip, and are told apart
    only by the strip's warm or cool colour; each is the class of exactly half of the images. `green`, `checker` and
    `stripes` are told by colour and texture and are 7 to 70 pixels across in images of 192; `wire` are lines and
    crosses 2 to 8 pixels wide. Scaling or cropping would cut the strip off: train on the whole image, with flips only.

    Image `index` of a split depends on (seed, split, index) only: not on the number of images, and not on numpy's
    sampling algorithms, since only its raw uniform numbers are used.

    Args:
        split: "train", "val" or "test": three unrelated streams of images.
        size: Side of an image in pixels.
        train_images: Images of the split "train".
        val_images: Images of the split "val".
        test_images: Images of the split "test".
        seed: Seed of the data, apart from the seed of a run.
        cue_distance: Least distance in pixels between the strip and a twin: what a head must see across.
        split_sha256: Expected hash of the ids per split; not needed, since the arguments above decide them.

    Raises:
        DataError: Unknown split, or no room for twins at `cue_distance` from the strip.
    """

    name = "shapes"
    class_names = ("background", "strip", "twin_warm", "twin_cool", "green", "checker", "stripes", "wire")
    palette: tuple[Colour, ...] = (
        (70, 70, 70),
        (250, 170, 30),
        (220, 20, 60),
        (70, 130, 220),
        (60, 180, 75),
        (150, 80, 30),
        (70, 230, 230),
        (255, 255, 255),
    )

    def __init__(
        self,
        split: str,
        *,
        size: int = 192,
        train_images: int = 3200,
        val_images: int = 96,
        test_images: int = 96,
        seed: int = 0,
        cue_distance: int = 90,
        split_sha256: Mapping[str, str | None] | None = None,
    ) -> None:
        counts = {"train": train_images, "val": val_images, "test": test_images}
        if split not in counts:
            raise DataError(f"data set 'shapes' has no split {split!r}; it has {', '.join(counts)}")
        self.size, self.seed, self.cue_distance = size, seed, cue_distance
        self.strip_pixels = round(STRIP_SHARE * size)
        self.twin_radius = (round(size * 14 / 192), round(size * 25 / 192))
        depth = size - self.strip_pixels - cue_distance
        if depth < 2 * self.twin_radius[1] + 2 or cue_distance < 0:
            most = size - self.strip_pixels - 2 * self.twin_radius[1] - 2
            raise DataError(
                f"images of {size} pixels leave no room for objects {cue_distance} pixels from the strip;"
                f" with this size cue_distance may be 0 to {most}"
            )
        super().__init__(
            split, [f"{seed}-{split}-{index:05d}" for index in range(counts[split])], split_sha256=split_sha256
        )
        rows, columns = np.indices((size, size)) // _TEXTURE_CELL_PIXELS
        self._textures: dict[int, Mask] = {
            _GREEN: np.ones((size, size), bool),
            _CHECKER: (rows + columns) % 2 == 0,
            _STRIPES: rows % 2 == 0,
        }

    def load(self, index: int) -> tuple[Tensor, Tensor]:
        """Draws one item: image uint8 [3, size, size] and label uint8 [size, size]."""
        generator = numpy_generator(self.seed, "shapes", self.split, index)
        draws = _Draws(generator)
        # A pair of neighbours holds one image of either class, so that any split is balanced.
        first_is_warm = numpy_generator(self.seed, "shapes", self.split, "pair", index // 2).random() < 0.5
        twin = _TWIN_WARM if first_is_warm == (index % 2 == 0) else _TWIN_COOL

        image, label = self._background(draws)
        self._plain_objects(image, label, draws)
        self._twins(image, label, draws, twin)
        self._wires(image, label, draws)
        image[:, :, : self.strip_pixels] = draws.colour(_STRIP_COLOURS[twin])
        label[:, : self.strip_pixels] = _STRIP

        side = draws.integer(0, 3)
        if side & 1:
            image, label = image[:, :, ::-1], label[:, ::-1]
        if side & 2:
            image, label = image.transpose(0, 2, 1), label.T
        noisy = np.ascontiguousarray(image) + self._noise(generator)
        return torch.from_numpy(noisy), torch.from_numpy(np.ascontiguousarray(label))

    def _background(self, draws: "_Draws") -> tuple[Pixels, Pixels]:
        size = self.size
        level = draws.integer(80, 120)
        base = np.array([level + draws.integer(-10, 10) for _ in range(3)], np.uint8)
        across, down = (np.linspace(0, draws.uniform(0, 30), size).astype(np.uint8) for _ in range(2))
        shade = across[:: -1 if draws.integer(0, 1) else 1] + down[:: -1 if draws.integer(0, 1) else 1, None]
        image: Pixels = base[:, None, None] + shade
        return image, np.zeros((size, size), np.uint8)

    def _noise(self, generator: np.random.Generator) -> Pixels:
        raw = generator.bit_generator.random_raw(-(-3 * self.size**2 // 8)).astype("<u8", copy=False)
        levels = raw.view(np.uint8)[: 3 * self.size**2] & np.uint8(15)
        return levels.reshape(3, self.size, self.size)

    def _plain_objects(self, image: Pixels, label: Pixels, draws: "_Draws") -> None:
        scale = self.size / 192
        radii = sorted((3.5 * 10 ** draws.uniform(0, 1) * scale for _ in range(draws.integer(4, 7))), reverse=True)
        for radius in radii:
            kind, form, with_void = draws.integer(_GREEN, _STRIPES), draws.integer(0, 2), draws.integer(0, 1)
            row, column = draws.uniform(0, self.size), draws.uniform(self.strip_pixels, self.size)
            window, down, across = self._window(row, column, radius + 3)
            inside = _form(form, down, across, radius)
            if with_void:
                label[window][_form(form, down, across, radius + 1.5)] = IGNORE
            light, dark = _FILLS[kind]
            texture = self._textures[kind][window]
            part = image[:, *window]
            np.copyto(part, draws.colour(dark), where=inside)
            np.copyto(part, draws.colour(light), where=inside & texture)
            label[window][inside] = kind

    def _twins(self, image: Pixels, label: Pixels, draws: "_Draws", twin: int) -> None:
        nearest = self.strip_pixels + self.cue_distance
        slots = 3
        count, first = draws.integer(1, slots), draws.integer(0, slots - 1)
        for number in range(count):
            radius = draws.uniform(*self.twin_radius)
            slot = (first + number) % slots
            slack = self.size / slots - 2 * radius
            row = slot * self.size / slots + radius + draws.uniform(0, max(slack, 0))
            column = draws.uniform(nearest + radius + 1, self.size - radius)
            window, down, across = self._window(row, column, radius + 2)
            inside = _form(draws.integer(0, 2), down, across, radius)
            np.copyto(image[:, *window], draws.colour(_TWIN_COLOUR), where=inside)
            label[window][inside] = twin

    def _wires(self, image: Pixels, label: Pixels, draws: "_Draws") -> None:
        scale = self.size / 192
        for _ in range(draws.integer(2, 4)):
            half_length, half_width = draws.uniform(12, 45) * scale, draws.integer(2, 8) / 2
            angle = draws.uniform(0, math.pi)
            row, column = draws.uniform(0, self.size), draws.uniform(self.strip_pixels, self.size)
            window, down, across = self._window(row, column, half_length + 2)
            along = math.cos(angle) * across + math.sin(angle) * down
            beside = math.cos(angle) * down - math.sin(angle) * across
            inside = (np.abs(beside) <= half_width) & (np.abs(along) <= half_length)
            if draws.integer(0, 1):
                inside |= (np.abs(along) <= half_width) & (np.abs(beside) <= half_length)
            np.copyto(image[:, *window], draws.colour(_WIRE_COLOUR), where=inside)
            label[window][inside] = _WIRE

    def _window(
        self, row: float, column: float, reach: float
    ) -> tuple[tuple[slice, slice], npt.NDArray[np.float32], npt.NDArray[np.float32]]:
        """The part of the image within `reach` of a centre, and how far its pixels lie down and across from there."""
        ends = [(max(int(c - reach), 0), min(int(c + reach) + 1, self.size)) for c in (row, column)]
        down = np.arange(*ends[0], dtype=np.float32) + np.float32(0.5 - row)
        across = np.arange(*ends[1], dtype=np.float32) + np.float32(0.5 - column)
        return (slice(*ends[0]), slice(*ends[1])), down[:, None], across


def _form(form: int, down: npt.NDArray[np.float32], across: npt.NDArray[np.float32], radius: float) -> Mask:
    """The pixels inside a disc (0), a square (1) or a diamond (2) that reaches at most `radius` from its centre."""
    mask: Mask
    if form == 0:
        mask = down * down + across * across <= radius * radius
    elif form == 1:
        mask = (np.abs(down) <= 0.9 * radius) & (np.abs(across) <= 0.9 * radius)
    else:
        mask = np.abs(down) + np.abs(across) <= radius
    return mask


class _Draws:
    """Uniform numbers drawn at once and handed out one by one, ten times cheaper than a numpy call for each."""

    def __init__(self, generator: np.random.Generator) -> None:
        self._numbers: Iterator[float] = iter(generator.random(_DRAWS_PER_IMAGE).tolist())

    def uniform(self, low: float, high: float) -> float:
        return low + (high - low) * next(self._numbers)

    def integer(self, low: int, high: int) -> int:
        """One of the integers from low to high, both included."""
        return low + int((high - low + 1) * next(self._numbers))

    def colour(self, around: Colour) -> Pixels:
        """A colour [3, 1, 1] within 12 levels of the given one."""
        return np.array([[[level + self.integer(-12, 12)]] for level in around], np.uint8)
