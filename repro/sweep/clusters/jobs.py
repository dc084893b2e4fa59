"""A job frozen into a file, carried out in any process, with its result in a file beside it."""

import json
import time
import traceback
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from enum import StrEnum
from pathlib import Path
from types import TracebackType

from repro.config.configuration import Configuration
from repro.engine.fallen import has_fallen
from repro.engine.stop import Interrupted
from repro.errors import ConfigError, ReproError, StoreError, first_line
from repro.store.files import atomic_write, read_json_object, remove
from repro.store.jobs import JobFolder
from repro.store.lock import LockedError
from repro.store.outputs import Outputs
from repro.store.run_folder import RunFolder


class Ending(StrEnum):
    """How a job's process ended."""

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
        configurations: complete ones of one run, one for each evaluation still to be made.
        upstream: run whose weights it starts from, if it has not been started before.
        anew: it is trained once more although it is there.
    """

    run_id: str
    title: str
    configurations: Sequence[Configuration]
    upstream: str | None = None
    anew: bool = False

    @property
    def outputs(self) -> Outputs:
        """Where the runs are."""
        return Outputs(Path(self.configurations[0].leaves["outputs"]))  # settings are read one by one, in hundredths

    @property
    def run(self) -> RunFolder:
        """The run's folder."""
        return self.outputs.run(self.run_id)

    @property
    def folder(self) -> JobFolder:
        """Where job, log and result lie."""
        return self.outputs.job(self.run_id)

    def freeze(self) -> Path:
        """Writes the job's file, takes away an old result, and returns the file."""
        content = {
            "run_id": self.run_id,
            "title": self.title,
            "configurations": [configuration.frozen() for configuration in self.configurations],
            "upstream": self.upstream,
            "anew": self.anew,
        }
        atomic_write(self.folder.job_path, json.dumps(content, indent=1, allow_nan=False))
        remove(self.folder.result_path)
        return self.folder.job_path

    @classmethod
    def read(cls, path: Path) -> "FrozenJob":
        """Reads a job's file.

        Raises:
            StoreError: it is missing or damaged.
        """
        content = read_json_object(path)
        try:
            configurations = [Configuration.thawed(item) for item in content.pop("configurations")]
            return cls(configurations=configurations, **content)
        except (TypeError, KeyError, AttributeError) as error:
            raise StoreError(f"{path} is no job of a sweep: {error}") from error

    def check_id(self) -> None:
        """Refuses a job that has become another run since it was planned.

        Raises:
            ConfigError: code of one's own, a file of weights or the data were changed.
        """
        if (now := self.configurations[0].run_id) != self.run_id:
            raise ConfigError(
                f"run {self.run_id} was planned with code of your own, weights or data that have been changed since; "
                f"now it would be run {now}: give the command of the sweep again"
            )

    def lacks_upstream(self) -> bool:
        """Whether it would start from weights that are not there."""
        if self.upstream is None or (self.run.has_weights and not self.anew):
            return False
        return not self.outputs.run(self.upstream).has_weights


@dataclass(frozen=True)
class Result:
    """How a job ended; the sentence why, and a score."""

    ending: Ending
    message: str = ""
    seconds: float = 0.0
    miou_percent: float | None = None
    exit_code: int = 0

    def write(self, path: Path) -> None:
        """Leaves the result for the process that started the job."""
        atomic_write(path, json.dumps(asdict(self)))

    @classmethod
    def read(cls, path: Path) -> "Result":
        """What `write` left.

        Raises:
            StoreError: it is missing or damaged.
        """
        content = read_json_object(path)
        try:
            return cls(Ending(content.pop("ending")), **content)
        except (KeyError, TypeError, ValueError) as error:
            raise StoreError(f"{path} is no result of a job: {error}") from error


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
        assert self.error is not None
        if isinstance(self.error, ReproError):
            return first_line(self.error)
        kind = type(self.error).__name__
        return kind if not str(self.error).strip() else f"{kind}: {first_line(self.error)}"


def carry_out(job: FrozenJob, say: Callable[[str], None], *, unattended: bool = False) -> Result:
    """Trains, and makes every evaluation that is missing; never raises but for a second Ctrl-C.

    Args:
        unattended: as of `run`.
        say: takes the traceback of an error that is no mistake of the user.
    """
    from repro.run.lifecycle import run  # loads torch, which planning may do without

    start = time.monotonic()
    score, failed = None, Result(Ending.DONE)
    for number, configuration in enumerate(job.configurations):
        with Attempt() as attempt:
            # Without its weights, which others wait for, a run that has its record would be left as it is.
            repeats = (job.anew and number == 0) or not job.run.has_weights
            asked = configuration.forced() if repeats else configuration
            score = run(asked, unattended=unattended).record.scores.miou_percent
        if attempt.error is None:
            continue
        failed = _fate(attempt)
        if not isinstance(attempt.error, ReproError):
            say(attempt.trace)
        if failed.ending is not Ending.FAILED or not job.run.has_weights or has_fallen():
            break  # without weights the next evaluation would train, and fail, once more; without the others too
    return Result(failed.ending, failed.message, time.monotonic() - start, score, failed.exit_code)


def _fate(attempt: Attempt) -> Result:
    if isinstance(attempt.error, Interrupted):
        return Result(Ending.INTERRUPTED, attempt.sentence, exit_code=attempt.error.exit_code)
    ending = Ending.ELSEWHERE if isinstance(attempt.error, LockedError) else Ending.FAILED
    return Result(ending, attempt.sentence, exit_code=1)


def describe(result: Result) -> str:
    """A result in one line."""
    if result.ending is not Ending.DONE:
        return f"{result.ending}: {result.message}"
    score = "" if result.miou_percent is None else f", mIoU {result.miou_percent:.1f} %"
    return f"done in {result.seconds:.0f} s{score}"


def without_upstream(job: FrozenJob) -> Result:
    """The result of a job whose upstream has left no weights."""
    return Result(Ending.BLOCKED, f"run {job.upstream}, which it starts from, has no weights here", exit_code=1)


def blocked(job: FrozenJob) -> Result | None:
    """The result of a job whose upstream has left no weights, or damaged ones; None where they are whole, or spared."""
    if job.upstream is None or (job.run.has_weights and not job.anew):
        return None
    if job.lacks_upstream():
        return without_upstream(job)
    from repro.run.weights import check_upstream  # loads torch

    try:
        check_upstream(job.outputs.run(job.upstream))
    except ReproError as error:
        return Result(Ending.BLOCKED, str(error), exit_code=1)
    return None
