"""Augmentation of training images on uint8 tensors, and normalisation on the device."""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import torch
from torch import Tensor
from torchvision.transforms import InterpolationMode
from torchvision.transforms.v2 import functional

from repro.data.spec import IGNORE, IMAGENET_MEAN, IMAGENET_STD, PAD_COLOUR
from repro.errors import ConfigError


@dataclass(frozen=True)
class Window:
    """One draw of the augmentation: the source pixels that are cut out, and what becomes of them.

    Attributes:
        top: First source row.
        left: First source column.
        rows: Source rows.
        columns: Source columns.
        height: Rows that the cut becomes; the crop's remaining rows are padding.
        width: Columns that the cut becomes; the crop's remaining columns are padding.
        flip: Whether left and right change places, padding included.
    """

    top: int
    left: int
    rows: int
    columns: int
    height: int
    width: int
    flip: bool


class Augmentation:
    """Random scale, pad, random crop and random flip of an image and its label; a pure function of the generator.

    The customary order scales the whole image, pads it at the bottom and on the right (image mean, label 255), crops
    and flips. Here the crop comes first: the `round(crop / scale)` source pixels that the crop would show are cut out,
    and only they are resized.

    Differs: the window's corner is drawn in source pixels, the scale is rounded to a whole number of source pixels, and
    interpolation sees nothing beyond the window. Against the customary order with the same draws colours differ by
    about 2 grey levels and 0.7 % of the labels, all along borders; `python -m tests.bench.loader` measures both.

    Args:
        crop_size: Side of the square crop in pixels; None keeps the whole image, which then must not be scaled.
        scale_range: Least and greatest factor of the image's side.
        scale_step: Spacing of the possible factors, counted from the least; None draws from the whole interval.
        flip: Whether half of the images are mirrored left to right.
        antialias: Whether an image that shrinks has its pixels averaged, as by PIL and torchvision, or is read between
            the four nearest ones, as by TensorFlow and OpenCV.
        label_from_corner: Whether a resized label is read at the upper left corner of each new pixel, as by OpenCV, or
            at its centre, as by PIL and torchvision. The image's grid is that of the centres: a label from the corners
            lies up to half a source pixel beside it.

    Raises:
        ConfigError: Settings that contradict each other.
    """

    def __init__(
        self,
        crop_size: int | None = None,
        scale_range: tuple[float, float] = (1.0, 1.0),
        scale_step: float | None = None,
        flip: bool = True,
        antialias: bool = True,
        label_from_corner: bool = False,
    ) -> None:
        if len(scale_range) != 2 or not 0 < scale_range[0] <= scale_range[1]:
            raise ConfigError(
                f"scale_range is {list(scale_range)}; it holds the least and the greatest factor, as in [0.5, 2.0]"
            )
        low, high = float(scale_range[0]), float(scale_range[1])
        if crop_size is None and (low, high) != (1.0, 1.0):
            raise ConfigError(
                f"scale_range [{low}, {high}] needs a crop_size, since images of many sizes make no batch;"
                " without a crop it must be [1.0, 1.0]"
            )
        if crop_size is not None and crop_size < 1:
            raise ConfigError(
                f"crop_size is {crop_size}; it is a number of pixels, at least 1, or null for whole images"
            )
        steps = 0.0 if scale_step is None or scale_step <= 0 else (high - low) / scale_step
        if scale_step is not None and (scale_step <= 0 or abs(steps - round(steps)) > 1e-6):
            raise ConfigError(
                f"scale_step {scale_step} does not lead from {low} to {high} in whole steps; choose one that does, or"
                " null for any factor between them"
            )
        self.crop_size = crop_size
        self.scale_range = (low, high)
        self.scale_step = None if scale_step is None else float(scale_step)
        self.flip = bool(flip)
        self.antialias = bool(antialias)
        self.label_from_corner = bool(label_from_corner)

    def __call__(self, image: Tensor, label: Tensor, generator: np.random.Generator) -> tuple[Tensor, Tensor]:
        """Augments one item.

        Args:
            image: uint8 [3, H, W], in any memory format.
            label: uint8 [H, W].
            generator: Source of the draws; always the same number of draws is taken.

        Returns:
            Image uint8 [3, crop, crop] and label uint8 [crop, crop]; [3, H, W] and [H, W] without a crop size.
        """
        return self.apply(image, label, self.draw(label.shape[-2], label.shape[-1], generator))

    def draw(self, height: int, width: int, generator: np.random.Generator) -> Window:
        """Draws the window for an image of `height` x `width` pixels."""
        for_scale, for_top, for_left, for_flip = generator.random(4).tolist()
        flip = self.flip and for_flip < 0.5
        if self.crop_size is None:
            return Window(0, 0, height, width, height, width, flip)
        scale = self._scale(for_scale)
        top, rows, new_height = _span(height, self.crop_size, scale, for_top)
        left, columns, new_width = _span(width, self.crop_size, scale, for_left)
        return Window(top, left, rows, columns, new_height, new_width, flip)

    def apply(self, image: Tensor, label: Tensor, window: Window) -> tuple[Tensor, Tensor]:
        """Cuts, resizes, pads and flips as the window says; shapes as in `__call__`."""
        rows = slice(window.top, window.top + window.rows)
        columns = slice(window.left, window.left + window.columns)
        image, label = image[:, rows, columns], label[rows, columns]
        size = [window.height, window.width]
        if size != [window.rows, window.columns]:
            # Two to three times faster on a window whose pixels lie together, channels last; the copy is small.
            image = image.permute(1, 2, 0).contiguous().permute(2, 0, 1)
            shrinks = window.height < window.rows or window.width < window.columns
            image = functional.resize_image(
                image, size, interpolation=InterpolationMode.BILINEAR, antialias=self.antialias and shrinks
            )
            label = _resize_label(label, window, self.label_from_corner)
        if self.crop_size is not None and size != [self.crop_size, self.crop_size]:
            image, label = _pad(image, label, self.crop_size)
        if window.flip:
            image, label = image.flip(-1), label.flip(-1)
        return image, label

    def _scale(self, draw: float) -> float:
        low, high = self.scale_range
        if self.scale_step is None:
            return low + (high - low) * draw
        return low + self.scale_step * int(draw * (round((high - low) / self.scale_step) + 1))


