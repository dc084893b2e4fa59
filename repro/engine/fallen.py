"""What a process of several leaves for the others when it fails, and how it ends then."""

import json
import os
import sys
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import NoReturn

from repro.engine.stop import Interrupted
from repro.errors import DamagedError, ReproError, StoreError, first_line
from repro.store.files import atomic_write, read_json_object, remove

WORDS_SECONDS = 3.0
"""How long the words of a process are waited for whose connection is gone; it writes them before it ends."""

FAILED = 1


@dataclass(frozen=True)
class LastWords:
    """Why a process ended.

    Attributes:
        signal: the signal that it was asked to end by, if that is why.
    """

    rank: int
    host: str
    message: str
    exit_code: int
    signal: int | None = None

    def error(self) -> ReproError:
        """The error of the whole run."""
        if self.signal is not None:
            return Interrupted(self.signal, "in one of its processes; what was kept before is there")
        raised = ReproError(f"process {self.rank}, on {self.host}: {self.message}")
        raised.exit_code = self.exit_code
        return raised


class Chronicle:
    """The last words of the processes of one run, a file each.

    Args:
        folder: where they lie, in the folder of the run; the process that holds that one clears it before the others
            begin.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def clear(self) -> None:
        """Forgets those of an earlier start."""
        for path in self._paths():
            remove(path)

    def write(self, rank: int, host: str, error: BaseException) -> None:
        """Leaves the words of a process for those that outlive it."""
        message = first_line(error) if isinstance(error, ReproError) else f"{type(error).__name__}: {first_line(error)}"
        signal = error.exit_code - 128 if isinstance(error, Interrupted) else None
        words = LastWords(rank, host, message, exit_code_of(error), signal)
        atomic_write(self._folder / f"{rank}.json", json.dumps(asdict(words)))

    def first(self, patience_seconds: float = WORDS_SECONDS) -> LastWords | None:
        """The words of who fell first; None if nobody has left any."""
        deadline = time.monotonic() + patience_seconds
        while True:
            if paths := sorted(self._paths(), key=lambda path: path.stat().st_mtime_ns):
                try:
                    return LastWords(**read_json_object(paths[0]))
                except (TypeError, DamagedError) as error:
                    raise StoreError(f"{paths[0]} does not say why a process ended: {error}") from error
            if time.monotonic() > deadline:
                return None
            time.sleep(0.05)

    def _paths(self) -> Iterator[Path]:
        return self._folder.glob("*.json")


def exit_code_of(error: BaseException) -> int:
    """The exit code of a process that an error ends."""
    return error.exit_code if isinstance(error, ReproError) else FAILED


def is_parting(error: BaseException) -> bool:
    """Whether an error only says that another process is gone."""
    text = str(error)
    marks = ("gloo", "Connection closed by peer", "NCCL", "DDP", "ProcessGroup")
    return isinstance(error, RuntimeError) and any(mark in text for mark in marks)


class _Fall:
    """Whether the team of this process has fallen apart."""

    has_come = False


def mark_fallen() -> None:
    """Says that the other processes are gone, or soon will be."""
    _Fall.has_come = True


def has_fallen() -> bool:
    """Whether the other processes are gone."""
    return _Fall.has_come


def ended(code: int) -> int:
    """The exit code of a command; does not return where an orderly end would wait for processes that are gone."""
    if has_fallen():
        end_at_once(code)
    return code


def end_at_once(code: int) -> NoReturn:
    """Ends this process without what an orderly end would do."""
    for stream in (sys.stdout, sys.stderr):
        stream.flush()
    os._exit(code)
