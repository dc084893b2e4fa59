"""What a run asks of tracking, and what tracking reads of a run; free of MLflow and of the store."""

from collections.abc import Sequence
from pathlib import Path
from typing import Protocol

from repro.errors import ReproError
from repro.store.record import Record


class TrackingError(ReproError):
    """The tracking store cannot be reached, or refuses a run."""


class RunStatus(Protocol):
    """What the mirror reads from a run's status; `repro.store.run_folder.Status` fits."""

    @property
    def state(self) -> str:
        """CREATED, RUNNING, FINISHED, FAILED or INTERRUPTED."""

    @property
    def updated(self) -> str:
        """Time of the last change, ISO 8601."""

    @property
    def message(self) -> str:
        """One sentence for the person."""


class RunFiles(Protocol):
    """What the mirror needs of a run folder; `repro.store.run_folder.RunFolder` fits."""

    run_id: str
    path: Path
    journal_path: Path

    def read_config(self) -> str:
        """The frozen configuration as YAML text."""

    def read_status(self) -> RunStatus | None:
        """The last status, if one was written."""

    def records(self) -> Sequence[Record]:
        """The records, oldest first."""


class Tracker(Protocol):
    """Shows a run elsewhere while it goes on. No method raises, blocks training or changes the run."""

    def start(self, folder: RunFiles) -> None:
        """Begins to show a run whose config is frozen in its folder; call it before worker processes start."""

    def sync(self, upto_step: int) -> None:
        """Says that a checkpoint of this step is on disk, so that points up to it may be shown; returns at once."""

    def finish(self, state: str) -> bool:
        """Shows the final state (FINISHED, FAILED, KILLED) once status and records are written; True if all went."""
