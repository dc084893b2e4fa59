"""A run folder that this process holds, with everybody who follows the run."""

import logging
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from repro.engine.stop import StopRequest
from repro.errors import full_sentence, refusal
from repro.store.files import guarded, set_aside
from repro.store.journal import Journal, read_journal
from repro.store.lock import FolderLock
from repro.store.outputs import Outputs
from repro.store.run_folder import RunFolder
from repro.store.status import RunState
from repro.track import Tracker

log = logging.getLogger(__name__)

STARTED = "started"
"""The event of a process that takes a run up."""

TRAINING, EVALUATING = "training", "evaluating"
"""What a running process is at, as the message of its status."""


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

    def set_aside(self, path: Path, reason: str, ending: str = "damaged") -> None:
        """Renames a file that cannot be used, says why, and journals it."""
        aside = set_aside(path, ending)
        log.warning("%s; it is set aside as %s and made anew", reason, aside.name)
        self.event("set_aside", file=path.name, to=aside.name, reason=reason)

    def check(self) -> None:
        """Raises if another process has taken the folder over."""
        self.lock.check()

    def saved(self, step: int) -> None:
        """Says in the status which step can be gone back to, and lets points up to it be shown elsewhere.

        The steps between are in the journal, whose lines need not be forced to disk one by one.
        """
        self.folder.write_status(RunState.RUNNING, step=step, message=TRAINING)
        self.tracker.sync(step)

    def stop_requested(self) -> bool:
        """Whether a signal has asked the process to end."""
        return self.stop.requested()

    def interrupt(self, where: str) -> None:
        """Ends the work if a signal has come or the folder is not ours any more."""
        self.stop.check(where)
        self.lock.check()

    @property
    def checkpoint_took(self) -> float:
        """Seconds of the last checkpoint that was written, by this process or an earlier one; 0 before the first."""
        events = read_journal(self.folder.journal_path).events
        taken = [event.fields.get("seconds") for event in events if event.kind == "checkpoint"]
        return float(taken[-1] or 0.0) if taken else 0.0

    @property
    def restarted(self) -> bool:
        """Whether an earlier process has begun this run."""
        return sum(event.kind == STARTED for event in read_journal(self.folder.journal_path).events) > 1


class RunLog(logging.FileHandler):
    """A file of what is said; the first refusal of the disk is told once, and the run goes on to its next write.

    Raises:
        StoreError: the file cannot be opened.
    """

    def __init__(self, path: Path) -> None:
        self._path, self._told = path, False
        with guarded(path, "opened"):
            super().__init__(path, encoding="utf-8")
        self.setFormatter(logging.Formatter(f"%(asctime)s {os.getpid()} %(levelname)s %(name)s: %(message)s"))

    def handleError(self, record: logging.LogRecord) -> None:  # noqa: N802, the name is logging's
        """Tells what the disk says, instead of logging's traceback for every line."""
        error = sys.exc_info()[1]
        if isinstance(error, OSError):
            self._tell(error)
        else:
            super().handleError(record)

    def close(self) -> None:
        """Closes the file, also where what is left of it cannot be written."""
        try:
            super().close()
        except OSError as error:
            self._tell(error)

    def _tell(self, error: OSError) -> None:
        if not self._told:
            sentence = full_sentence(f"{self._path} cannot be written: {refusal(self._path, error)}")
            print(f"warning: {sentence}", file=sys.stderr)
        self._told = True


@contextmanager
def logged_to(path: Path) -> Iterator[None]:
    """Sends a copy of what the package logs to a file."""
    handler = RunLog(path)
    logging.getLogger("repro").addHandler(handler)
    try:
        yield
    finally:
        logging.getLogger("repro").removeHandler(handler)
        handler.close()
