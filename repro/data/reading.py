"""How the files of a data set are read: by their content, understood or refused with a sentence, never bent to fit.

What two programs would read in two ways is refused: more than 8 bits per channel, transparency, colours for print,
several pictures in one file, a tag that turns the picture. Embedded colour profiles are not applied, as in public code.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from repro.data.declaration import IGNORE, value_outside
from repro.data.spec import Colour
from repro.errors import DataError, first_line

PLAIN_MODES = ("RGB", "L", "P", "1")
"""Kinds of pixels, in PIL's words, that have one meaning in RGB; with an opaque alpha channel those below have, too."""

ALPHA_MODES = ("RGBA", "LA", "PA")

ORIENTATION_TAG = 0x0112

TURNS = {
    2: "mirrored", 3: "turned by 180 degrees", 4: "mirrored upside down", 5: "mirrored and turned by 90 degrees",
    6: "turned by 90 degrees", 7: "mirrored and turned by 90 degrees", 8: "turned by 90 degrees",
}  # fmt: skip
"""Values of EXIF's orientation that change where a pixel is shown."""

SPREAD = {"L": 1, "L;2": 85, "L;4": 17}
"""Grey as packed in a file to the step by which PIL spreads its values over 0 to 255."""


def read_image(path: str | Path, kind: str = "image") -> Tensor:
    """Reads a JPEG or PNG file as an RGB image, uint8 [3, H, W], in channels-last order in memory.

    Grey, bilevel and palette pictures are understood, and an alpha channel that is opaque everywhere.

    Args:
        path: The file.
        kind: What a sentence calls it.

    Raises:
        DataError: The file is missing, empty, truncated or not an image, or can be read in more than one way (see this
            module); the message names it.
    """
    with _opened(path, kind) as image:
        raw_mode = _raw_mode(image)
        _check_single(image, path, kind)
        if image.mode in ("I", "F") or image.mode.startswith("I;") or ";16" in raw_mode:
            raise DataError(
                f"{kind} file {path} has more than 8 bits per channel ({raw_mode}), and how they become 8 is a choice;"
                " write it with 8 bits"
            )
        if image.mode not in (*PLAIN_MODES, *ALPHA_MODES):
            raise DataError(
                f"{kind} file {path} has colours of kind {image.mode!r}, which programs turn into RGB in different"
                " ways; write it as RGB"
            )
        if image.has_transparency_data and image.convert("RGBA").getchannel("A").getextrema() != (255, 255):
            raise DataError(
                f"{kind} file {path} is transparent in places, and what shows there is a choice; write it as RGB on the"
                " background that you want"
            )
        # A copy, since the array that PIL lends is read-only, which torch warns about.
        pixels = np.array(image if image.mode == "RGB" else image.convert("RGB"))
    return torch.from_numpy(pixels).permute(2, 0, 1)


def read_index_mask(path: str | Path, colours: Mapping[Colour, int] | None = None) -> Tensor:
    """Reads a PNG whose pixel values are class indices (palette or grey of at most 8 bits), uint8 [H, W].

    Args:
        path: The file.
        colours: The data set's colours and the index that each stands for, the void one's last. A palette mask whose
            indices were renumbered is then understood by the colours that it shows. Without them indices count as they
            are.

    Raises:
        DataError: The file is missing, damaged, compressed with losses, has another kind of pixel, or shows colours
            that the data set does not have; the message names it.
    """
    with _opened(path, "mask") as mask:
        mode, raw_mode = mask.mode, _raw_mode(mask)
        _check_single(mask, path, "mask")
        if mask.format in ("JPEG", "MPO"):
            raise DataError(f"mask file {path} is a JPEG file, whose compression changes class indices; write a PNG")
        if mode not in ("P", "L", "1") or (mode == "L" and raw_mode not in SPREAD):
            raise DataError(_foreign_mask(path, mode, raw_mode, colours))
        indices = np.array(mask, dtype=np.uint8)
        palette = mask.getpalette() if mode == "P" else None
    if mode == "L" and raw_mode != "L":
        indices //= np.uint8(SPREAD[raw_mode])
    if palette is not None and colours is not None and not (_is_grey(palette) or _has(palette, colours)):
        indices = _by_colour(indices, palette, colours, path)
    return torch.from_numpy(indices)


def check_label(label: Tensor, num_classes: int, path: str | Path) -> None:
    """Refuses a label, uint8 [H, W], that holds anything but 0 to `num_classes - 1` and 255.

    Raises:
        DataError: Names the file, the value and where it lies first.
    """
    found = value_outside(label, num_classes)
    if found is not None:
        value, row, column = found
        raise DataError(
            f"mask file {path} holds the value {value} at row {row}, column {column}; it may hold the classes"
            f" 0 to {num_classes - 1} and {IGNORE} for ignored pixels"
        )


