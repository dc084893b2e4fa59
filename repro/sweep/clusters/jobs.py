"""A job frozen into a file, carried out in any process, with its result in a file beside it."""

import json
import time
import traceback
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from types import TracebackType
from typing import Any

from repro.engine.stop import Interrupted
from repro.errors import ReproError, StoreError
from repro.store.files import atomic_write, read_json_object
from repro.store.lock import LockedError

Config = dict[str, Any]

DONE = "done"
FAILED = "failed"
INTERRUPTED = "interrupted"
ELSEWHERE = "running elsewhere"
BLOCKED = "blocked"


@dataclass(frozen=True)
class FrozenJob:
    """All that a process must know to carry out a job; nothing is composed again.

    Attributes:
        run_id: of the training.
        title: for people.
        configs: complete configurations of one run, one for each evaluation still to be made.
        upstream: run whose weights it starts from, if it has not been started before.
    """

    run_id: str
    title: str
    configs: Sequence[Config]
    upstream: str | None = None

    @property
    def outputs(self) -> Path:
        """Folder of the runs."""
        return Path(self.configs[0]["outputs"])

    @property
    def run_path(self) -> Path:
        """The run's folder."""
        return self.outputs / "runs" / self.run_id

    @property
    def folder(self) -> Path:
        """Where job, log and result lie."""
        return self.outputs / "sweep" / self.run_id

    @property
    def log_path(self) -> Path:
        """What the job's process printed."""
        return self.folder / "log.txt"

    @property
    def result_path(self) -> Path:
        """How the job's last process ended."""
        return self.folder / "result.json"

    def freeze(self) -> Path:
        """Writes the job's file, takes away an old result, and returns the file."""
        path = self.folder / "job.json"
        atomic_write(path, json.dumps({**asdict(self), "configs": list(self.configs)}, indent=1, allow_nan=False))
        self.result_path.unlink(missing_ok=True)
        return path

    @classmethod
    def read(cls, path: Path) -> "FrozenJob":
        """Reads a job's file.

        Raises:
            StoreError: it is missing or damaged.
        """
        content = read_json_object(path)
        try:
            return cls(**content)
        except TypeError as error:
            raise StoreError(f"{path} is no job of a sweep: {error}") from error

    def lacks_upstream(self) -> bool:
        """Whether it would start from weights that are not there."""
        if self.upstream is None or (self.run_path / "weights.pt").exists():
            return False
        return not (self.outputs / "runs" / self.upstream / "weights.pt").exists()


@dataclass(frozen=True)
class Result:
    """How a job ended: done, failed, interrupted, running elsewhere or blocked; the sentence why, and a score."""

    state: str
    message: str = ""
    seconds: float = 0.0
    miou_percent: float | None = None
    exit_code: int = 0

    def write(self, path: Path) -> None:
        """Leaves the result for the process that started the job."""
        atomic_write(path, json.dumps(asdict(self)))


class Attempt:
    """Keeps whatever goes wrong inside, so that one broken job never stops the others.

    Asking the process to end is not kept inside: `KeyboardInterrupt` and `SystemExit` pass.
    """

    def __init__(self) -> None:
        self.error: Exception | None = None
        self.trace = ""

    def __enter__(self) -> "Attempt":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> bool:
        if not isinstance(error, Exception):
            return False
        self.error = error
        self.trace = "".join(traceback.format_exception(kind, error, trace))
        return True

    @property
    def sentence(self) -> str:
        """What went wrong, for people."""
        text = (str(self.error).strip().splitlines() or [""])[0]
        return text if isinstance(self.error, ReproError) else f"{type(self.error).__name__}: {text}".rstrip(": ")


def carry_out(job: FrozenJob, say: Callable[[str], None]) -> Result:
    """Trains, and makes every evaluation that is missing; never raises but for a second Ctrl-C.

    Args:
        say: takes the traceback of an error that is no mistake of the user.
    """
    from repro.run.lifecycle import run  # loads torch, which planning may do without

    start = time.monotonic()
    score, failed = None, Result(DONE)
    for config in job.configs:
        with Attempt() as attempt:
            score = run(config).record.scores.miou_percent
        if attempt.error is None:
            continue
        failed = _fate(attempt)
        if not isinstance(attempt.error, ReproError):
            say(attempt.trace)
        if failed.state != FAILED or not (job.run_path / "weights.pt").exists():
            break  # without weights the next evaluation would train, and fail, once more
    return Result(failed.state, failed.message, time.monotonic() - start, score, failed.exit_code)


def _fate(attempt: Attempt) -> Result:
    if isinstance(attempt.error, Interrupted):
        return Result(INTERRUPTED, attempt.sentence, exit_code=attempt.error.exit_code)
    state = ELSEWHERE if isinstance(attempt.error, LockedError) else FAILED
    return Result(state, attempt.sentence, exit_code=1)


def describe(result: Result) -> str:
    """A result in one line."""
    if result.state != DONE:
        return f"{result.state}: {result.message}"
    score = "" if result.miou_percent is None else f", mIoU {result.miou_percent:.1f} %"
    return f"done in {result.seconds:.0f} s{score}"
