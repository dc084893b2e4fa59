"""What a run asks of tracking, and the choice of who answers; free of MLflow."""

import logging
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Protocol

from repro.errors import ConfigError, ReproError
from repro.tracking.snapshot import RunFiles

_log = logging.getLogger(__name__)


class TrackingError(ReproError):
    """The tracking store cannot be reached, or refuses a run."""


class Tracker(Protocol):
    """Shows a run elsewhere while it goes on. No method raises, blocks training or changes the run."""

    def start(
        self, folder: RunFiles, params: Mapping[str, Any] | None = None, tags: Mapping[str, str] | None = None
    ) -> None:
        """Begins to show a run whose config is frozen in its folder; call it before worker processes start.

        Parameters and tags that follow from the folder need not be given.
        """

    def sync(self, upto_step: int) -> None:
        """Says that a checkpoint of this step is on disk, so that points up to it may be shown; returns at once."""

    def finish(self, state: str) -> bool:
        """Shows the final state, FINISHED, FAILED or KILLED, once status and records are written; True if all is shown."""


class NullTracker:
    """Tracks nothing (`tracking=none`) and needs no MLflow."""

    def start(
        self, folder: RunFiles, params: Mapping[str, Any] | None = None, tags: Mapping[str, str] | None = None
    ) -> None:
        """Does nothing."""

    def sync(self, upto_step: int) -> None:
        """Does nothing."""

    def finish(self, state: str) -> bool:
        """Does nothing; there is nothing left to show."""
        return True


def tracking_uri(uri: str | None, outputs: Path) -> str:
    """The address in full: null means the sqlite database `mlflow.db` in `outputs`; a sqlite path becomes absolute.

    Raises:
        ConfigError: a folder of files, which MLflow no longer writes to.
    """
    if not uri:
        return f"sqlite:///{outputs.absolute() / 'mlflow.db'}"
    if uri.startswith("sqlite:///"):
        return f"sqlite:///{Path(uri.removeprefix('sqlite:///')).expanduser().absolute()}"
    if "://" not in uri or uri.startswith("file:"):
        raise ConfigError(
            f"tracking.uri={uri} is a folder, and MLflow no longer writes to folders; give a database such as "
            "sqlite:///outputs/mlflow.db, or a server such as http://localhost:5000."
        )
    return uri


def make_tracker(tracking: Mapping[str, Any], outputs: Path) -> Tracker:
    """The tracker of the config group `tracking`.

    Args:
        tracking: `kind` (mlflow or none), `uri` (database or server; None: `mlflow.db` in `outputs`), `experiment`.
        outputs: folder of the runs; artifacts of a database lie in its `mlartifacts`.

    Raises:
        ConfigError: an unknown kind, or an address that cannot work.
    """
    if tracking["kind"] == "none":
        return NullTracker()
    if tracking["kind"] != "mlflow":
        raise ConfigError(f"tracking.kind is {tracking['kind']!r}; it must be mlflow or none.")
    address = tracking_uri(tracking["uri"], outputs)
    if "SLURM_JOB_ID" in os.environ and address.startswith("sqlite:"):
        # sqlite on a cluster's shared file system breaks under many writers; the journal keeps everything.
        _log.info("inside a SLURM job a sqlite database is left alone: `python -m repro.track` fills it afterwards.")
        return NullTracker()
    from repro.tracking.live import MLflowTracker
    from repro.tracking.mlflow_tracker import MLflowMirror

    return MLflowTracker(MLflowMirror(address, tracking["experiment"], outputs))
