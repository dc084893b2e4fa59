"""What data on disk are, by content: one hash over the files of a data set that declares none.

Each file is read once: a cache of the user's, in $REPRO_CACHE or ~/.cache/repro, remembers its hash for as long as size
and times stay what they were, so that a further look costs a listing of the folders.
"""

import errno
import hashlib
import json
import logging
import os
import secrets
import time
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import fields
from pathlib import Path
from typing import Any

from repro.config.settings import DatasetSettings
from repro.config.tree import Tree
from repro.errors import ConfigError

_log = logging.getLogger(__name__)

CHANGES_UNSEEN_NS = 2_000_000_000
"""A file changed so shortly before it was read may change again within one tick of a file system's clock."""

LEFT_BY_SYSTEMS = frozenset({"Thumbs.db", "desktop.ini", "__MACOSX", "@eaDir", "__pycache__"})
"""What file managers, archivers and Python leave in folders, besides names that begin with a point."""

_NO_PATHS = {"_target_", "split_sha256", *(item.name for item in fields(DatasetSettings))}
"""Leaves of a data set that name no file, though one may be called as they say."""

Stamp = tuple[int, int, int]
"""Size and the two times of a file."""


def content_of(dataset: Tree, splits: Iterable[str], leave_out: Path) -> str | None:
    """The hash of a data set's files; None if each of the splits declares one, or if no file is named.

    What counts is `content`, files and folders below `root` of which those count that are there. Without it all of
    `root` counts, and of a class of one's own whatever else its leaves name that is there.

    Raises:
        ConfigError: what is named is not there, is no path, or cannot be read.
    """
    declared = dataset.get("split_sha256")
    if isinstance(declared, Mapping) and all(declared.get(split, not _is_own(dataset)) for split in splits):
        return None  # a split that a class of ours does not have is refused when it is opened
    try:
        paths = _named(dataset)
        return digest_of_content(paths, leave_out) if paths else None
    except OSError as error:
        raise ConfigError(
            f"{error.filename} cannot be read ({error.strerror}), but counts by its content, since its data set"
            " declares no hash"
        ) from error


def _named(dataset: Tree) -> dict[str, Path]:
    root = _path(dataset["root"], "dataset.root").absolute() if dataset.get("root") else None
    if root is not None and not _exists(root):
        raise ConfigError(
            f"dataset.root names {root}, which is not there; it counts by its content, since no hash is declared"
        )
    if listed := [_path(item, "dataset.content") for item in dataset.get("content") or ()]:
        bases = _bases(root, listed) if root else [Path.cwd()]
        places = {item.as_posix(): _place(bases, item) for item in listed}
        if not any(places.values()):
            raise ConfigError(f"dataset.content names {', '.join(places)}, of which nothing is below {bases[0]}")
        return {name: place for name, place in places.items() if place}
    arguments = {key: value for key, value in dataset.items() if key not in _NO_PATHS and _is_own(dataset)}
    leaves = {key: _path(text, key).absolute() for key, text in _texts(arguments)}
    return {key: path for key, path in leaves.items() if _exists(path)} | ({"root": root} if root else {})


def _path(text: Any, leaf: str) -> Path:
    if not isinstance(text, str):
        raise ConfigError(f"{leaf} has {text!r}, which is no path; write it as a text")
    return Path(os.path.expanduser(text))


def _texts(value: Any, place: str = "") -> Iterator[tuple[str, str]]:
    """Every text in groups and lists, under its dotted path."""
    if isinstance(value, str) and value:
        yield place, value
    elif isinstance(value, (Mapping, list, tuple)):
        inside = value.items() if isinstance(value, Mapping) else enumerate(value)
        for key, item in inside:
            yield from _texts(item, f"{place}.{key}" if place else str(key))


def _exists(path: Path) -> bool:
    try:
        return path.exists()
    except OSError as error:
        if error.errno == errno.ENAMETOOLONG:  # a text of another kind
            return False
        raise


def _is_own(dataset: Tree) -> bool:
    """Whether the class is the user's."""
    return not str(dataset.get("_target_")).startswith("repro.")


def _bases(root: Path, listed: Iterable[Path]) -> list[Path]:
    """The root, and where it would have to lie if it is itself one of the folders on the way to what is listed."""
    ways = {item.parts[:length] for item in listed for length in range(1, len(item.parts))}
    return [root, *sorted(root.parents[len(way) - 1] for way in ways if root.parts[-len(way) :] == way)]


