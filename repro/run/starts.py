"""The starts of a run as its journal tells them: how many, where, why again, and whether they get it anywhere."""

import os
import socket
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from repro.errors import ReproError
from repro.run.held import STARTED
from repro.run.repetition import is_training_anew
from repro.store.journal import Event

KILLED, DONE = "killed", "done"
"""How a process ended that left no word of it, and one that left a record; others ended by a signal, or failed."""

COMEBACKS = 2
"""So often a job may come back to where the run stood already before it is given up."""


class NoProgress(ReproError):
    """A job that is started again and again, and gets its run nowhere."""


@dataclass(frozen=True)
class Start:
    """One start.

    Attributes:
        facts: where it was, as `place_of_process` told.
        after: how the process before it ended; None for the first.
        place: how far the run was by then: its step, and how many evaluations it had.
    """

    facts: Mapping[str, Any]
    after: str | None
    place: tuple[int, int]


def place_of_process(environment: Mapping[str, str] = os.environ) -> dict[str, str | int]:
    """Where this process is: the host and, in a job of SLURM, the job's id and how often it was queued again."""
    array, job = environment.get("SLURM_ARRAY_JOB_ID"), environment.get("SLURM_JOB_ID")
    if array:
        job = f"{array}_{environment.get('SLURM_ARRAY_TASK_ID')}"
    facts: dict[str, str | int] = {"host": socket.gethostname()}
    if job:
        facts |= {"job": job, "requeues": int(environment.get("SLURM_RESTART_COUNT") or 0)}
    return facts


def starts_in(events: Sequence[Event]) -> list[Start]:
    """The starts since the run was begun anew, if it was, oldest first."""
    found = list(_all_starts(events))
    anew = [number for number, event in enumerate(events) if is_training_anew(event)]
    if anew:  # that event comes after the start that trains anew
        before = sum(event.kind == STARTED for event in events[: anew[-1]])
        found = found[max(0, before - 1) :]
    return found


def _all_starts(events: Sequence[Event]) -> Iterator[Start]:
    step, evaluations, ended = 0, 0, None
    for event in events:
        match event:
            case Event(kind=kind) if kind == STARTED:
                yield Start(event.fields, ended, (step, evaluations))
                ended = KILLED
            case Event(kind="checkpoint" | "resumed", fields={"step": int(reached)}):
                step = reached
            case Event(kind="evaluated"):
                evaluations, ended = evaluations + 1, DONE
            case Event(kind="interrupted" | "failed"):
                ended = str(event.fields.get("signal") or event.kind)


def summary(events: Sequence[Event]) -> dict[str, object]:
    """What the record says of the starts: their number, what they came after, hosts, jobs, and requeues of these."""
    starts = starts_in(events)
    requeues: dict[str, int] = {}
    for start in starts:
        if job := start.facts.get("job"):
            requeues[job] = max(requeues.get(job, 0), start.facts.get("requeues", 0))
    return {
        "count": len(starts),
        "after": dict(Counter(start.after for start in starts if start.after is not None)),
        "hosts": list(dict.fromkeys(start.facts["host"] for start in starts if "host" in start.facts)),
        "jobs": list(requeues),
        "requeues": sum(requeues.values()),
    }


def check_progress(events: Sequence[Event]) -> None:
    """Gives a job up that has come back twice to where its run stood already.

    Args:
        events: of the run's journal, the last of them the start of this process.

    Raises:
        NoProgress: the start is the third in a row of one job at one place.
    """
    starts = starts_in(events)
    newest = starts[-1]
    job, (step, evaluations) = newest.facts.get("job"), newest.place
    in_vain = 0
    for start in reversed(starts[:-1]):
        if job is None or (start.facts.get("job"), start.place) != (job, newest.place):
            break
        in_vain += 1
    if in_vain >= COMEBACKS:
        where = f"step {step}" + (f" and {evaluations} evaluations" if evaluations else "")
        ends = dict.fromkeys(str(start.after) for start in starts[-in_vain:])
        raise NoProgress(
            f"job {job} has come back {in_vain} times without getting beyond {where} (its processes ended by "
            f"{', '.join(ends)}): what it is given between two interruptions is too short for a start, a step and a "
            "checkpoint, or for an evaluation; retry it with a longer time limit"
        )
