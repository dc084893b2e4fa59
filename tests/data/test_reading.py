"""How images and masks are read: understood by their content, or refused with a sentence that names the file."""

import struct
import zlib
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from repro.data.reading import TURNS, check_label, check_same_size, read_image, read_index_mask
from repro.errors import DataError

GROUND, FIGURE, VOID = (0, 0, 0), (128, 0, 0), (224, 224, 192)
COLOURS = {GROUND: 0, FIGURE: 1, VOID: 255}


def packed(path: Path, bits: int, kind: int, row: bytes, palette: bytes = b"") -> Path:
    """Writes a PNG of one row by hand: 2 pixels of a depth and kind (0 grey, 2 RGB, 3 palette, 4 and 6 with alpha)."""
    parts = {
        b"IHDR": struct.pack(">IIBBBBB", 2, 1, bits, kind, 0, 0, 0),
        **({b"PLTE": palette} if palette else {}),
        b"IDAT": zlib.compress(b"\0" + row),
        b"IEND": b"",
    }
    chunks = (
        struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))
        for name, data in parts.items()
    )
    path.write_bytes(b"\x89PNG\r\n\x1a\n" + b"".join(chunks))
    return path


def palette_mask(path: Path, indices: list[list[int]], colours: dict[int, tuple[int, int, int]]) -> Path:
    """Writes a palette PNG that shows indices in colours."""
    mask = Image.fromarray(np.array(indices, np.uint8))
    mask.putpalette([level for index in range(max(colours) + 1) for level in colours.get(index, (9, 9, 9))])
    mask.save(path)
    return path


def test_png_image_is_read_exactly(tmp_path: Path) -> None:
    pixels = np.random.default_rng(0).integers(0, 256, (5, 7, 3), dtype=np.uint8)
    Image.fromarray(pixels).save(tmp_path / "a.png")
    image = read_image(tmp_path / "a.png")
    assert image.dtype == torch.uint8
    assert torch.equal(image, torch.from_numpy(pixels).permute(2, 0, 1))


def test_grey_jpeg_becomes_rgb(tmp_path: Path) -> None:
    Image.fromarray(np.full((8, 8), 77, np.uint8)).save(tmp_path / "grey.jpg")
    assert read_image(tmp_path / "grey.jpg").shape == (3, 8, 8)


@pytest.mark.parametrize("mode", ["P", "L"])
def test_index_mask_keeps_indices(tmp_path: Path, mode: str) -> None:
    indices = np.array([[0, 1, 255], [20, 3, 7]], np.uint8)
    mask = Image.fromarray(indices)
    if mode == "P":
        mask.putpalette([(37 * value) % 256 for value in range(768)])
    mask.save(tmp_path / "m.png")
    assert read_index_mask(tmp_path / "m.png").tolist() == indices.tolist()


def test_colour_mask_is_refused(tmp_path: Path) -> None:
    Image.new("RGB", (2, 2)).save(tmp_path / "m.png")
    with pytest.raises(DataError, match=r"m\.png has pixels of kind 'RGB'.*palette or 8-bit grey"):
        read_index_mask(tmp_path / "m.png")


@pytest.mark.parametrize("read", [read_image, read_index_mask])
def test_missing_file_is_named(tmp_path: Path, read: object) -> None:
    assert callable(read)
    with pytest.raises(DataError, match=r"gone\.png is missing"):
        read(tmp_path / "gone.png")


@pytest.mark.parametrize("read", [read_image, read_index_mask])
def test_what_the_system_refuses_is_not_called_damaged(tmp_path: Path, read: Callable[[Path], torch.Tensor]) -> None:
    (tmp_path / "a.png").mkdir()
    with pytest.raises(DataError, match=r"a\.png cannot be read: Is a directory$"):
        read(tmp_path / "a.png")


