"""Who holds a folder: what its lock file says, and whether that process still lives."""

import json
import os
import socket
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from repro.store.files import guarded, try_flock

STALE_SECONDS = 60.0
"""Silence after which a holder on another host counts as dead."""

LOOK_SECONDS = 0.2
"""Time between two looks of who watches."""


class Life(StrEnum):
    """What one look can tell of the holder that a lock file names; on another host it takes watching to know more."""

    RUNNING = "running"
    SILENT = "silent"
    UNKNOWN = "unknown"


@dataclass(frozen=True)
class Holder:
    """What the lock file says about a holder: who, where, since when (ISO 8601 UTC), what for."""

    host: str
    pid: int
    since: str
    purpose: str
    brief: bool
    token: str


def read_holder(path: Path) -> Holder | None:
    """The holder named in a lock file; None if the file is empty, missing, or torn by a crash while writing it."""
    try:
        return Holder(**json.loads(path.read_bytes()))
    except (OSError, ValueError, TypeError):
        return None


def living_holder(path: Path) -> Holder | None:
    """Who holds a lock file now, as far as one look can tell; None if nobody does, or one that is dead."""
    holder = read_holder(path)
    return None if holder is None or life_of(path, holder) is Life.SILENT else holder


def life_of(path: Path, holder: Holder) -> Life:
    """Whether the holder that a lock file names lives, by one look: the kernel knows of those on this host alone."""
    if holder.host != socket.gethostname():
        return Life.UNKNOWN
    try:
        descriptor = os.open(path, os.O_RDONLY)
    except OSError:
        return Life.UNKNOWN
    try:
        return Life.SILENT if try_flock(descriptor) else Life.RUNNING
    except OSError:  # a file system without flock
        return Life.UNKNOWN if pid_exists(holder.pid) else Life.SILENT
    finally:
        os.close(descriptor)


def beats(path: Path, seconds: float, meanwhile: Callable[[], None] = lambda: None) -> bool:
    """Watches a lock file: True at the first sign of life, False once it has stood still for so long.

    Between two looks `meanwhile` is called, which may raise.

    The time is that of this process's own monotonic clock, and a look that hangs counts for no longer than another,
    since it says nothing about the holder. The file's time is compared with itself alone.
    """
    first = modified_ns(path)
    silence = 0.0
    while silence < seconds:
        before = time.monotonic()
        time.sleep(LOOK_SECONDS)
        meanwhile()
        if modified_ns(path) != first:
            return True
        silence += min(time.monotonic() - before, 2 * LOOK_SECONDS)
    return False


def beating(paths: Iterable[Path], seconds: float) -> set[Path]:
    """Watches lock files at once, until each has given a sign of life or some seconds have passed; returns those."""
    first = {path: modified_ns(path) for path in paths}
    alive: set[Path] = set()
    deadline = time.monotonic() + seconds
    while len(alive) < len(first) and time.monotonic() < deadline:
        time.sleep(LOOK_SECONDS)
        alive |= {path for path in first.keys() - alive if modified_ns(path) != first[path]}
    return alive


def modified_ns(path: Path) -> int:
    """When a file was last touched, in nanoseconds since 1970, by whatever clock.

    Raises:
        StoreError: the disk does not let us look.
    """
    # Network file systems answer from a cache unless the file is opened anew.
    with guarded(path), open(path, "rb") as stream:
        return os.fstat(stream.fileno()).st_mtime_ns


def describe(holder: Holder | None) -> str:
    """A holder in the middle of a sentence."""
    if holder is None:
        return "by another process"
    return f"by pid {holder.pid} on host {holder.host} ({holder.purpose}) since {holder.since}"


def pid_exists(pid: int) -> bool:
    """Whether a process of this machine has the number."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
