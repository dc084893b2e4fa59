"""The choice of who tracks a run, and where; MLflow is imported only if it is chosen and used."""

import logging
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from repro.errors import ConfigError
from repro.track.interfaces import RunFiles, Tracker
from repro.track.live import MLflowTracker
from repro.track.mirror import MLflowMirror

_log = logging.getLogger(__name__)


class NullTracker:
    """Tracks nothing (`tracking=none`) and needs no MLflow."""

    def start(self, folder: RunFiles) -> None:
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
    return MLflowTracker(MLflowMirror(address, tracking["experiment"], outputs))
