"""Files that are either whole or absent: atomic replacement, strict JSON reading, and a file lock between processes."""

import contextlib
import fcntl
import json
import os
import secrets
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from repro.errors import StoreError

LEFTOVER_PATTERN = ".*.partial"


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
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            with open(partial, "wb") as stream:
                stream.write(data)
                stream.flush()
                os.fsync(stream.fileno())
            os.replace(partial, path)
        except BaseException:
            partial.unlink(missing_ok=True)
            raise
        sync_folder(path.parent)
    except OSError as error:
        raise StoreError(f"{path} cannot be written: {error.strerror or error}") from error


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
        partial.unlink(missing_ok=True)


def read_json_object(path: Path) -> dict[str, Any]:
    """Reads a file that must hold one JSON object without NaN or Infinity.

    Raises:
        StoreError: the file is missing, unreadable, damaged, or holds something else.
    """
    try:
        text = path.read_bytes().decode()
        content = json.loads(text, parse_constant=_refuse_constant)
    except OSError as error:
        raise StoreError(f"{path} cannot be read: {error.strerror or error}") from error
    except ValueError as error:
        raise StoreError(f"{path} is damaged ({error}); it should hold one JSON object") from error
    if not isinstance(content, dict):
        raise StoreError(f"{path} is damaged: it holds a {type(content).__name__}, not a JSON object")
    return content


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
    path.parent.mkdir(parents=True, exist_ok=True)
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o666)
    try:
        deadline = time.monotonic() + wait_seconds
        while not try_flock(descriptor):
            if time.monotonic() > deadline:
                raise StoreError(f"{path} has been held by another process for {wait_seconds:.0f} s")
            time.sleep(0.05)
        yield
    finally:
        os.close(descriptor)


def try_flock(descriptor: int) -> bool:
    """Tries to take the exclusive flock of an open file without waiting; the kernel frees it when the holder dies."""
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
