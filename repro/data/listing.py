"""Checks of a data set's folder before anything is read from it: what is there, and what its lists of ids say."""

from __future__ import annotations

import os
import re
from collections.abc import Collection, Iterable, Mapping
from pathlib import Path

from repro.data.declaration import first_repeated
from repro.errors import DataError

_IMAGE = re.compile(r"""["']?(.+?)\.(?:jpe?g|png|bmp|tiff?)["']?(?:[\s,;]|$)""", re.IGNORECASE)
"""A path with the ending of an image, without the ending, at the start of a line."""


def require(name: str, paths: Iterable[Path], hint: str) -> None:
    """Refuses a data set whose folders or lists are not there.

    Args:
        name: Name of the data set.
        paths: Folders and files that must exist.
        hint: Where they are to be had and how they must lie, a clause without full stop.

    Raises:
        DataError: Names all that is missing, and the hint.
    """
    if missing := [str(path) for path in paths if not path.exists()]:
        raise DataError(f"data set {name!r} is not complete: {', '.join(missing)} not found. {hint}")


def require_files(name: str, paths: Collection[Path], hint: str, endings: Collection[str] = ()) -> dict[Path, Path]:
    """Refuses a data set that lacks some of its image or mask files.

    Each folder is listed once, since asking for ten thousand files one by one takes minutes on a network file system.

    Args:
        name: Name of the data set.
        paths: Where the files customarily are.
        hint: As in `require`.
        endings: Further endings, such as `.jpeg`, that a file may have.

    Returns:
        Customary path to the one that is there, of files whose ending is in capitals or one of the further ones.

    Raises:
        DataError: Names the first missing file and the number of missing ones, and the hint; or two files that differ
            in their ending only, where the customary one is not among them.
    """
    folders = {path.parent for path in paths}
    require(name, sorted(folders), hint)
    present = {folder: set(os.listdir(folder)) for folder in folders}
    absent = [path for path in paths if path.name not in present[path.parent]]
    others: dict[tuple[Path, str, str], list[str]] = {}
    for folder in {path.parent for path in absent}:
        for item in sorted(present[folder]):
            stem, ending = os.path.splitext(item)
            others.setdefault((folder, stem, ending.lower()), []).append(item)
    instead, missing = {}, []
    for path in absent:
        allowed = dict.fromkeys([path.suffix, *endings])
        found = [item for ending in allowed for item in others.get((path.parent, path.stem, ending), [])]
        if len(found) > 1:
            raise DataError(
                f"data set {name!r} has {found[0]} and {found[1]} in {path.parent}; keep the one that is meant"
            )
        if found:
            instead[path] = path.parent / found[0]
        else:
            missing.append(path)
    if missing:
        rest = f" and {len(missing) - 1} more files are missing" if len(missing) > 1 else " is missing"
        raise DataError(f"data set {name!r} is not complete: {missing[0]}{rest}. {hint}")
    return instead


def listed_ids(name: str, path: Path, hint: str) -> list[str]:
    """Reads a list of one image per line: an id, or a path whose last part without the ending of an image is one.

    Only the first path or word of a line counts, as in lists of image and mask; empty lines do not count. Paths may
    have blanks and backslashes.

    Raises:
        DataError: The list is missing, is not text, or names an id twice.
    """
    require(name, [path], hint)
    try:
        lines = path.read_text(encoding="utf-8-sig").splitlines()
    except UnicodeDecodeError as error:
        raise DataError(
            f"list {path} of data set {name!r} cannot be read as text ({error}); write it as UTF-8"
        ) from error
    except OSError as error:
        raise DataError(f"list {path} of data set {name!r} cannot be read: {error.strerror}") from error
    ids = [_id_in(line.strip()) for line in lines if line.strip()]
    if (repeated := first_repeated(ids)) is not None:
        raise DataError(f"list {path} of data set {name!r} names {repeated!r} more than once")
    return ids


def _id_in(line: str) -> str:
    """The id in a line of a list: `a`, `a 1`, `photographs/a.JPG`, `/my data/a.jpg /my data/b.png`, `a masks/a.png`."""
    line = line.replace("\\", "/")
    word, path = line.split()[0], _IMAGE.match(line)
    first = path[1] if path and ("/" in word or "/" not in path[1]) else word
    return first.rstrip("/").rpartition("/")[2]


def require_some(name: str, place: Path, ids: Collection[str]) -> None:
    """Refuses a list or a folder without images, beside which another part would pass for the whole split.

    Raises:
        DataError: Names the list or folder.
    """
    if not ids:
        raise DataError(f"{place} of data set {name!r} has no images; restore it")


def require_disjoint(name: str, first: tuple[Path, Collection[str]], second: tuple[Path, Collection[str]]) -> None:
    """Refuses two lists that share images, on which a score would be measured on training images.

    Args:
        name: Name of the data set.
        first: A list's path and ids.
        second: The other list's.

    Raises:
        DataError: Names both lists, the number of shared ids and the first of them.
    """
    if shared := sorted(set(first[1]) & set(second[1])):
        raise DataError(
            f"{first[0]} and {second[0]} of data set {name!r} share {len(shared)} images, such as {shared[0]}; they"
            " must have none in common. Restore the official lists"
        )


def require_count(name: str, split: str, ids: Collection[str], expected: Mapping[str, int | None] | None) -> None:
    """Refuses a split that has another number of images than declared.

    Raises:
        DataError: Names both numbers and the setting that declares it.
    """
    number = (expected or {}).get(split)
    if number is not None and number != len(ids):
        raise DataError(
            f"split {split!r} of data set {name!r} has {len(ids)} images, the configuration expects {number}. Restore"
            f" the lists, or, for another split on purpose, set dataset.expected_images.{split} and"
            f" dataset.split_sha256.{split} to null"
        )
