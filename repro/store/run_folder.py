"""The folder of one run, the only truth about it: frozen config, status, journal, checkpoints, records, one lock."""

import io
import json
import os
import socket
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import yaml

from repro.errors import StoreError
from repro.store.files import atomic_write, read_json_object, remove_leftovers
from repro.store.lock import FolderLock, LockedError
from repro.store.record import Record, confusion_sha256

__all__ = ["RUN_STATES", "FolderLock", "LockedError", "RunFolder", "Status", "atomic_write", "run_folders"]

RUN_STATES = ("CREATED", "RUNNING", "FINISHED", "FAILED", "INTERRUPTED")


@dataclass(frozen=True)
class Status:
    """Content of status.json.

    Attributes:
        state: one of `RUN_STATES`. RUNNING with a free lock means that the process was killed.
        updated: time of writing, ISO 8601 UTC.
        times: state to the last time it was entered, ISO 8601 UTC.
        host: machine of the process that wrote it.
        pid: process that wrote it.
        step: last step known, if any.
        message: one sentence for the person, such as the reason of a failure.
        extra: further plain values.
    """

    state: str
    updated: str
    times: dict[str, str]
    host: str
    pid: int
    step: int | None = None
    message: str = ""
    extra: dict[str, Any] = field(default_factory=dict)


