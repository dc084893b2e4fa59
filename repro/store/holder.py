"""Who holds a folder: what its lock file says, and whether that process still lives."""

import json
import os
import socket
import time
from dataclasses import dataclass
from pathlib import Path

from repro.store.files import try_flock

STALE_SECONDS = 60.0
"""Silence after which a holder on another host counts as dead."""


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
    """Who holds a lock file now, without waiting; None if nobody alive does.

    A holder on this host is alive if the kernel says so; one on another host, if its heartbeat is fresh.
    """
    holder = read_holder(path)
    if holder is None:
        return None
    if holder.host != socket.gethostname():
        return holder if time.time() - path.stat().st_mtime < STALE_SECONDS else None
    descriptor = os.open(path, os.O_RDWR)
    try:
        free = try_flock(descriptor)
    finally:
        os.close(descriptor)
    return None if free else holder


def modified_ns(path: Path) -> int:
    """When a file was last touched, in nanoseconds since 1970."""
    # Network file systems answer from a cache unless the file is opened anew.
    with open(path, "rb") as stream:
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
