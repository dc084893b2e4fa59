"""One holder per run folder: a kernel lock where it works, a heartbeat where it does not (other hosts, odd mounts)."""

import errno
import json
import logging
import os
import secrets
import socket
import threading
import time
import weakref
from collections.abc import Callable
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType

from repro.errors import StoreError
from repro.store.files import guarded, open_or_make, try_flock
from repro.store.holder import STALE_SECONDS, Holder, beats, describe, pid_exists, read_holder

log = logging.getLogger(__name__)

HEARTBEAT_SECONDS = 5.0
SETTLE_SECONDS = 1.0
"""How long two hosts that took a silent holder's place at once wait to see whose name has stayed."""
WAIT_SECONDS, BRIEF_WAIT_SECONDS = 1.0, 60.0
POLL_SECONDS, SELDOM_POLL_SECONDS = 0.05, 0.5
_NO_FLOCK = {errno.ENOSYS, errno.ENOTSUP, errno.EOPNOTSUPP, errno.ENOLCK}
_held: "weakref.WeakSet[FolderLock]" = weakref.WeakSet()


class LockedError(StoreError):
    """Another process holds the folder."""


@dataclass(frozen=True)
class Patience:
    """How long a living holder is waited for; 0: for moments, in which one may be just letting go.

    Attributes:
        meanwhile: called again and again while waiting; may raise.
    """

    seconds: float = 0.0
    meanwhile: Callable[[], None] = lambda: None


AT_ONCE = Patience()