@pytest.mark.parametrize("suffix", ["jpg", "png"])
@pytest.mark.parametrize("damage", ["empty", "cut", "text"])
def test_damaged_file_is_named(tmp_path: Path, suffix: str, damage: str) -> None:
    path = tmp_path / f"harm.{suffix}"
    Image.fromarray(np.random.default_rng(0).integers(0, 256, (64, 64), dtype=np.uint8)).save(path)
    whole = path.read_bytes()
    path.write_bytes({"empty": b"", "cut": whole[: len(whole) // 2], "text": b"not an image"}[damage])
    with pytest.raises(DataError, match=rf"harm\.{suffix} cannot be read: it is damaged"):
        read_image(path)
    if suffix == "png":
        with pytest.raises(DataError, match=r"harm\.png cannot be read: it is damaged"):
            read_index_mask(path)


@given(st.lists(st.integers(0, 255), min_size=1, max_size=30), st.integers(1, 255))
def test_check_label_accepts_classes_and_ignore_only(values: list[int], num_classes: int) -> None:
    label = torch.tensor([values], dtype=torch.uint8)
    wrong = [value for value in values if num_classes <= value < 255]
    if not wrong:
        check_label(label, num_classes, "a.png")
        return
    with pytest.raises(DataError) as error:
        check_label(label, num_classes, "a.png")
    assert f"a.png holds the value {wrong[0]} at row 0, column {values.index(wrong[0])}" in str(error.value)


def test_sizes_must_agree() -> None:
    image, label = torch.zeros((3, 4, 6), dtype=torch.uint8), torch.zeros((4, 5), dtype=torch.uint8)
    check_same_size(image, label.new_zeros((4, 6)), "a.jpg", "a.png")
    with pytest.raises(DataError, match=r"a\.jpg is 6x4 pixels.*a\.png is 5x4"):
        check_same_size(image, label, "a.jpg", "a.png")


@pytest.mark.parametrize(
    ("pixels", "mode", "expected"),
    [
        ([[0, 128]], "L", [0, 0, 0, 128, 128, 128]),
        ([[[1, 2, 3, 255], [4, 5, 6, 255]]], "RGBA", [1, 2, 3, 4, 5, 6]),
        ([[[7, 255], [8, 255]]], "LA", [7, 7, 7, 8, 8, 8]),
    ],
)
def test_grey_and_opaque_images_are_understood(
    tmp_path: Path, pixels: list[object], mode: str, expected: list[int]
) -> None:
    Image.fromarray(np.array(pixels, np.uint8)).save(tmp_path / "a.png")
    with Image.open(tmp_path / "a.png") as written:
        assert written.mode == mode
    assert read_image(tmp_path / "a.png").permute(1, 2, 0).flatten().tolist() == expected


def test_a_palette_image_shows_its_colours(tmp_path: Path) -> None:
    image = read_image(palette_mask(tmp_path / "a.png", [[0, 1]], {0: FIGURE, 1: VOID}))
    assert image.permute(1, 2, 0).tolist() == [[list(FIGURE), list(VOID)]]


def test_a_photograph_with_its_preview_is_the_photograph(tmp_path: Path) -> None:
    pictures = [Image.new("RGB", (4, 4), colour) for colour in ("red", "blue")]
    pictures[0].save(tmp_path / "a.jpg", format="MPO", save_all=True, append_images=pictures[1:])
    red, _, blue = read_image(tmp_path / "a.jpg")[:, 0, 0].tolist()
    assert red > 200 > 50 > blue


@pytest.mark.parametrize(
    ("bits", "kind", "row"), [(16, 0, b"\1\2" * 2), (16, 2, b"\1\2" * 6), (16, 4, b"\1\2" * 4), (16, 6, b"\1\2" * 8)]
)
def test_an_image_of_16_bits_is_refused(tmp_path: Path, bits: int, kind: int, row: bytes) -> None:
    with pytest.raises(DataError, match=r"a\.png has more than 8 bits per channel \(.*;16B\).* write it with 8 bits"):
        read_image(packed(tmp_path / "a.png", bits, kind, row))


def test_an_image_for_print_is_refused(tmp_path: Path) -> None:
    Image.new("CMYK", (4, 4)).save(tmp_path / "a.jpg")
    with pytest.raises(DataError, match=r"a\.jpg has colours of kind 'CMYK'.*write it as RGB"):
        read_image(tmp_path / "a.jpg")


@pytest.mark.parametrize("kind", ["alpha", "one colour"])
def test_a_transparent_image_is_refused(tmp_path: Path, kind: str) -> None:
    if kind == "alpha":
        Image.new("RGBA", (4, 4), (1, 2, 3, 254)).save(tmp_path / "a.png")
    else:
        Image.new("RGB", (4, 4), (1, 2, 3)).save(tmp_path / "a.png", transparency=(1, 2, 3))
    with pytest.raises(DataError, match=r"a\.png is transparent in places"):
        read_image(tmp_path / "a.png")


@pytest.mark.parametrize("suffix", ["gif", "png", "webp", "tiff"])
@pytest.mark.parametrize("read", [read_image, read_index_mask])
def test_a_file_of_several_pictures_is_refused(tmp_path: Path, suffix: str, read: object) -> None:
    assert callable(read)
    pictures = [Image.new("RGB", (4, 4), colour) for colour in ("red", "blue")]
    pictures[0].save(tmp_path / f"a.{suffix}", save_all=True, append_images=pictures[1:])
    with pytest.raises(DataError, match=rf"a\.{suffix} holds several pictures"):
        read(tmp_path / f"a.{suffix}")


@pytest.mark.parametrize("orientation", range(10))
@pytest.mark.parametrize("suffix", ["jpg", "png"])
def test_a_picture_that_programs_turn_is_refused(tmp_path: Path, orientation: int, suffix: str) -> None:
    tags = Image.Exif()
    tags[0x0112] = orientation
    Image.new("L", (4, 2)).save(tmp_path / f"a.{suffix}", exif=tags)
    reads = [read_image] if suffix == "jpg" else [read_image, read_index_mask]
    for read in reads:
        if orientation not in TURNS:
            assert read(tmp_path / f"a.{suffix}").shape[-2:] == (2, 4)
            continue
        with pytest.raises(DataError, match=rf"a\.{suffix} has the EXIF orientation {orientation}: .*exiftool"):
            read(tmp_path / f"a.{suffix}")


@pytest.mark.parametrize(("bits", "row"), [(1, b"\x40"), (2, b"\x70"), (4, b"\x13")])
def test_a_grey_mask_of_few_bits_keeps_its_indices(tmp_path: Path, bits: int, row: bytes) -> None:
    expected = {1: [0, 1], 2: [1, 3], 4: [1, 3]}[bits]
    assert read_index_mask(packed(tmp_path / "m.png", bits, 0, row)).tolist() == [expected]


def test_a_mask_that_an_editor_renumbered_is_understood_by_its_colours(tmp_path: Path) -> None:
    before = palette_mask(tmp_path / "a.png", [[0, 1], [255, 0]], {index: colour for colour, index in COLOURS.items()})
    after = palette_mask(tmp_path / "b.png", [[2, 0], [1, 2]], {0: FIGURE, 1: VOID, 2: GROUND})
    assert read_index_mask(before, COLOURS).tolist() == read_index_mask(after, COLOURS).tolist() == [[0, 1], [255, 0]]
    assert read_index_mask(after).tolist() == [[2, 0], [1, 2]]


@pytest.mark.parametrize(
    "palette",
    [
        {index: (index, index, index) for index in range(256)},
        {0: GROUND, 1: FIGURE, 255: (255, 255, 255)},
        {0: GROUND, 1: FIGURE},
    ],
    ids=["grey", "white void", "short"],
)
def test_indices_in_their_own_or_no_colours_stay(tmp_path: Path, palette: dict[int, tuple[int, int, int]]) -> None:
    indices = [[0, 1], [255 if len(palette) != 2 else 0, 0]]
    assert read_index_mask(palette_mask(tmp_path / "m.png", indices, palette), COLOURS).tolist() == indices


def test_black_in_a_grey_palette_is_the_index_0_even_where_void_is_black(tmp_path: Path) -> None:
    colours = {FIGURE: 0, GROUND: 11}
    grey = palette_mask(tmp_path / "grey.png", [[0, 0]], {index: (index,) * 3 for index in range(256)})
    assert read_index_mask(grey, colours).tolist() == [[0, 0]]
    assert read_index_mask(palette_mask(tmp_path / "void.png", [[0, 0]], {0: GROUND}), colours).tolist() == [[11, 11]]


def test_an_index_beyond_the_palette_is_not_black(tmp_path: Path) -> None:
    path = packed(tmp_path / "m.png", 8, 3, b"\0\1", palette=bytes(FIGURE))
    with pytest.raises(DataError, match=r"m\.png has no colour for the index 1, so that"):
        read_index_mask(path, {GROUND: 0, FIGURE: 1, VOID: 255})


@pytest.mark.parametrize("palette", [{0: GROUND, 1: (1, 2, 3)}, {0: FIGURE, 1: (255, 255, 255)}])
def test_colours_that_the_data_set_does_not_have_are_named(
    tmp_path: Path, palette: dict[int, tuple[int, int, int]]
) -> None:
    path = palette_mask(tmp_path / "m.png", [[0, 1]], palette)
    with pytest.raises(DataError) as error:
        read_index_mask(path, COLOURS)
    assert f"{path} shows the index 1 in the colour {palette[1]}, which the data set does not have" in str(error.value)
    assert "(128, 0, 0) = 1, (224, 224, 192) = 255" in str(error.value)


@pytest.mark.parametrize("colours", [None, COLOURS])
def test_the_refusal_of_a_coloured_mask_says_how_to_convert_it(
    tmp_path: Path, colours: dict[tuple[int, int, int], int] | None
) -> None:
    Image.new("RGB", (2, 2)).save(tmp_path / "m.png")
    way = (
        r"replace every colour by its index: \(0, 0, 0\) = 0,"
        if colours
        else "replace every colour by the index of its"
    )
    with pytest.raises(DataError, match=rf"pixels of kind 'RGB'.*To convert it, {way}"):
        read_index_mask(tmp_path / "m.png", colours)


@pytest.mark.parametrize(("bits", "kind", "row"), [(16, 0, b"\0\2" * 2), (8, 4, b"\1\2" * 2)])
def test_a_mask_of_16_bits_or_with_alpha_is_refused(tmp_path: Path, bits: int, kind: int, row: bytes) -> None:
    with pytest.raises(DataError, match=r"m\.png has pixels of kind '(I;16|LA)'"):
        read_index_mask(packed(tmp_path / "m.png", bits, kind, row))


def test_a_mask_compressed_with_losses_is_refused(tmp_path: Path) -> None:
    Image.new("L", (8, 8)).save(tmp_path / "m.png", format="JPEG")
    with pytest.raises(DataError, match=r"m\.png is a JPEG file, whose compression changes class indices"):
        read_index_mask(tmp_path / "m.png")