class RunFolder:
    """Paths and files of one run below `root / run_id`; making the object touches nothing on disk.

    Args:
        root: the folder of all runs, customarily `outputs/runs`.
        run_id: 16 hex digits of the run's identity.
    """

    def __init__(self, root: Path, run_id: str) -> None:
        self.run_id = run_id
        self.path = Path(root) / run_id
        self.config_path = self.path / "config.yaml"
        self.status_path = self.path / "status.json"
        self.journal_path = self.path / "journal.jsonl"
        self.checkpoints_path = self.path / "checkpoints"
        self.evaluations_path = self.path / "evaluations"
        self.lock_path = self.path / "lock"

    def lock(self, purpose: str = "run", *, brief: bool = False) -> FolderLock:
        """Takes the folder's one lock and clears away what killed writers left; use it with `with`.

        Raises:
            LockedError: another process holds it; the message says which, where and since when.
        """
        lock = FolderLock(self.lock_path, purpose, brief=brief).acquire()
        remove_leftovers(self.path)
        return lock

    def freeze_config(self, text: str) -> str:
        """Writes config.yaml if there is none yet, and returns the text that is frozen in the folder."""
        if not self.config_path.exists():
            atomic_write(self.config_path, text)
        return self.read_config()

    def read_config(self) -> str:
        """The frozen configuration as YAML text.

        Raises:
            StoreError: the folder has none.
        """
        try:
            return self.config_path.read_text()
        except (OSError, ValueError) as error:
            raise StoreError(f"{self.config_path} cannot be read: {error}.") from error

    def frozen_config(self) -> dict[str, Any]:
        """The frozen configuration.

        Raises:
            StoreError: the folder has none, or it is damaged.
        """
        try:
            content = yaml.safe_load(self.read_config())
        except yaml.YAMLError as error:
            raise StoreError(f"{self.config_path} is damaged; remove {self.path} to start the run anew") from error
        if not isinstance(content, dict):
            raise StoreError(f"{self.config_path} is damaged; remove {self.path} to start the run anew")
        return content

    def write_status(self, state: str, *, step: int | None = None, message: str = "", **extra: Any) -> None:
        """Replaces status.json, keeping the times of earlier states, and the step unless a new one is given."""
        if state not in RUN_STATES:
            raise ValueError(f"state must be one of {', '.join(RUN_STATES)}, not {state}")
        try:
            before = self.read_status()
        except StoreError:
            before = None  # A damaged status holds nothing worth stopping for; this write mends it.
        now = datetime.now(UTC).isoformat(timespec="milliseconds")
        times = dict(before.times) if before else {}
        if before is None or before.state != state:
            times[state] = now
        if step is None and before is not None:
            step = before.step
        content = {"state": state, "updated": now, "times": times, "host": socket.gethostname(), "pid": os.getpid()}
        content |= {"step": step, "message": message, "extra": extra}
        atomic_write(self.status_path, json.dumps(content, indent=1, allow_nan=False) + "\n")

    def read_status(self) -> Status | None:
        """The last status written, or None if none was.

        Raises:
            StoreError: status.json is damaged.
        """
        if not self.status_path.exists():
            return None
        content = read_json_object(self.status_path)
        try:
            status = Status(**content)
        except TypeError as error:
            raise StoreError(f"{self.status_path} is not a run's status: {error}.") from error
        if status.state not in RUN_STATES or not isinstance(status.times, dict):
            raise StoreError(f"{self.status_path} names no state of {', '.join(RUN_STATES)}: {status.state!r}.")
        return status

    def record_path(self, evaluation_id: str) -> Path:
        """Where the record of an evaluation lies; its confusion matrix lies beside it as .npz."""
        return self.evaluations_path / f"{evaluation_id}.json"

    def write_record(self, record: Record, matrix: np.ndarray) -> Path:
        """Stores a record and its confusion matrix `[C, C]`, matrix first: where there is a record, all is there.

        Raises:
            StoreError: the record is not of this run, is not valid, or names another matrix.
        """
        path = self.record_path(record.evaluation_id)
        if record.run_id != self.run_id:
            raise StoreError(f"a record of run {record.run_id} does not belong into {self.path}.")
        if record.confusion_sha256 != confusion_sha256(matrix):
            raise StoreError(f"the record of evaluation {record.evaluation_id} names another confusion matrix.")
        text = record.to_json()
        archive = io.BytesIO()
        np.savez_compressed(archive, confusion=np.asarray(matrix, dtype=np.int64))
        atomic_write(path.with_suffix(".npz"), archive.getvalue())
        atomic_write(path, text)
        return path

    def read_record(self, evaluation_id: str) -> Record:
        """One record.

        Raises:
            StoreError: it is missing, damaged, or lies under a wrong name.
        """
        path = self.record_path(evaluation_id)
        try:
            content = path.read_bytes()
        except OSError as error:
            raise StoreError(f"{path} cannot be read: {error.strerror or error}.") from error
        record = Record.from_json(content, str(path))
        if (record.run_id, record.evaluation_id) != (self.run_id, evaluation_id):
            raise StoreError(
                f"{path} holds the record of evaluation {record.evaluation_id} of run {record.run_id}; "
                "it was moved or copied here by hand."
            )
        return record

    def read_confusion(self, record: Record) -> np.ndarray:
        """The confusion matrix `[C, C]` int64 of a record, rows = truth.

        Raises:
            StoreError: it is missing, damaged, or not the one that the record names.
        """
        path = self.record_path(record.evaluation_id).with_suffix(".npz")
        try:
            with np.load(io.BytesIO(path.read_bytes()), allow_pickle=False) as archive:
                matrix = np.asarray(archive["confusion"])
        except Exception as error:  # A damaged zip raises zip, zlib, value, key and end-of-file errors alike.
            raise StoreError(f"{path} cannot be read: {error}.") from error
        if matrix.dtype != np.int64 or confusion_sha256(matrix) != record.confusion_sha256:
            raise StoreError(f"{path} is not the confusion matrix that {record.evaluation_id}.json names.")
        return matrix

    def has_evaluation(self, evaluation_id: str) -> bool:
        """Whether an evaluation is there, whole and undamaged; if not, it is to be made again."""
        try:
            self.read_confusion(self.read_record(evaluation_id))
        except StoreError:
            return False
        return True

    def records(self) -> list[Record]:
        """All records of the run, oldest first.

        Raises:
            StoreError: naming the first damaged one.
        """
        found = [self.read_record(path.stem) for path in sorted(self.evaluations_path.glob("*.json"))]
        return sorted(found, key=lambda record: (record.created, record.evaluation_id))


def run_folders(root: Path) -> Iterator[RunFolder]:
    """Every run folder below `root`, in the order of the run ids."""
    if root.is_dir():
        for path in sorted(root.iterdir()):
            if path.is_dir() and not path.name.startswith("."):
                yield RunFolder(root, path.name)