def _place(bases: Iterable[Path], item: Path) -> Path | None:
    """Where a file or folder lies, if need be without the first folders on the way to it."""
    ways = (base.joinpath(*item.parts[skipped:]) for skipped in range(len(item.parts)) for base in bases)
    return next((way for way in ways if way.exists()), None)


def digest_of_content(paths: Mapping[str, Path], leave_out: Path) -> str:
    """The sha256 over names and contents of files, those below folders included; where they lie does not count.

    Args:
        paths: name that counts to an existing file or folder.
        leave_out: a folder that does not count where it lies below them.

    Raises:
        OSError: a file or folder cannot be read.
    """
    files = dict(sorted(item for name, path in paths.items() for item in _below(name, path, leave_out.resolve())))
    place = _cache_place(paths.values())
    known, settled = _read_cache(place), time.time_ns() - CHANGES_UNSEEN_NS
    found = _hashed(files.values(), known)
    if found != known:
        _write_cache(place, {path: entry for path, entry in found.items() if max(entry[0][1:]) < settled})
    lines = (f"{name}\0{found[path][1]}\n" for name, path in files.items())
    return hashlib.sha256("".join(lines).encode(errors="surrogateescape")).hexdigest()


def _below(name: str, path: Path, leave_out: Path) -> Iterator[tuple[str, str]]:
    """The files of a folder by their names in it, or a file alone; texts, since there may be very many."""
    if path.is_file():
        yield name, str(path)
        return
    seen = {leave_out}
    for folder, folders, names in os.walk(path, onerror=_refuse, followlinks=True):
        real = Path(folder).resolve()
        if real in seen:  # a link that leads back, or what is left out
            folders.clear()
            continue
        seen.add(real)
        folders[:] = sorted(item for item in folders if _counts(item))
        inside = f"{name}/{Path(folder).relative_to(path).as_posix()}"
        yield from ((f"{inside}/{item}", f"{folder}/{item}") for item in names if _counts(item))


def _refuse(error: OSError) -> None:
    """For a folder that cannot be listed, which would pass for an empty one."""
    raise error


def _counts(name: str) -> bool:
    return not name.startswith(".") and name not in LEFT_BY_SYSTEMS


def _hashed(paths: Iterable[str], known: Mapping[str, tuple[Stamp, str]]) -> dict[str, tuple[Stamp, str]]:
    """Path to stamp and hash of every file; only those that are new or changed are read."""
    found: dict[str, tuple[Stamp, str]] = {}
    unknown = []
    for path in paths:
        facts = os.stat(path)
        stamp = facts.st_size, facts.st_mtime_ns, facts.st_ctime_ns
        remembered = known.get(path)
        if remembered is not None and remembered[0] == stamp:
            found[path] = remembered
        else:
            unknown.append((path, stamp))
    if unknown:
        below = os.path.commonpath([os.path.dirname(path) for path, _ in unknown])
        _log.info("no hash is declared: reading %d files below %s, once", len(unknown), below)
    for path, stamp in unknown:
        with open(path, "rb") as file:
            found[path] = stamp, hashlib.file_digest(file, "sha256").hexdigest()
    return found


def cache_folder() -> Path:
    """The user's folder for what can be found out anew: $REPRO_CACHE, or ~/.cache/repro."""
    base = os.environ.get("REPRO_CACHE") or Path(os.environ.get("XDG_CACHE_HOME") or "~/.cache", "repro").expanduser()
    return Path(base)


def _cache_place(paths: Iterable[Path]) -> Path:
    which = hashlib.sha256("\n".join(sorted(str(path.absolute()) for path in paths)).encode(errors="surrogateescape"))
    return cache_folder() / "content" / f"{which.hexdigest()[:16]}.json"


def _read_cache(place: Path) -> dict[str, tuple[Stamp, str]]:
    """What was found before; nothing where there is no cache, or a damaged one."""
    try:
        content: Any = json.loads(place.read_bytes())
        return {path: ((size, changed, moved), digest) for path, (size, changed, moved, digest) in content.items()}
    except (OSError, ValueError, TypeError, AttributeError):
        return {}


def _write_cache(place: Path, found: Mapping[str, tuple[Stamp, str]]) -> None:
    content = {path: [*stamp, digest] for path, (stamp, digest) in found.items()}
    partial = place.with_name(f".{place.name}.{os.getpid()}-{secrets.token_hex(4)}.partial")
    try:
        place.parent.mkdir(parents=True, exist_ok=True)
        partial.write_text(json.dumps(content))
        os.replace(partial, place)
    except OSError as error:
        _log.info("%s cannot be written (%s): the data are read again next time", place, error.strerror)
