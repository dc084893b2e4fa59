"""Checks of a data set's folder before anything is read from it: what is there, and what its lists of ids say."""

from __future__ import annotations

import os
from collections.abc import Collection, Iterable, Mapping
from pathlib import Path

from repro.errors import DataError


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


def require_files(name: str, paths: Collection[Path], hint: str) -> None:
    """Refuses a data set that lacks some of its image or mask files.

    Each folder is listed once, since asking for ten thousand files one by one takes minutes on a network file system.

    Raises:
        DataError: Names the first missing file and the number of missing ones, and the hint.
    """
    folders = {path.parent for path in paths}
    require(name, sorted(folders), hint)
    present = {folder: set(os.listdir(folder)) for folder in folders}
    if missing := [path for path in paths if path.name not in present[path.parent]]:
        rest = f" and {len(missing) - 1} more files are missing" if len(missing) > 1 else " is missing"
        raise DataError(f"data set {name!r} is not complete: {missing[0]}{rest}. {hint}")


def listed_ids(name: str, path: Path, hint: str) -> list[str]:
    """Reads a list of one id per line, the first word of it; empty lines do not count.

    Raises:
        DataError: The list is missing, is not text, or names an id twice.
    """
    require(name, [path], hint)
    try:
        ids = [line.split()[0] for line in path.read_text(encoding="utf-8").splitlines() if line.strip()]
    except (OSError, UnicodeDecodeError) as error:
        raise DataError(f"list {path} of data set {name!r} cannot be read as text ({error})") from error
    seen: set[str] = set()
    for item in ids:
        if item in seen:
            raise DataError(f"list {path} of data set {name!r} names {item!r} more than once")
        seen.add(item)
    return ids


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