class FolderLock:
    """The lock of one folder, held from `acquire` to `release` or by `with`.

    The kernel's flock decides between processes of one machine and dies with its holder. Since flock may not reach
    other hosts on a shared file system, the lock file also names its holder, and a thread touches the file's time. A
    holder on another host is taken over only after its heartbeat has been seen to stand still for `stale_seconds` on
    the clock of who wants the lock: the clocks of two hosts are never compared.

    Args:
        path: the lock file; never deleted.
        purpose: what the holder does, for the message to others, such as "run".
        brief: whether it is held for moments only; others then wait for it instead of giving up.
        heartbeat_seconds: time between two signs of life.
        stale_seconds: silence after which a holder on another host counts as dead.
        settle_seconds: pause before the name is read again where the kernel cannot decide.

    Attributes:
        taken_over: the holder that died without releasing, if there was one; the caller journals it.
    """

    def __init__(
        self,
        path: Path,
        purpose: str = "run",
        *,
        brief: bool = False,
        heartbeat_seconds: float = HEARTBEAT_SECONDS,
        stale_seconds: float = STALE_SECONDS,
        settle_seconds: float = SETTLE_SECONDS,
    ) -> None:
        self.path = path
        self.heartbeat_seconds = heartbeat_seconds
        self.stale_seconds = stale_seconds
        self.settle_seconds = settle_seconds
        self.taken_over: Holder | None = None
        now = datetime.now(UTC).isoformat(timespec="seconds")
        self._self = Holder(socket.gethostname(), os.getpid(), now, purpose, brief, secrets.token_hex(8))
        self._descriptor: int | None = None
        self._released = threading.Event()
        self._heart: threading.Thread | None = None

    def acquire(self, asked: Patience = AT_ONCE) -> "FolderLock":
        """Takes the lock.

        Args:
            asked: how long a living holder is waited for.

        Raises:
            LockedError: another process holds it, naming that process.
            StoreError: the disk refuses the lock file.
        """
        start, patience, told = time.monotonic(), max(WAIT_SECONDS, asked.seconds), asked.seconds <= WAIT_SECONDS
        while not self._try_acquire(asked.meanwhile):
            asked.meanwhile()
            holder = read_holder(self.path)
            if holder is not None:  # one who is just letting go has no name any more
                patience = max(BRIEF_WAIT_SECONDS if holder.brief else WAIT_SECONDS, asked.seconds)
            waited = time.monotonic() - start
            if waited > patience:
                raise LockedError(self._refusal(holder, asked.seconds))
            if waited > WAIT_SECONDS and not told:
                told = True
                name = self.path.parent.name
                log.warning("%s is held %s; waiting for it, up to %.0f s", name, describe(holder), asked.seconds)
            time.sleep(POLL_SECONDS if waited < WAIT_SECONDS else SELDOM_POLL_SECONDS)
        _held.add(self)
        self._heart = threading.Thread(target=self._beat, name=f"lock {self.path.parent.name}", daemon=True)
        self._heart.start()
        return self

    def release(self) -> None:
        """Frees the lock and empties the lock file, which marks a clean end; harmless if it is not held."""
        if self._descriptor is None:
            return
        self._released.set()
        if self._heart is not None:
            self._heart.join()
        if self.is_ours():
            try:
                os.ftruncate(self._descriptor, 0)
            except OSError as error:  # the kernel frees it all the same, and the name is then known for a dead one's
                log.warning("%s could not be emptied: %s", self.path, error.strerror)
        self.close()

    def is_ours(self) -> bool:
        """Whether the lock file still names this holder; False once another host has taken over."""
        holder = read_holder(self.path)
        return self._descriptor is not None and holder is not None and holder.token == self._self.token

    def check(self) -> None:
        """Raises if the lock has been lost, so that a process that woke from a long sleep stops before it writes.

        Raises:
            LockedError: another process has taken the folder over.
        """
        if not self.is_ours():
            raise LockedError(
                f"{self.path.parent} has been taken over {describe(read_holder(self.path))}, after this process "
                f"gave no sign of life for {self.stale_seconds:.0f} s; this process stops here"
            )

    def close(self) -> None:
        """Closes the descriptor; in a forked child this leaves the parent's lock in place."""
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None

    def _try_acquire(self, meanwhile: Callable[[], None]) -> bool:
        descriptor = open_or_make(self.path)
        taken = False
        try:
            kernel_lock = _flock_or_none(descriptor)
            if kernel_lock is False:
                return False
            holder = read_holder(self.path)
            if holder is not None and self._is_alive(holder, meanwhile, kernel_lock_taken=kernel_lock is True):
                return False
            if read_holder(self.path) != holder:  # another host was quicker to see that it is dead
                return False
            self.taken_over = holder
            with guarded(self.path, "written"):
                os.ftruncate(descriptor, 0)
                _write_whole(descriptor, json.dumps(asdict(self._self)).encode() + b"\n")
                os.fsync(descriptor)
            if kernel_lock is None or (holder is not None and holder.host != self._self.host):
                time.sleep(self.settle_seconds)
            named = read_holder(self.path)
            if named is None or named.token != self._self.token:
                return False
            self._descriptor, taken = descriptor, True
            return True
        finally:
            if not taken:
                os.close(descriptor)

    def _is_alive(self, holder: Holder, meanwhile: Callable[[], None], *, kernel_lock_taken: bool) -> bool:
        """Whether a holder named in the file still lives, watching its heartbeat if only that can tell."""
        if holder.host == self._self.host and (kernel_lock_taken or not pid_exists(holder.pid)):
            return False
        told = "%s is held %s; watching for a sign of life for up to %.0f s"
        log.info(told, self.path.parent.name, describe(holder), self.stale_seconds)
        return beats(self.path, self.stale_seconds, meanwhile)

    def _beat(self) -> None:
        while not self._released.wait(self.heartbeat_seconds):
            if not self.is_ours():
                return
            try:
                os.utime(self.path)
            except OSError:
                continue  # A file system that stutters is no reason to give the run up.

    def _refusal(self, holder: Holder | None, wait_seconds: float) -> str:
        held = f"{self.path.parent.name} is held {describe(holder)}"
        if wait_seconds:
            return f"{held}, still after waiting for {wait_seconds:.0f} s; end it there first ({self.path.parent})"
        return f"{held}; wait for it or end it first ({self.path.parent})"

    def __enter__(self) -> "FolderLock":
        return self if self._descriptor is not None else self.acquire()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.release()


def _write_whole(descriptor: int, data: bytes) -> None:
    if os.pwrite(descriptor, data, 0) < len(data):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def _flock_or_none(descriptor: int) -> bool | None:
    """True if taken, False if another has it, None where the file system has no flock."""
    try:
        return try_flock(descriptor)
    except OSError as error:
        if error.errno in _NO_FLOCK:
            return None
        raise


def _drop_inherited_locks() -> None:
    # A loader worker that outlives its killed parent would otherwise keep the run folder locked.
    for lock in list(_held):
        lock.close()


os.register_at_fork(after_in_child=_drop_inherited_locks)
