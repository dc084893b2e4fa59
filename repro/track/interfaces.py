"""What a run asks of tracking; free of MLflow."""

from typing import Protocol

from repro.errors import ReproError
from repro.store.run_folder import RunFolder
from repro.store.status import RunState


class TrackingError(ReproError):
    """The tracking store cannot be reached, or refuses a run."""


class Tracker(Protocol):
    """Shows a run elsewhere while it goes on. No method raises, blocks training or changes the run."""

    def start(self, folder: RunFolder) -> None:
        """Begins to show a run whose config is frozen in its folder; call it before worker processes start."""

    def sync(self, upto_step: int) -> None:
        """Says that a checkpoint of this step is on disk, so that points up to it may be shown; returns at once."""

    def finish(self, state: RunState) -> bool:
        """Shows the final state once status and records are written; True if all went."""