def check_same_size(image: Tensor, label: Tensor, image_path: str | Path, label_path: str | Path) -> None:
    """Refuses an image [3, H, W] and a label [H, W] of different sizes.

    Raises:
        DataError: Names both files and both sizes.
    """
    if image.shape[-2:] != label.shape[-2:]:
        sizes = [f"{tensor.shape[-1]}x{tensor.shape[-2]}" for tensor in (image, label)]
        raise DataError(
            f"image file {image_path} is {sizes[0]} pixels (width x height), its mask {label_path} is {sizes[1]};"
            " they must have the same size"
        )


@contextmanager
def _opened(path: str | Path, kind: str) -> Iterator[Image.Image]:
    try:
        with Image.open(path) as image:
            yield image
    except FileNotFoundError as error:
        raise DataError(f"{kind} file {path} is missing") from error
    # PIL reports damage under all of these names; only the system's own refusals have a number.
    except (OSError, SyntaxError, ValueError, EOFError, Image.DecompressionBombError) as error:
        if isinstance(error, OSError) and error.errno is not None:
            raise DataError(f"{kind} file {path} cannot be read: {error.strerror}") from error
        raise DataError(
            f"{kind} file {path} cannot be read: it is damaged or not an image; restore it ({first_line(error)})"
        ) from error


def _raw_mode(image: Image.Image) -> str:
    """How pixels are packed in the file, which PIL tells until it has read them: `RGB;16B` is opened as `RGB`."""
    arguments = image.tile[0][3] if image.tile else image.mode  # type: ignore[attr-defined]
    return arguments if isinstance(arguments, str) else str(arguments[0]) if arguments else image.mode


def _check_single(image: Image.Image, path: str | Path, kind: str) -> None:
    """Refuses an animated file and one that is shown turned; reads the pixels, behind which a PNG may have its tags."""
    # Cameras write a photograph with its preview as a pair, of which the first is meant.
    if getattr(image, "is_animated", False) and image.format != "MPO":
        raise DataError(f"{kind} file {path} holds several pictures; write the one that is meant")
    image.load()
    orientation = image.getexif().get(ORIENTATION_TAG)
    if orientation in TURNS:
        raise DataError(
            f"{kind} file {path} has the EXIF orientation {orientation}: some programs show it {TURNS[orientation]},"
            " others do not, so that image and mask need not lie on each other; write it as it is meant, without the"
            " tag (exiftool -Orientation= keeps the pixels, mogrify -auto-orient turns them)"
        )


def _has(palette: list[int], colours: Mapping[Colour, int]) -> bool:
    """Whether a palette shows every index in its own colour, as far as it goes."""
    return all(tuple(palette[3 * index : 3 * index + 3]) in (colour, ()) for colour, index in colours.items())


def _is_grey(palette: list[int]) -> bool:
    """Whether a palette shows every index as that grey, as programs write it for want of colours; not black alone."""
    return len(palette) > 3 and palette == [index // 3 for index in range(len(palette))]


def _by_colour(indices: np.ndarray, palette: list[int], colours: Mapping[Colour, int], path: str | Path) -> np.ndarray:
    """The indices that the colours shown stand for; they stay where a palette is grey or shows void in its own way."""
    used = np.flatnonzero(np.bincount(indices.ravel(), minlength=256)).tolist()
    shown = {index: tuple(palette[3 * index : 3 * index + 3]) for index in used}
    void = list(colours.values())[-1]
    known = dict[tuple[int, ...], int](colours.items())
    meant = {index: known.get(colour, -1) for index, colour in shown.items()}
    foreign = [index for index in used if meant[index] < 0]
    in_place = all(meant[index] in (index, -1) for index in used)
    if in_place and all(index == void or shown[index] == (index,) * 3 for index in foreign):
        return indices
    if foreign:
        index, colour = foreign[0], shown[foreign[0]]
        what = f"shows the index {index} in the colour {colour}, which the data set does not have"
        raise DataError(
            f"mask file {path} {what if colour else f'has no colour for the index {index}'}, so that its indices cannot"
            " be told from its colours; write it with the data set's palette, or the class indices as 8-bit grey. The"
            f" colours are {_listed(colours)}"
        )
    table = np.zeros(256, dtype=np.uint8)
    table[used] = [meant[index] for index in used]
    return table.take(indices)


def _foreign_mask(path: str | Path, mode: str, raw_mode: str, colours: Mapping[Colour, int] | None) -> str:
    packed = f" ({raw_mode})" if raw_mode != mode else ""
    sentence = (
        f"mask file {path} has pixels of kind {mode!r}{packed}; class indices in a palette or 8-bit grey PNG are"
        " expected"
    )
    if not mode.startswith("RGB"):
        return sentence
    by = f" by its index: {_listed(colours)}" if colours else " by the index of its class, void by 255"
    return f"{sentence}. To convert it, replace every colour{by}, and write the indices with PIL's Image.fromarray"


def _listed(colours: Mapping[Colour, int]) -> str:
    return ", ".join(f"{colour} = {index}" for colour, index in colours.items())
