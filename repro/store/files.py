"""The door to the disk: files are whole or absent, read with their refusal as a sentence, set aside when damaged."""

import contextlib
import fcntl
import hashlib
import json
import os
import secrets
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from repro.errors import DamagedError, StoreError, refusal

LEFTOVER_PATTERN = ".*.partial"
DIGEST = "sha256"
"""Key under which a JSON object holds the digest of all else in it."""


@contextlib.contextmanager
def guarded(path: Path, deed: str = "read") -> Iterator[None]:
    """The one door to files: what the disk refuses becomes a sentence.

    Args:
        path: the file or folder, named in the sentence.
        deed: what is done to it, as a participle.

    Raises:
        StoreError: naming the file, why, and what would help.
    """
    try:
        yield
    except OSError as error:
        raise StoreError(f"{path} cannot be {deed}: {refusal(path, error)}") from error


def read_bytes(path: Path) -> bytes:
    """The content of a file.

    Raises:
        StoreError: it is missing, or the disk refuses it.
    """
    with guarded(path):
        return path.read_bytes()


def is_there(path: Path) -> bool:
    """Whether a file or folder exists.

    Raises:
        StoreError: the disk does not let us look.
    """
    with guarded(path):
        return path.exists()


def remove(path: Path) -> None:
    """Deletes a file, if it is there.

    Raises:
        StoreError: the disk refuses.
    """
    with guarded(path, "removed"):
        path.unlink(missing_ok=True)


def set_aside(path: Path, ending: str = "damaged") -> Path:
    """Renames a file so that it counts no more and is not lost; returns its new place.

    Raises:
        StoreError: the disk refuses.
    """
    aside = path.with_name(f"{path.name}.{ending}")
    with guarded(path, "set aside"):
        os.replace(path, aside)
    return aside


def atomic_write(path: Path, content: bytes | str) -> None:
    """Replaces a file so that a reader, or a power cut, finds the old content or the new, never a part of it.

    Args:
        path: the file to replace; its folder is made if it does not exist.
        content: bytes, or text written as UTF-8.

    Raises:
        StoreError: the disk refuses (full, read-only, quota).
    """
    data = content.encode() if isinstance(content, str) else content
    partial = path.parent / f".{path.name}.{os.getpid()}-{secrets.token_hex(4)}.partial"
    with guarded(path, "written"):
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            with open(partial, "wb") as stream:
                stream.write(data)
                stream.flush()
                os.fsync(stream.fileno())
            os.replace(partial, path)
        except BaseException:
            with contextlib.suppress(OSError):  # what kept it from being written is what is told
                partial.unlink(missing_ok=True)
            raise
        sync_folder(path.parent)


def sync_folder(folder: Path) -> None:
    """Forces a folder's directory entries to disk, so that a rename in it survives a power cut."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    except OSError:
        pass  # Some network file systems cannot sync a folder; the file itself has been synced.
    finally:
        os.close(descriptor)


def remove_leftovers(folder: Path) -> None:
    """Deletes what killed writers left below a folder; call it only while nobody else writes there."""
    for partial in folder.rglob(LEFTOVER_PATTERN):
        remove(partial)


def sealed_json(content: dict[str, Any]) -> str:
    """A JSON object as text, one key per line, with the digest of all else in it as its last key.

    Raises:
        ValueError: a number is not finite.
    """
    sealed = {**content, DIGEST: _json_digest(content)}
    return json.dumps(sealed, indent=1, ensure_ascii=False, allow_nan=False) + "\n"


def unsealed_json(text: str | bytes, source: str) -> dict[str, Any]:
    """The JSON object in a text, without its digest, against which it is checked if it has one.

    Raises:
        DamagedError: it is no JSON object, has NaN or Infinity in it, or is not what was written.
    """
    try:
        content = json.loads(text, parse_constant=_refuse_constant)
    except ValueError as error:
        raise DamagedError(f"{source} is damaged ({error}); it should hold one JSON object") from error
    if not isinstance(content, dict):
        raise DamagedError(f"{source} is damaged: it holds a {type(content).__name__}, not a JSON object")
    digest = content.pop(DIGEST, None)
    if digest not in (None, _json_digest(content)):
        raise DamagedError(f"{source} is damaged or was edited: it is not what its digest was taken of")
    return content


def read_json_object(path: Path) -> dict[str, Any]:
    """Reads a file that must hold one JSON object without NaN or Infinity, and checks its digest if it has one.

    Raises:
        StoreError: the file is missing, unreadable, damaged, or holds something else.
    """
    return unsealed_json(read_bytes(path), str(path))


def _json_digest(content: dict[str, Any]) -> str:
    text = json.dumps(content, ensure_ascii=False, allow_nan=False)
    return hashlib.sha256(text.encode(errors="surrogatepass")).hexdigest()


def _refuse_constant(name: str) -> None:
    raise ValueError(f"{name} is not a JSON number")


@contextlib.contextmanager
def exclusive(path: Path, wait_seconds: float) -> Iterator[None]:
    """Holds a lock file among the processes of this machine (or of a file system with working flock).

    Args:
        path: the lock file; made if missing, never deleted, since deleting it would let two holders in.
        wait_seconds: how long to wait for another holder.

    Raises:
        StoreError: another process held it all that time.
    """
    descriptor = open_or_make(path)
    try:
        deadline = time.monotonic() + wait_seconds
        while not try_flock(descriptor):
            if time.monotonic() > deadline:
                raise StoreError(f"{path} has been held by another process for {wait_seconds:.0f} s")
            time.sleep(0.05)
        yield
    finally:
        os.close(descriptor)


def open_or_make(path: Path, flags: int = 0) -> int:
    """A descriptor of a file for reading and writing; file and folder are made if they are not there.

    Raises:
        StoreError: the disk refuses.
    """
    with guarded(path, "opened"):
        path.parent.mkdir(parents=True, exist_ok=True)
        return os.open(path, os.O_RDWR | os.O_CREAT | flags, 0o666)


def try_flock(descriptor: int) -> bool:
    """Tries to take the exclusive flock of an open file without waiting; the kernel frees it when the holder dies."""
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
