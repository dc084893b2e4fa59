"""The choice of who tracks a run, and where; MLflow is imported only if it is chosen and used."""

import logging
import os
from pathlib import Path

from repro.config.settings import TrackingKind, TrackingSettings
from repro.errors import ConfigError, hint
from repro.store.outputs import Outputs
from repro.store.run_folder import RunFolder
from repro.store.status import RunState
from repro.track.interfaces import Tracker
from repro.track.live import MLflowTracker
from repro.track.mirror import MLflowMirror

_log = logging.getLogger(__name__)

SCHEMES = ("http", "https", "sqlite", "postgresql", "mysql", "mssql", "databricks")
"""What an address in MLflow may begin with; a database may name its driver after a plus sign."""


class NullTracker:
    """Tracks nothing (`tracking=none`) and needs no MLflow."""

    def start(self, folder: RunFolder) -> None:
        """Does nothing."""

    def sync(self, upto_step: int) -> None:
        """Does nothing."""

    def finish(self, state: RunState) -> bool:
        """Does nothing; there is nothing left to show."""
        return True


def tracking_uri(uri: str | None, outputs: Outputs) -> str:
    """The address in full: None means the sqlite database of the outputs; a sqlite path becomes absolute.

    Raises:
        ConfigError: a folder of files, which MLflow no longer writes to, or a scheme that it does not know.
    """
    if not uri:
        return f"sqlite:///{outputs.database_path.absolute()}"
    if uri.startswith("sqlite:///"):
        return f"sqlite:///{Path(uri.removeprefix('sqlite:///')).expanduser().absolute()}"
    if "://" not in uri or uri.startswith("file:"):
        raise ConfigError(
            f"tracking.uri={uri} is a folder, and MLflow no longer writes to folders; give a database such as "
            "sqlite:///outputs/mlflow.db, or a server such as http://localhost:5000"
        )
    scheme, _, place = uri.partition("://")
    if scheme.partition("+")[0] not in SCHEMES:
        raise ConfigError(f"tracking.uri={uri} has the scheme {scheme!r}, which MLflow does not know"
                          + hint(scheme, SCHEMES))  # fmt: skip
    if not place.strip("/"):
        raise ConfigError(f"tracking.uri={uri} names no place; give one such as http://localhost:5000")
    return uri


def make_tracker(tracking: TrackingSettings, outputs: Outputs) -> Tracker:
    """The tracker that the settings ask for.

    Raises:
        ConfigError: an address that cannot work.
    """
    if tracking.kind is TrackingKind.none:
        return NullTracker()
    address = tracking_uri(tracking.uri, outputs)
    if "SLURM_JOB_ID" in os.environ and address.startswith("sqlite:"):
        # sqlite on a cluster's shared file system breaks under many writers; the journal keeps everything.
        _log.info("inside a SLURM job a sqlite database is left alone: `python -m repro.track` fills it afterwards.")
        return NullTracker()
    return MLflowTracker(MLflowMirror(address, tracking.experiment, outputs))
