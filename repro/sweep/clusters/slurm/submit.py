"""Hands jobs to SLURM, each chunk announced in a file before, and does not wait for them."""

import secrets
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

from repro.store.lock import FolderLock
from repro.store.outputs import Outputs
from repro.sweep.clusters.jobs import FrozenJob
from repro.sweep.clusters.local import Slot, fitted
from repro.sweep.clusters.slurm.chunks import Chunk, Pending, chunked
from repro.sweep.clusters.slurm.limits import limits
from repro.sweep.clusters.slurm.queue import Entry, cancel, clean_environment, entries
from repro.sweep.clusters.slurm.sbatch import RefusedError, hand_over
from repro.sweep.clusters.slurm.settings import SlurmSettings
from repro.sweep.clusters.slurm.snapshot import Snapshot, make_snapshot
from repro.sweep.clusters.slurm.submissions import Answer, Submission, awaited, queued_runs
from repro.sweep.plan.job import Queued, QueueState

PAUSES_SECONDS = (0.0, 1.0, 3.0)
"""Before each look into the queue for jobs that sbatch gave no answer about."""


WRITERS = 16
"""Files written at a time."""


@dataclass
class Submitted:
    """What became of some jobs.

    Attributes:
        ids: run id to its job in the queue.
        left: runs that were not submitted.
        reasons: why, in sentences.
    """

    ids: dict[str, str] = field(default_factory=dict)
    left: list[str] = field(default_factory=list)
    reasons: list[str] = field(default_factory=list)


class Submitter:
    """Submits the jobs of one sweep.

    Args:
        outputs: where the runs are.
        settings: what SLURM is asked for.
        title: of the sweep; the names of its jobs in the queue begin with it.
        timeouts: how often each job may come again after its time limit.
        folders: of YAML of the user's own, which the snapshot keeps.
        say: takes a line about each array.
    """

    def __init__(
        self,
        outputs: Outputs,
        settings: SlurmSettings,
        title: str,
        timeouts: int,
        folders: Iterable[Path],
        say: Callable[[str], None],
    ) -> None:
        self._outputs, self._settings, self._folders, self._say = outputs, settings, list(folders), say
        self._timeouts = timeouts
        self._name = f"{title}.{secrets.token_hex(3)}"

    def submit(self, jobs: Sequence[FrozenJob]) -> Submitted:
        """Submits jobs, each given after its upstream, that are not in the queue yet.

        Raises:
            QueueError: SLURM does not answer.
            StoreError: the disk refuses, or another process is submitting all the time.
        """
        with clean_environment(), FolderLock(self._outputs.submitting_lock_path, "submit", brief=True):
            seen = entries()
            settle(self._outputs, seen)
            queued = queued_runs(self._outputs, seen)
            dead = {run: item for run, item in queued.items() if item.state is QueueState.BLOCKED}
            living = {run: item for run, item in queued.items() if run not in dead}
            done = Submitted()
            todo = self._ready(jobs, living, done)
            cancel([dead[run].job_id for run in todo if run in dead])
            bounds = limits(self._settings, seen, len(todo))
            pending = [_pending(job, todo, living) for job in todo.values()]
            chunks, left = chunked(pending, bounds)
            if left:
                done.reasons.append(f"{_jobs(len(left))} of {len(todo)} left: {bounds.reason}")
            done.left += left
            if chunks:
                self._submit(chunks, todo, done)
        return done

    def _ready(self, jobs: Sequence[FrozenJob], queued: Mapping[str, Queued], done: Submitted) -> dict[str, FrozenJob]:
        """The jobs that are to be submitted; what waits for a run that is neither there nor in the queue is left."""
        todo: dict[str, FrozenJob] = {}
        for job in jobs:
            if job.run_id in queued:
                continue
            if job.upstream in todo or job.upstream in queued or not job.lacks_upstream():
                todo[job.run_id] = job
            else:
                done.left.append(job.run_id)
                done.reasons.append(f"{job.title} is left: run {job.upstream}, which it starts from, has no weights "
                                    "yet and is not in the queue")  # fmt: skip
        return todo

    def _submit(self, chunks: Sequence[Chunk], todo: Mapping[str, FrozenJob], done: Submitted) -> None:
        configurations = [item for chunk in chunks for run in chunk.runs for item in todo[run].configurations]
        snapshot = make_snapshot(self._outputs, configurations, self._folders)
        arrays: dict[int, str] = {}
        for number, chunk in enumerate(chunks):
            if chunk.before is not None and chunk.before not in arrays:  # what they start from was refused
                done.left += chunk.runs
                continue
            self._freeze([todo[run] for run in chunk.runs])
            submission = self._submission(number, chunk, snapshot)
            try:
                arrays[number] = handed_over(submission, self._settings, _dependency(chunk, arrays))
            except RefusedError as error:
                done.left += chunk.runs
                done.reasons.append(f"{_jobs(len(chunk.runs))} left: {error}")
                continue
            done.ids |= zip(chunk.runs, _ids(arrays[number], len(chunk.runs)), strict=True)
            self._say(f"submitted {_jobs(len(chunk.runs))} as {arrays[number]}, {submission.name}; they print to "
                      f"{submission.folder}")  # fmt: skip

    def _freeze(self, jobs: Sequence[FrozenJob]) -> None:
        """Writes the jobs' files, many at a time, since a disk takes its time for each."""
        slot = Slot(None, self._settings.cpus_per_process)
        with ThreadPoolExecutor(WRITERS) as pool:
            list(pool.map(lambda job: fitted(job, slot)[0].freeze(), jobs))

    def _submission(self, number: int, chunk: Chunk, snapshot: Snapshot) -> Submission:
        name = f"{self._name}.{number}"
        folder = (self._settings.log_folder or self._outputs.submissions_path).expanduser() / name
        return Submission(
            name,
            str(self._outputs.root.absolute()),
            chunk.runs,
            str(snapshot.path),
            str(folder.absolute()),
            self._settings.limit_minutes,
            self._timeouts,
        )


