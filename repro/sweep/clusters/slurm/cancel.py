"""action=cancel in SLURM's queue: what runs is asked to end after a checkpoint, what waits is taken out."""

from collections.abc import Collection, Iterator, Mapping, Sequence

from repro.sweep.clusters.slurm.queue import asked
from repro.sweep.plan.job import Queued, QueueState
from repro.sweep.plan.words import many

IDS_AT_ONCE = 500
SIGNAL = "INT"
"""Upon which a run ends after a checkpoint and its job does not come again, as it does after a cluster's notice."""


def cancel_queued(queued: Mapping[str, Queued], runs: Collection[str] | None) -> Iterator[str]:
    """Cancels the jobs of some runs (None: of any); yields what was done.

    Raises:
        QueueError: scancel is not there, or fails.
    """
    chosen = [item for run_id, item in queued.items() if runs is None or run_id in runs]
    running = [item.job_id for item in chosen if item.state is QueueState.RUNNING]
    waiting = [item.job_id for item in chosen if item.state is not QueueState.RUNNING]
    if waiting:
        _scancel(waiting)
        yield f"took {many(len(waiting), 'job')} out of the queue: {_shown(waiting)}"
    if running:
        _scancel(running, f"--signal={SIGNAL}")
        yield f"asked {many(len(running), 'job')} to end: {_shown(running)}"


def _scancel(job_ids: Sequence[str], *options: str) -> None:
    for start in range(0, len(job_ids), IDS_AT_ONCE):
        asked("scancel", *options, *job_ids[start : start + IDS_AT_ONCE])


def _shown(job_ids: Sequence[str]) -> str:
    more = f" and {len(job_ids) - 3} more" if len(job_ids) > 3 else ""
    return ", ".join(job_ids[:3]) + more
