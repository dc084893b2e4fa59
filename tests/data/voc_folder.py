"""A tiny folder in the format of PASCAL VOC 2012 and SBD: JPEG photographs, palette PNG masks, lists and .mat masks."""

from pathlib import Path

import numpy as np
from PIL import Image
from scipy.io import savemat
from scipy.sparse import csc_matrix

from repro.data import VOC
from repro.data.voc import colour_map

PALETTE = [channel for colour in colour_map(256) for channel in colour]


def make_voc(
    root: Path,
    *,
    train: int = 8,
    val: int = 4,
    test: int = 2,
    extra: int = 6,
    size: tuple[int, int] = (72, 56),
    seed: int = 0,
) -> dict[str, list[str]]:
    """Draws the folder and returns the sorted ids that every split must have.

    SBD's lists hold the `extra` images and, as the real ones do, images of VOC's train and val; its masks of those are
    all background, so that a test can tell which mask was read.

    Args:
        root: Folder that gets `VOCdevkit` and `SBD`.
        train: Number of VOC's training images, at least 2.
        val: Number of its validation images, at least 2.
        test: Number of its test images, without masks.
        extra: Number of images that only SBD has masks of, at least 2.
        size: Width and height in pixels; odd items stand upright.
        seed: Of the drawings.
    """
    counts = {"train": train, "val": val, "extra": extra, "test": test}
    names = iter(f"2007_{number:06d}" for number in np.random.default_rng(seed).permutation(1000))
    ids = {part: [next(names) for _ in range(count)] for part, count in counts.items()}
    voc, sbd = root / "VOCdevkit" / "VOC2012", root / "SBD"
    for folder in (voc / "JPEGImages", voc / "SegmentationClass", voc / "ImageSets" / "Segmentation", sbd / "cls"):
        folder.mkdir(parents=True)
    background = np.zeros(1, dtype=np.uint8)
    for index, name in enumerate(name for part in ids.values() for name in part):
        image, mask = drawing(index, size if index % 2 == 0 else size[::-1], seed)
        Image.fromarray(image).save(voc / "JPEGImages" / f"{name}.jpg", quality=90)
        if name in ids["train"] or name in ids["val"]:
            save_palette_mask(voc / "SegmentationClass" / f"{name}.png", mask)
            save_sbd_mask(sbd / "cls" / f"{name}.mat", np.broadcast_to(background, mask.shape))
        elif name in ids["extra"]:
            save_sbd_mask(sbd / "cls" / f"{name}.mat", np.where(mask == 255, 0, mask).astype(np.uint8))
    for part in ("train", "val", "test"):
        write_list(voc / "ImageSets" / "Segmentation" / f"{part}.txt", ids[part])
    write_list(sbd / "train.txt", [*ids["extra"][::2], ids["train"][0], ids["val"][0]])
    write_list(sbd / "val.txt", [*ids["extra"][1::2], ids["train"][1], ids["val"][1]])
    splits = {part: sorted(ids[part]) for part in ("train", "val", "test")}
    return splits | {
        "trainval": sorted(ids["train"] + ids["val"]),
        "trainaug": sorted(ids["train"] + ids["extra"]),
    }


def drawing(index: int, size: tuple[int, int], seed: int) -> tuple[np.ndarray, np.ndarray]:
    """A noisy photograph [H, W, 3] of one box in its class's colour, and its mask [H, W] with a void border."""
    generator = np.random.default_rng((seed, index))
    width, height = size
    category = 1 + index % (len(VOC.class_names) - 1)
    image = generator.integers(90, 110, (height, width, 3), dtype=np.uint8)
    mask = np.zeros((height, width), dtype=np.uint8)
    top, left = generator.integers(2, height // 3), generator.integers(2, width // 3)
    bottom, right = top + height // 2, left + width // 2
    mask[top - 1 : bottom + 1, left - 1 : right + 1] = 255
    mask[top:bottom, left:right] = category
    image[mask == category] = VOC.palette[category]
    return image, mask


def save_palette_mask(path: Path, mask: np.ndarray) -> None:
    """Writes a mask [H, W] as VOC does: indices into VOC's colour map."""
    picture = Image.fromarray(mask)
    picture.putpalette(PALETTE)
    picture.save(path)


def save_sbd_mask(path: Path, mask: np.ndarray) -> None:
    """Writes a mask [H, W] as SBD does: a struct GTcls with the mask, the boundaries per class and the classes."""
    boundaries = np.empty((len(VOC.class_names) - 1, 1), dtype=object)
    for category in range(len(boundaries)):
        boundaries[category, 0] = csc_matrix(np.abs(np.diff(mask == category + 1, axis=0, prepend=False)).astype(float))
    present = np.unique(mask[mask > 0]).astype(float)
    content = {"Boundaries": boundaries, "Segmentation": mask, "CategoriesPresent": present}
    savemat(path, {"GTcls": content}, do_compression=True)


def write_list(path: Path, ids: list[str]) -> None:
    """Writes a list of ids, one per line."""
    path.write_text("".join(f"{name}\n" for name in ids))
