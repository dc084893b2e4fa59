"""Jobs that have left the queue while their run has not ended: found by the run folders, told by their logs.

SLURM's accounting, where there is one, adds its word for how a job ended; nothing rests on it.
"""

import os
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from repro.errors import StoreError
from repro.store.jobs import JobFolder
from repro.store.outputs import Outputs
from repro.sweep.clusters.jobs import Ending, Result
from repro.sweep.clusters.slurm.queue import QueueError, asked
from repro.sweep.clusters.slurm.submissions import Answer, Submission
from repro.sweep.plan.job import Observed
from repro.sweep.plan.words import cut_to

TAIL_BYTES = 4096
IDS_AT_ONCE = 500
LONGEST_LINE = 160

WORDS = {
    "TIMEOUT": "its time was over",
    "OUT_OF_MEMORY": "it needed more memory than it had",
    "NODE_FAIL": "its node was lost",
    "PREEMPTED": "others had the right to its place",
    "CANCELLED": "it was cancelled",
    "DEADLINE": "its deadline had passed",
    "BOOT_FAIL": "its node did not start",
}
"""What SLURM's words for the end of a job mean."""


@dataclass(frozen=True)
class Handed:
    """The job that a run was handed over as, the last time: its id, and what it prints to."""

    job_id: str
    log_path: Path
    folder: JobFolder


def handed_over(outputs: Outputs) -> dict[str, Handed]:
    """Run id to its newest job, from the files of the submissions; to be asked for before the queue is.

    Raises:
        StoreError: a file is damaged, or the disk refuses.
    """
    files = sorted(outputs.submissions_path.glob("*.json"), key=lambda file: file.stat().st_mtime_ns)
    found: dict[str, Handed] = {}
    for file in files:
        submission = Submission.read(file)
        if submission.answer is not Answer.ACCEPTED:
            continue
        for place, run_id in enumerate(submission.runs):
            job_id = submission.job_id if len(submission.runs) == 1 else f"{submission.job_id}_{place}"
            found[run_id] = Handed(job_id, submission.log_path(job_id), outputs.job(run_id))
    return found


def with_lost(observed: Mapping[str, Observed], handed: Mapping[str, Handed]) -> dict[str, Observed]:
    """What is observed, with a sentence for each run whose job has left the queue before the run had ended.

    Args:
        observed: run id to what is on disk and in the queue, of which this holds only if it could be asked.
        handed: from `handed_over`, of before the queue was asked.
    """
    found = dict(observed)
    lost = {run_id: job for run_id, job in handed.items() if _is_lost(observed.get(run_id, Observed()), job)}
    words = ends_by_accounting(job.job_id for job in lost.values())
    for run_id, job in lost.items():
        found[run_id] = replace(found.get(run_id, Observed()), lost=_sentence(job, words.get(job.job_id, "")))
    return found


def _is_lost(seen: Observed, job: Handed) -> bool:
    if seen.queued is not None or seen.held or (seen.state is not None and seen.state.has_ended):
        return False
    return job.log_path.exists()  # else it was cancelled before it started


def _sentence(job: Handed, word: str) -> str:
    """What is known of the end of a job."""
    known = [f"job {job.job_id} is gone from the queue"]
    if word:
        known.append(f"{WORDS[word]} ({word})" if word in WORDS else f"SLURM says {word}")
    try:
        result = Result.read(job.folder.result_path)
    except StoreError:
        result = Result(Ending.DONE)  # none was left
    last = result.message or last_line(job.log_path)
    if last:
        known.append(cut_to(last, LONGEST_LINE))
    return "; ".join([*known, f"log {job.log_path}"])


def last_line(path: Path) -> str:
    """The last line of a file that is not empty; nothing where it cannot be read."""
    try:
        with path.open("rb") as stream:
            stream.seek(0, os.SEEK_END)
            stream.seek(max(0, stream.tell() - TAIL_BYTES))
            lines = stream.read().decode(errors="replace").splitlines()
    except OSError:
        return ""
    return next((line.strip() for line in reversed(lines) if line.strip()), "")


def ends_by_accounting(job_ids: Iterable[str]) -> dict[str, str]:
    """Job id to SLURM's word for its end; nothing where there is no accounting, or it gives no answer."""
    return dict(_ends(list(job_ids)))


def _ends(job_ids: list[str]) -> Iterator[tuple[str, str]]:
    for start in range(0, len(job_ids), IDS_AT_ONCE):
        some = ",".join(job_ids[start : start + IDS_AT_ONCE])
        try:
            text = asked(
                "sacct", "--allocations", "--noheader", "--parsable2", "--format=JobID,State", f"--jobs={some}"
            )
        except QueueError:
            return
        for line in text.splitlines():
            job_id, _, state = line.partition("|")
            if state:
                yield job_id, state.split()[0]  # such as CANCELLED by 1000
