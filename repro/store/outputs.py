"""The folder of all that is made: runs, jobs and submissions of sweeps, and the tracking database."""

import os
import socket
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from repro.store.files import guarded
from repro.store.jobs import JobFolder
from repro.store.run_folder import RunFolder


class Outputs:
    """Where things lie below the folder of the outputs; making the object touches nothing on disk."""

    def __init__(self, root: Path) -> None:
        self.root = Path(root).expanduser()
        self.runs_path = self.root / "runs"

    def run(self, run_id: str) -> RunFolder:
        """The folder of a run, be it there or not."""
        return RunFolder(self.runs_path, run_id)

    def runs(self) -> Iterator[RunFolder]:
        """Every run folder, in the order of the run ids.

        Raises:
            StoreError: the disk does not let us look.
        """
        with guarded(self.runs_path):
            paths = sorted(self.runs_path.iterdir()) if self.runs_path.is_dir() else []
        for path in paths:
            if path.is_dir() and not path.name.startswith("."):
                yield self.run(path.name)

    def measured_runs(self) -> Iterator[RunFolder]:
        """The runs that have a record, the last measured first; of thousands only those taken are looked into.

        Raises:
            StoreError: the disk does not let us look.
        """
        times = []
        for folder in self.runs():
            with suppress(OSError):  # nothing of it is measured
                times.append((folder.evaluations_path.stat().st_mtime, folder.run_id))
        for _, run_id in sorted(times, reverse=True):
            folder = self.run(run_id)
            if folder.evaluation_ids():
                yield folder

    def run_ids(self) -> frozenset[str]:
        """Names of all that lies among the run folders, by one look.

        Raises:
            StoreError: the disk does not let us look.
        """
        with guarded(self.runs_path):
            return frozenset(os.listdir(self.runs_path)) if self.runs_path.is_dir() else frozenset()

    def job(self, run_id: str) -> JobFolder:
        """The folder of the job that carries a run out for a sweep."""
        return JobFolder(self.root / "sweep" / run_id)

    def meeting_path(self, launch: str) -> Path:
        """Where the processes of one start find each other, if no launcher tells them."""
        return self.root / "sweep" / "meetings" / (launch or "none")

    @property
    def database_path(self) -> Path:
        """The tracking database that runs are shown in unless another place is given."""
        return self.root / "mlflow.db"

    @property
    def artifacts_path(self) -> Path:
        """Where the files of runs in a tracking database lie."""
        return self.root / "mlartifacts"

    @property
    def submissions_path(self) -> Path:
        """Where each submission to a queue stands, from before it is made, with what its jobs print."""
        return self.root / "sweep" / "submissions"

    @property
    def submitting_lock_path(self) -> Path:
        """The lock of who submits: two at once would submit the same."""
        return self.submissions_path / "lock"

    @property
    def snapshots_path(self) -> Path:
        """Where the code that submitted jobs run lies, by its hash."""
        return self.root / "snapshots"

    @property
    def running_sweeps_path(self) -> Path:
        """Where sweeps announce themselves while they run: a lock each, and beside it the list of runs."""
        return self.root / "sweep" / "running"

    def own_sweep_lock_path(self) -> Path:
        """The lock by which a sweep in this process announces itself."""
        return self.running_sweeps_path / f"{socket.gethostname()}-{os.getpid()}.lock"
