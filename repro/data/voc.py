"""PASCAL VOC 2012 segmentation, with the additional masks of the Semantic Boundaries Dataset (SBD) as trainaug."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from repro.data.listing import listed_ids, require, require_count, require_disjoint, require_files, require_some
from repro.data.reading import check_label, check_same_size, read_image, read_index_mask
from repro.data.spec import IGNORE, Colour, SegmentationDataset
from repro.errors import DataError

PARTS = {"train": ("train",), "trainaug": ("train",), "trainval": ("train", "val"), "val": ("val",), "test": ("test",)}
"""Split to the lists of VOC whose images it has, those of SBD aside."""

_WHERE = (
    "VOCtrainval_11-May-2012.tar is on the PASCAL VOC 2012 page (host.robots.ox.ac.uk), the test images are on its"
    " evaluation server; unpack them in {root}, so that {voc} holds JPEGImages, SegmentationClass and ImageSets"
)
_WHERE_SBD = (
    "SBD's benchmark.tgz is on the Semantic Contours page of Berkeley's computer vision group (www2.eecs.berkeley.edu);"
    " unpack it in {root}, so that {root}/benchmark_RELEASE/dataset, or {root}/SBD, holds cls, train.txt and val.txt;"
    " or put its masks as PNG files in {voc}/SegmentationClassAug"
)


def colour_map(count: int) -> tuple[Colour, ...]:
    """The first `count` colours of PASCAL VOC's colour map.

    The index's bits, three at a time from the lowest, become the highest remaining bits of red, green and blue
    (function `VOClabelcolormap` of the VOC development kit).
    """
    colours = []
    for index in range(count):
        channels = [0, 0, 0]
        for position in range(24):
            bit = index >> position & 1
            channels[position % 3] |= bit << (7 - position // 3)
        colours.append((channels[0], channels[1], channels[2]))
    return tuple(colours)


class VOC(SegmentationDataset):
    """PASCAL VOC 2012 (Everingham et al., IJCV 2015): 20 object classes and background, void borders ignored.

    Splits, sorted by id: `train` 1,464, `val` 1,449, `trainval` 2,913 and `test` 1,456 images of VOC itself, and
    `trainaug` 10,582 = (VOC train + SBD train + SBD val) - VOC val (SBD: Hariharan et al., ICCV 2011), the training set
    of DeepLabv3 and Vortex Pooling. VOC's own masks serve the 1,464 images of train, SBD's the other 9,118. The masks
    of the test images are not public: their labels are 255 everywhere.

    Files: `<root>/VOCdevkit/VOC2012/{JPEGImages,SegmentationClass,ImageSets/Segmentation}` and, for trainaug, `cls`,
    `train.txt` and `val.txt` of SBD in `<root>/SBD` or `<root>/benchmark_RELEASE/dataset`; SBD's images are VOC's.
    Where SBD is not there, `SegmentationClassAug` beside SegmentationClass or below the root, the masks of SBD and VOC
    as PNG files in common use: what it holds besides VOC's val is trainaug.

    Args:
        split: One of the splits above.
        root: Folder that holds VOCdevkit and SBD; VOCdevkit or VOC2012 itself is understood.
        split_sha256: Expected hash of the sorted ids per split, from the data set's configuration.
        expected_images: Expected number of images per split; a split without one is not checked.

    Raises:
        DataError: The split is unknown; files are missing; train and val share images; count or hash differ.
    """

    name = "voc"
    class_names = (
        "background", "aeroplane", "bicycle", "bird", "boat", "bottle", "bus", "car", "cat", "chair", "cow",
        "diningtable", "dog", "horse", "motorbike", "person", "pottedplant", "sheep", "sofa", "train", "tvmonitor",
    )  # fmt: skip
    palette = colour_map(len(class_names))

    def __init__(
        self,
        split: str,
        *,
        root: str | Path,
        split_sha256: Mapping[str, str | None] | None = None,
        expected_images: Mapping[str, int | None] | None = None,
    ) -> None:
        if split not in PARTS:
            raise DataError(f"data set 'voc' has no split {split!r}; it has {', '.join(PARTS)}")
        folder = Path(os.path.expanduser(root)).absolute()
        self._voc = _voc_folder(folder)
        self._lists = self._voc / "ImageSets" / "Segmentation"
        self._hint = _WHERE.format(root=folder, voc=self._voc)
        self._extra_masks: dict[str, Path] = {}
        self._instead: dict[Path, Path] = {}
        require(self.name, [self._voc / "JPEGImages", self._lists], self._hint)
        ids = sorted(self._listed("test")) if split == "test" else self._labelled_ids(split, folder)
        require_count(self.name, split, ids, expected_images)
        super().__init__(split, ids, split_sha256=split_sha256)
        images, masks = ([path(index) for index in range(len(ids))] for path in (self.image_path, self.label_path))
        self._instead = require_files(self.name, images, self._hint, [".jpeg", ".png"])
        if split != "test":
            self._instead |= require_files(self.name, masks, self._hint)

    def image_path(self, index: int) -> Path:
        """The JPEG file of an item."""
        path = self._voc / "JPEGImages" / f"{self.ids[index]}.jpg"
        return self._instead.get(path, path)

    def label_path(self, index: int) -> Path:
        """The file that an item's label is read from: VOC's palette PNG, or SBD's .mat or what was made of it."""
        name = self.ids[index]
        path = self._extra_masks.get(name) or self._voc / "SegmentationClass" / f"{name}.png"
        return self._instead.get(path, path)

    def load(self, index: int) -> tuple[Tensor, Tensor]:
        """Reads one item; see `SegmentationDataset`.

        Raises:
            DataError: Names the file that is missing, damaged, of another size or holds values outside the classes.
        """
        image_path = self.image_path(index)
        image = read_image(image_path)
        if self.split == "test":
            return image, torch.full(image.shape[-2:], IGNORE, dtype=torch.uint8)
        label = self.load_label(index)
        check_same_size(image, label, image_path, self.label_path(index))
        return image, label

    def load_label(self, index: int) -> Tensor:
        """Reads the mask of one item of another split than test, without its image; see `SegmentationDataset`.

        Raises:
            DataError: Names the file that is missing, damaged or holds values outside the classes.
        """
        path = self.label_path(index)
        label = read_sbd_mask(path) if path.suffix.lower() == ".mat" else read_index_mask(path, _COLOURS)
        check_label(label, self.num_classes, path)
        return label

    def _listed(self, split: str) -> set[str]:
        return set(listed_ids(self.name, self._lists / f"{split}.txt", self._hint))

    def _labelled_ids(self, split: str, root: Path) -> list[str]:
        train, val = self._listed("train"), self._listed("val")
        lists = {"train": (self._lists / "train.txt", train), "val": (self._lists / "val.txt", val)}
        require_disjoint(self.name, *lists.values())
        for part in PARTS[split]:
            require_some(self.name, *lists[part])
        if split == "trainaug":
            # Without VOC's val: SBD's own split is another one, and most of VOC's val images are in it.
            masks = self._masks_of_sbd(root)
            self._extra_masks = {name: mask for name, mask in masks.items() if name not in train | val}
        return sorted({name for part in PARTS[split] for name in lists[part][1]} | self._extra_masks.keys())

    def _masks_of_sbd(self, root: Path) -> dict[str, Path]:
        """Id to mask of every image that SBD has masks of."""
        places = _around(root, self._voc)
        folders = [place / name for place in places for name in ("SBD", "benchmark_RELEASE/dataset")]
        sbd = next((folder for folder in folders if folder.is_dir()), None)
        pictures = next((place / "SegmentationClassAug" for place in (self._voc, *places)
                         if (place / "SegmentationClassAug").is_dir()), None)  # fmt: skip
        if sbd is None and pictures is not None:
            masks = {path.stem: path for path in pictures.glob("[!.]*.[pP][nN][gG]")}
            require_some(self.name, pictures, masks)
            return masks
        sbd, hint = sbd or folders[0], _WHERE_SBD.format(root=root, voc=self._voc)
        require(self.name, [sbd / "cls", sbd / "train.txt", sbd / "val.txt"], hint)
        names = {name for part in ("train", "val") for name in listed_ids(self.name, sbd / f"{part}.txt", hint)}
        return {name: sbd / "cls" / f"{name}.mat" for name in names}


