"""What was handed to SLURM, in files that are written before it is: a job's name in the queue tells whose it is."""

import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from enum import StrEnum
from pathlib import Path

from repro.errors import StoreError
from repro.store.files import atomic_write, is_there, read_json_object
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
        runs: run id by place in the array.
        jobs: file of the frozen job by place in the array.
        snapshot: folder of the code that they run.
        folder: where they print to, and where submitit keeps its files.
        limit_minutes: time limit of each job.
        timeouts: how often each may be requeued after it.
        answer: of SLURM.
        job_id: of the array, or of the single job; empty until it is known.
    """

    name: str
    runs: tuple[str, ...]
    jobs: tuple[str, ...]
    snapshot: str
    folder: str
    limit_minutes: int
    timeouts: int
    answer: Answer = Answer.AWAITED
    job_id: str = ""

    def write(self, outputs: Outputs) -> None:
        """Writes the file, whole or not at all."""
        atomic_write(file_of(outputs, self.name), json.dumps(asdict(self), indent=1))

    @classmethod
    def read(cls, path: Path) -> "Submission":
        """What `write` left.

        Raises:
            StoreError: it is missing or damaged.
        """
        content = read_json_object(path)
        try:
            runs, jobs, answer = content.pop("runs"), content.pop("jobs"), content.pop("answer")
            return cls(runs=tuple(runs), jobs=tuple(jobs), answer=Answer(answer), **content)
        except (KeyError, TypeError, ValueError) as error:
            raise StoreError(f"{path} is no submission of a sweep: {error}") from error


def file_of(outputs: Outputs, name: str) -> Path:
    """The file of a submission."""
    return outputs.submissions_path / f"{name}.json"


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
