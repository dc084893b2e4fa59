"""Where the trainings of a plan stand, as lines of text: the states first, then the tables, then job by job."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence

from repro.experiments.measurements import Measurements
from repro.sweep.plan.job import Job, JobState, Observed, QueueState
from repro.sweep.plan.plan import Plan
from repro.sweep.plan.text import head_lines, table_lines, trouble
from repro.sweep.plan.words import duration, headed

SHOWN = (JobState.RUNNING, JobState.QUEUED, JobState.UNKNOWN, JobState.FAILED, JobState.BLOCKED, JobState.STALE)
"""States whose jobs are told of one by one."""


def status_lines(plan: Plan, found: Measurements, observed: Mapping[str, Observed], most: int | None) -> Iterator[str]:
    """How many trainings are in each state, the tables with their rows, and the jobs that something is to be said of.

    Args:
        plan: what is to be done.
        found: the cells.
        observed: run id to what is on disk and in the queue.
        most: jobs shown in each state; None: all.
    """
    yield from head_lines(plan, found)
    yield from _states(list(plan.jobs.values()), observed)
    yield ""
    yield from table_lines(plan, found)
    lines = list(trouble(plan.jobs.values(), SHOWN, most, "jobs_shown=null"))
    yield from ["", *lines] if lines else ()


def _states(jobs: Sequence[Job], observed: Mapping[str, Observed]) -> Iterator[str]:
    """One line for each state that there is."""
    counts = Counter(job.state for job in jobs)
    width = len(f"{max(counts.values(), default=0):,}")
    for state in JobState:
        if counts[state]:
            seen = [observed[job.run_id] for job in jobs if job.state is state and job.run_id in observed]
            yield from headed(f"{counts[state]:{width},}", ": ".join(filter(None, [state, _more(state, seen)])))


def _more(state: JobState, seen: Sequence[Observed]) -> str:
    """What there is to say about all jobs of a state together."""
    match state:
        case JobState.RUNNING:
            places = [item.standing for item in seen if item.standing is not None]
            left = [place.seconds_left for place in places if place.seconds_left]
            ends = f"the first ends in about {duration(min(left))}, the last in {duration(max(left))}" if left else ""
            starting = len(seen) - len(places)
            return "; ".join(filter(None, [ends, f"{starting} before the first step" if starting else ""]))
        case JobState.QUEUED:
            reasons = Counter(item.queued.reason for item in seen if item.queued is not None)
            return ", ".join(f"{count:,} {reason}" for reason, count in reasons.most_common())
        case JobState.BLOCKED | JobState.TO_DO:
            dead = sum(item.queued is not None and item.queued.state is QueueState.BLOCKED for item in seen)
            return (
                f"{dead:,} wait in the queue for what has failed, and are taken out when they are retried"
                if dead
                else ""
            )
        case _:
            return ""
