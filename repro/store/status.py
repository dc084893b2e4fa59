"""The state of a run, as status.json in its folder says it."""

import os
import socket
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path
from typing import Any

from repro.errors import DamagedError
from repro.store.files import atomic_write, is_there, read_json_object, sealed_json


class RunState(StrEnum):
    """Where a run stands. RUNNING in a folder that nobody holds means that the process was killed."""

    CREATED = "CREATED"
    RUNNING = "RUNNING"
    FINISHED = "FINISHED"
    FAILED = "FAILED"
    INTERRUPTED = "INTERRUPTED"

    @property
    def has_ended(self) -> bool:
        """Whether no process works on the run."""
        return self not in (RunState.CREATED, RunState.RUNNING)


STEPS = "steps"
"""Further value of a run: how many steps its training takes."""

WEIGHTS_DIGEST, START_DIGEST = "weights_sha256", "start_sha256"
"""Further values of a finished run: the digest of its weights, and of another run's that it started from."""


@dataclass(frozen=True)
class Status:
    """Content of status.json.

    Attributes:
        state: where the run stands.
        updated: time of writing, ISO 8601 UTC.
        times: state to the last time it was entered, ISO 8601 UTC.
        host: machine of the process that wrote it.
        pid: process that wrote it.
        step: last step known, if any.
        message: one sentence for the person, such as the reason of a failure.
        extra: further plain values, each the last one written.
    """

    state: RunState
    updated: str
    times: dict[str, str]
    host: str
    pid: int
    step: int | None = None
    message: str = ""
    extra: dict[str, Any] = field(default_factory=dict)


def read_status(path: Path) -> Status | None:
    """The status in a file, or None if there is none.

    Raises:
        DamagedError: it is damaged; the next one written mends it.
        StoreError: the disk refuses it.
    """
    if not is_there(path):
        return None
    content = read_json_object(path)
    try:
        state = RunState(content.pop("state", None))
    except ValueError as error:
        raise DamagedError(f"{path} names no state of {', '.join(RunState)}: {error}") from error
    try:
        status = Status(state, **content)
    except TypeError as error:
        raise DamagedError(f"{path} is not a run's status: {error}") from error
    if not isinstance(status.times, dict) or not isinstance(status.extra, dict):
        raise DamagedError(f"{path} is not a run's status: times or extra is no object")
    return status


def write_status(
    path: Path, state: RunState, step: int | None = None, message: str = "", extra: dict[str, Any] | None = None
) -> None:
    """Replaces a status, keeping the times of earlier states, and the step and further values unless given anew."""
    try:
        before = read_status(path)
    except DamagedError:
        before = None  # a damaged status holds nothing worth stopping for; this write mends it
    now = datetime.now(UTC).isoformat(timespec="milliseconds")
    times = dict(before.times) if before else {}
    if before is None or before.state is not state:
        times[state] = now
    if step is None and before is not None:
        step = before.step
    kept = {**(before.extra if before else {}), **(extra or {})}
    status = Status(state, now, times, socket.gethostname(), os.getpid(), step, message, kept)
    atomic_write(path, sealed_json(asdict(status)))
