"""What was handed to SLURM, in files that are written before it is: a job's name in the queue tells whose it is."""

import json
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass, replace
from enum import StrEnum
from pathlib import Path

from repro.errors import StoreError
from repro.store.files import atomic_write, is_there, read_json_object, remove
from repro.store.jobs import JobFolder
from repro.store.outputs import Outputs
from repro.sweep.clusters.slurm.queue import Entry, QueueError, entries
from repro.sweep.plan.job import Queued


class Answer(StrEnum):
    """What is known of a submission."""

    AWAITED = "awaited"
    ACCEPTED = "accepted"
    GIVEN_UP = "given up"


@dataclass(frozen=True)
class Submission:
    """Jobs that are, or were about to be, in the queue: an array, or a single one.

    Attributes:
        name: of the jobs in the queue; no others have it.
        outputs: folder of the outputs, absolute.
        runs: run id by place in the array.
        snapshot: folder of the code that they run.
        folder: where they print to, and where submitit keeps its files.
        limit_minutes: time limit of each job.
        timeouts: how often each may be requeued after it.
        answer: of SLURM.
        job_id: of the array, or of the single job; empty until it is known.
    """

    name: str
    outputs: str
    runs: tuple[str, ...]
    snapshot: str
    folder: str
    limit_minutes: int
    timeouts: int
    answer: Answer = Answer.AWAITED
    job_id: str = ""

    @property
    def file(self) -> Path:
        """Where it is written down."""
        return file_of(Outputs(Path(self.outputs)), self.name)

    def job(self, place: int) -> JobFolder:
        """The folder of the job at a place of the array."""
        return Outputs(Path(self.outputs)).job(self.runs[place])

    def log_path(self, job_id: str) -> Path:
        """What a job of it prints to."""
        return Path(self.folder) / f"{job_id}_0_log.out"

    def write(self) -> None:
        """Writes it down, whole or not at all; one that awaits its answer has a mark beside it."""
        mark = _mark_of(self.file)
        if self.answer is Answer.AWAITED:
            atomic_write(mark, "")
        atomic_write(self.file, json.dumps(asdict(self), indent=1))
        if self.answer is not Answer.AWAITED:
            remove(mark)

    def answered(self, answer: Answer, job_id: str = "") -> "Submission":
        """Writes down what became of it, and returns it."""
        known = replace(self, answer=answer, job_id=job_id.partition("_")[0])
        known.write()
        return known

    @classmethod
    def read(cls, path: Path) -> "Submission":
        """What `write` left.

        Raises:
            StoreError: it is missing or damaged.
        """
        content = read_json_object(path)
        try:
            runs, answer = content.pop("runs"), content.pop("answer")
            return cls(runs=tuple(runs), answer=Answer(answer), **content)
        except (KeyError, TypeError, ValueError) as error:
            raise StoreError(f"{path} is no submission of a sweep: {error}") from error


def file_of(outputs: Outputs, name: str) -> Path:
    """The file of a submission."""
    return outputs.submissions_path / f"{name}.json"


def _mark_of(file: Path) -> Path:
    return file.with_suffix(".awaited")


def awaited(outputs: Outputs) -> Iterator[Submission]:
    """Submissions whose answer nobody has written down: the submitter was killed, or is at it."""
    for mark in sorted(outputs.submissions_path.glob("*.awaited")):
        file = mark.with_suffix(".json")
        if not is_there(file):  # killed before it had said what it would submit
            remove(mark)
        elif (found := Submission.read(file)).answer is Answer.AWAITED:
            yield found
        else:
            remove(mark)


def look_at_queue(outputs: Outputs, *, is_chosen: bool) -> tuple[dict[str, Queued], str]:
    """What the queue says about runs of these outputs, and a sentence if it could not be asked.

    It is not asked where nothing was ever submitted from there, unless SLURM `is_chosen`.
    """
    if not is_chosen and not is_there(outputs.submissions_path):
        return {}, ""
    try:
        return queued_runs(outputs, entries()), ""
    except QueueError as error:
        return {}, str(error)


def queued_runs(outputs: Outputs, entries: Iterable[Entry]) -> dict[str, Queued]:
    """Run id to what the queue says about its job, for the jobs that were submitted from these outputs.

    Raises:
        StoreError: the file of a submission in the queue is damaged.
    """
    known: dict[str, Submission | None] = {}
    found: dict[str, Queued] = {}
    for entry in entries:
        if entry.name not in known:
            file = file_of(outputs, entry.name)
            known[entry.name] = Submission.read(file) if is_there(file) else None
        submission = known[entry.name]
        if submission is not None and submission.answer is not Answer.GIVEN_UP:
            found[submission.runs[entry.place]] = Queued(entry.job_id, entry.queue_state, entry.reason)
    return found