_COLOURS = {colour: index for index, colour in enumerate(VOC.palette)} | {colour_map(256)[IGNORE]: IGNORE}


def read_sbd_mask(path: str | Path) -> Tensor:
    """Reads the class mask of one SBD file (`GTcls.Segmentation` of a MATLAB file), uint8 [H, W].

    Raises:
        DataError: The file is missing, damaged, or has no such mask; the message names it.
    """
    # Imported here because it costs a third of a second that the other splits need not pay.
    from scipy.io import loadmat

    try:
        mask = loadmat(str(path), variable_names=["GTcls"])["GTcls"]["Segmentation"][0, 0]
        if mask.dtype != np.uint8 or mask.ndim != 2:
            raise ValueError(f"the mask is {mask.dtype} with {mask.ndim} dimensions")
        return torch.from_numpy(np.array(mask, order="C"))
    except FileNotFoundError as error:
        raise DataError(f"file {path} is missing") from error
    # The parser has no common error: damaged bytes surface as value, type, key, index or zlib errors and as its own.
    except Exception as error:
        if isinstance(error, OSError) and error.errno is not None:
            raise DataError(f"mask file {path} cannot be read: {error.strerror}") from error
        reason = f"{type(error).__name__}: {error}"
        raise DataError(
            f"mask file {path} is damaged or not a class file of SBD (no GTcls.Segmentation); restore it ({reason})"
        ) from error


def _voc_folder(root: Path) -> Path:
    """VOC2012 below a root that may also be VOCdevkit, or VOC2012 itself."""
    customary = root / "VOCdevkit" / "VOC2012"
    folders = (customary, root / "VOC2012", root)
    return next((folder for folder in folders if (folder / "JPEGImages").is_dir()), customary)


def _around(root: Path, voc: Path) -> list[Path]:
    """Where SBD may lie: in the root, or where the root would be if VOCdevkit were in it."""
    devkit = voc.parent.parent if voc.parent.name == "VOCdevkit" else voc.parent
    return list(dict.fromkeys([root, devkit]))
