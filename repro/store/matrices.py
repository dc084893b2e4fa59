"""The matrices of an evaluation as they lie beside its record: the whole one, and every image's, sparse."""

import hashlib
import io
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from repro.errors import DamagedError, StoreError
from repro.store.record import Record, confusion_sha256

_STORED = {"image_entries": "<u2", "image_codes": "<u2", "image_pixels": "<u4"}
"""Arrays of the archive; 255 classes, the most that there can be, have 65,025 codes."""


Entries = tuple[np.ndarray, np.ndarray]


def entries_of(matrix: np.ndarray) -> Entries:
    """Codes and pixels of what is not zero in one confusion matrix `[C, C]`, int64, as in `ImageConfusions`."""
    flat = matrix.reshape(-1)
    codes = np.flatnonzero(flat)
    return codes, flat[codes]


@dataclass(frozen=True, eq=False)
class ImageConfusions:
    """Every image's confusion matrix, in the order of the split; what no pixel shows takes no room.

    An image shows few of the classes, so that its matrix is nearly empty: 1,449 images of 21 classes, made like those
    of VOC with 9 entries each, take 47 kB on disk with the whole matrix, and the 233 images of CamVid's test split with
    11 classes and 71 entries each 40 kB (`python -m tests.bench.image_confusions`).

    Attributes:
        num_classes: C.
        entries: how many entries each image has, int64 `[N]`.
        codes: of every entry true class * C + predicted class, int64 `[E]`, ascending within an image.
        pixels: of every entry, int64 `[E]`, at least 1 and below 2^32.
    """

    num_classes: int
    entries: np.ndarray
    codes: np.ndarray
    pixels: np.ndarray

    @classmethod
    def of(cls, num_classes: int, images: Sequence[Entries]) -> "ImageConfusions":
        """The matrices of images of which each gives its `entries_of`."""
        none = np.zeros(0, dtype=np.int64)
        codes, pixels = map(np.concatenate, zip((none, none), *images, strict=True))
        return cls(num_classes, np.array([len(found) for found, _ in images], dtype=np.int64), codes, pixels)

    def __len__(self) -> int:
        return len(self.entries)

    @property
    def images(self) -> np.ndarray:
        """Of every entry the index of its image, int64 `[E]`."""
        return np.repeat(np.arange(len(self.entries)), self.entries)

    def total(self) -> np.ndarray:
        """The matrix of all images together, int64 `[C, C]`, rows = truth."""
        counts = np.zeros(self.num_classes**2, dtype=np.int64)
        np.add.at(counts, self.codes, self.pixels)
        return counts.reshape(self.num_classes, self.num_classes)

    def matrix(self, index: int) -> np.ndarray:
        """One image's matrix, int64 `[C, C]`, rows = truth."""
        start = int(self.entries[:index].sum())
        part = slice(start, start + int(self.entries[index]))
        counts = np.zeros(self.num_classes**2, dtype=np.int64)
        counts[self.codes[part]] = self.pixels[part]
        return counts.reshape(self.num_classes, self.num_classes)

    def sha256(self) -> str:
        """Digest of the matrices in their order, whatever the archive makes of them."""
        digest = hashlib.sha256(f"{len(self)} images, {self.num_classes} classes, {len(self.codes)} entries".encode())
        for values in (self.entries, self.codes, self.pixels):
            digest.update(np.ascontiguousarray(values, dtype="<i8").tobytes())
        return digest.hexdigest()


def to_npz(record: Record, matrix: np.ndarray, images: ImageConfusions | None) -> bytes:
    """The archive of an evaluation: its confusion matrix `[C, C]`, and those of its images if they are known.

    Raises:
        StoreError: the record names other matrices, or those of the images do not sum to the whole one.
    """
    of = f"the record of evaluation {record.evaluation_id}"
    if record.confusion_sha256 != confusion_sha256(matrix):
        raise StoreError(f"{of} names another confusion matrix")
    arrays = {"confusion": np.asarray(matrix, dtype=np.int64)}
    if record.image_confusions_sha256 != (None if images is None else images.sha256()):
        raise StoreError(f"{of} names other confusion matrices of the images")
    if images is not None:
        if fault := _fault(images, matrix, record):
            raise StoreError(f"{of}: {fault}")
        values = (images.entries, images.codes, images.pixels)
        arrays |= {name: part.astype(kind) for (name, kind), part in zip(_STORED.items(), values, strict=True)}
    archive = io.BytesIO()
    np.savez_compressed(archive, **arrays)  # type: ignore[arg-type]  # a name could be that of a switch
    return archive.getvalue()


def confusion_from_npz(content: bytes, record: Record, source: str) -> np.ndarray:
    """The confusion matrix `[C, C]` int64 that a record names; `source` names the archive in the error.

    Raises:
        DamagedError: the archive is damaged, or holds another one.
    """
    (matrix,) = _arrays(content, ("confusion",), source)
    if matrix.dtype != np.int64 or confusion_sha256(matrix) != record.confusion_sha256:
        raise DamagedError(f"{source} is not the confusion matrix that {record.evaluation_id}.json names")
    return matrix


def images_from_npz(content: bytes, record: Record, source: str) -> ImageConfusions | None:
    """The matrices of the images, held against the whole one; None if the record is from before they were kept.

    Raises:
        DamagedError: the archive is damaged, or holds other ones than the record names.
    """
    whole = confusion_from_npz(content, record, source)
    if record.image_confusions_sha256 is None:
        return None
    parts = _arrays(content, tuple(_STORED), source)
    if [part.dtype for part in parts] != list(map(np.dtype, _STORED.values())) or {part.ndim for part in parts} != {1}:
        raise DamagedError(f"{source} holds the confusion matrices of its images in a form that is none of ours")
    images = ImageConfusions(len(whole), *(part.astype(np.int64) for part in parts))
    if images.sha256() != record.image_confusions_sha256:
        raise DamagedError(
            f"{source} does not hold the confusion matrices of the images that {record.evaluation_id}.json names"
        )
    if fault := _fault(images, whole, record):
        raise DamagedError(f"{source}: {fault}")
    return images


def _fault(images: ImageConfusions, whole: np.ndarray, record: Record) -> str:
    """What is wrong with the matrices of the images beside the whole one; empty if nothing is."""
    split = record.provenance.get("evaluated_split")
    number = split.get("images") if isinstance(split, dict) else None
    if number not in (None, len(images)):
        return f"there are confusion matrices of {len(images)} images, and {number} were measured"
    fitting = int(images.entries.sum()) == len(images.codes) == len(images.pixels)
    if not fitting or (images.codes >= images.num_classes**2).any():
        return "the confusion matrices of the images are not of the classes, or not whole"
    if images.pixels.max(initial=0) >= 1 << 32:
        return "an image has more than 4,294,967,295 pixels of one kind, which its confusion matrix cannot hold"
    if not np.array_equal(images.total(), whole):
        return "the confusion matrices of the images do not sum to the whole one"
    return ""


def _arrays(content: bytes, names: tuple[str, ...], source: str) -> list[np.ndarray]:
    try:
        with np.load(io.BytesIO(content), allow_pickle=False) as archive:
            return [np.asarray(archive[name]) for name in names]
    except Exception as error:  # A damaged zip raises zip, zlib, value, key and end-of-file errors alike.
        raise DamagedError(f"{source} is damaged ({error})") from error
