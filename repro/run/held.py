"""A run folder that this process holds, with everybody who follows the run."""

import logging
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from repro.engine.stop import StopRequest
from repro.store.journal import Journal, read_journal
from repro.store.lock import FolderLock
from repro.store.outputs import Outputs
from repro.store.run_folder import RunFolder
from repro.track import Tracker


@dataclass(frozen=True)
class HeldRun:
    """The run's folder, the lock on it, and who is told of what happens; the engine's `Keeper`."""

    outputs: Outputs
    folder: RunFolder
    lock: FolderLock
    journal: Journal
    tracker: Tracker
    stop: StopRequest

    def point(self, step: int, **metrics: float) -> None:
        """Journals metrics after a step."""
        self.journal.point(step, **metrics)

    def event(self, kind: str, **facts: object) -> None:
        """Journals something that happened."""
        self.journal.event(kind, **facts)

    def check(self) -> None:
        """Raises if another process has taken the folder over."""
        self.lock.check()

    def saved(self, step: int) -> None:
        """Lets points up to a step that can be gone back to be shown elsewhere."""
        self.tracker.sync(step)

    def stop_requested(self) -> bool:
        """Whether a signal has asked the process to end."""
        return self.stop.requested()

    def interrupt(self, where: str) -> None:
        """Ends the work if a signal has come or the folder is not ours any more."""
        self.stop.check(where)
        self.lock.check()

    @property
    def restarted(self) -> bool:
        """Whether an earlier process has begun this run."""
        return sum(event.kind == "started" for event in read_journal(self.folder.journal_path).events) > 1


@contextmanager
def logged_to(path: Path) -> Iterator[None]:
    """Sends a copy of what the package logs to a file."""
    handler = logging.FileHandler(path, encoding="utf-8")
    handler.setFormatter(logging.Formatter(f"%(asctime)s {os.getpid()} %(levelname)s %(name)s: %(message)s"))
    logging.getLogger("repro").addHandler(handler)
    try:
        yield
    finally:
        logging.getLogger("repro").removeHandler(handler)
        handler.close()