def _pending(job: FrozenJob, todo: Mapping[str, FrozenJob], queued: Mapping[str, Queued]) -> Pending:
    before = queued.get(job.upstream or "")
    return Pending(job.run_id, job.upstream if job.upstream in todo else None, before.job_id if before else None)


def _dependency(chunk: Chunk, arrays: Mapping[int, str]) -> str | None:
    """A hint for SLURM, which forgets old jobs: the job itself holds that the weights are there."""
    if chunk.before is not None:
        return f"{'aftercorr' if len(chunk.runs) > 1 else 'afterok'}:{arrays[chunk.before]}"
    return f"afterok:{chunk.after}" if chunk.after else None


def _ids(job_id: str, count: int) -> list[str]:
    return [job_id] if count == 1 else [f"{job_id}_{place}" for place in range(count)]


def _jobs(count: int) -> str:
    return f"{count} job{'' if count == 1 else 's'}"


def settle(outputs: Outputs, seen: Iterable[Entry]) -> None:
    """Finds out what became of submissions whose submitter was killed before SLURM's answer."""
    ids = {entry.name: entry.job_id for entry in seen}
    for submission in list(awaited(outputs)):
        if submission.name in ids:
            submission.answered(Answer.ACCEPTED, ids[submission.name])
        else:
            _settled(submission)


def handed_over(submission: Submission, settings: SlurmSettings, dependency: str | None) -> str:
    """Announces and submits; returns the id of the array or job.

    Raises:
        RefusedError: the queue does not have it; whatever of it appears there later ends at once.
        QueueError: the queue cannot be asked.
    """
    submission.write()
    try:
        job_id = hand_over(submission, settings, dependency)
    except RefusedError:
        found = _settled(submission)
        if found is None:
            raise
        return found
    return submission.answered(Answer.ACCEPTED, job_id).job_id


def _settled(submission: Submission) -> str | None:
    """The id under which the queue has a submission, looked for until it could have come; None: it is given up.

    Raises:
        QueueError: the queue cannot be asked, so that nothing is known and nothing is given up.
    """
    for pause in PAUSES_SECONDS:
        time.sleep(pause)
        for entry in entries():
            if entry.name == submission.name:
                return submission.answered(Answer.ACCEPTED, entry.job_id).job_id
    submission.answered(Answer.GIVEN_UP)
    return None