def normalise(images: Tensor) -> Tensor:
    """Brings colours to the scale that ImageNet weights expect: `(image / 255 - mean) / std` per channel.

    Args:
        images: uint8 [B, 3, H, W] on any device.

    Returns:
        float32 [B, 3, H, W] on the same device, in the same memory format.
    """
    scale, shift = _normalisation(images.device)
    return images.to(torch.float32).mul_(scale).add_(shift)


@lru_cache(maxsize=16)
def _normalisation(device: torch.device) -> tuple[Tensor, Tensor]:
    mean, std = (torch.tensor(values, dtype=torch.float64).view(1, 3, 1, 1) for values in (IMAGENET_MEAN, IMAGENET_STD))
    return (1 / (255 * std)).float().to(device), (-mean / std).float().to(device)


def _span(length: int, crop: int, scale: float, draw: float) -> tuple[int, int, int]:
    """Along one side: first source pixel, number of source pixels, and number of pixels that they become."""
    scaled = max(round(length * scale), 1)
    if scaled <= crop:
        return 0, length, scaled
    source = min(max(round(crop / scale), 1), length)
    return int(draw * (length - source + 1)), source, crop


def _resize_label(label: Tensor, window: Window, from_corner: bool) -> Tensor:
    """The label at the pixel centres of the resized window, as the image's grid has it, or at the pixels' corners."""
    values = label.numpy()
    down = _nearest(window.rows, window.height, from_corner)
    across = _nearest(window.columns, window.width, from_corner)
    # The side that shrinks most goes first: fewer values are moved twice.
    return torch.from_numpy(values.take(across, axis=1).take(down, axis=0))


def _nearest(source: int, target: int, from_corner: bool) -> np.ndarray[tuple[int], np.dtype[np.intp]]:
    return ((2 * np.arange(target) + (not from_corner)) * source) // (2 * target)


def _pad(image: Tensor, label: Tensor, crop: int) -> tuple[Tensor, Tensor]:
    height, width = label.shape
    row = torch.tensor(PAD_COLOUR, dtype=torch.uint8).repeat(crop, 1)
    padded = row.expand(crop, crop, 3).contiguous().permute(2, 0, 1)
    padded[:, :height, :width] = image
    padded_label = torch.full((crop, crop), IGNORE, dtype=torch.uint8)
    padded_label[:height, :width] = label
    return padded, padded_label
