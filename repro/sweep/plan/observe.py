"""What is on disk of the runs of a plan: status, holder, weights and whole records."""

from collections.abc import Mapping

from repro.errors import StoreError
from repro.store.holder import Life, describe, life_of, read_holder
from repro.store.outputs import Outputs
from repro.store.run_folder import RunFolder
from repro.store.status import START_DIGEST, WEIGHTS_DIGEST
from repro.sweep.plan.job import Job, Observed, Queued, QueueState
from repro.sweep.plan.standing import standing

NOTHING: Mapping[str, Queued] = {}
"""What a queue that was not asked says."""


def observe(outputs: Outputs, jobs: Mapping[str, Job], queued: Mapping[str, Queued] = NOTHING) -> dict[str, Observed]:
    """What is on disk of each job that has a run folder, and what the queue says of each that is in it."""
    found = {}
    there = outputs.run_ids()  # one look, since of thousands of jobs few may have begun
    for run_id, job in jobs.items():
        if run_id in there:
            found[run_id] = _look(outputs.run(run_id), job, queued.get(run_id))
        elif run_id in queued:
            found[run_id] = Observed(queued=queued[run_id])
    return found


def _look(folder: RunFolder, job: Job, queued: Queued | None) -> Observed:
    try:
        status = folder.read_status()
    except StoreError:
        status = None  # the run mends a damaged status when it starts
    holder = read_holder(folder.lock_path)
    life = life_of(folder.lock_path, holder) if holder else None
    runs = life is Life.RUNNING or (queued is not None and queued.state is QueueState.RUNNING)
    place = standing(folder, status) if runs else None
    weights = folder.has_weights
    waits = not runs and not weights  # only then is there a checkpoint to go on from
    return Observed(
        state=status.state if status else None,
        message=status.message if status else "",
        step=folder.checkpoints.newest_step() if waits else place.step if place else None,
        standing=place,
        held=life is Life.RUNNING,
        elsewhere=describe(holder) if life is Life.UNKNOWN else "",
        weights=weights,
        evaluations=frozenset(item for item in job.evaluations if folder.has_evaluation(item)),
        digest=status.extra.get(WEIGHTS_DIGEST) if status else None,
        start_digest=status.extra.get(START_DIGEST) if status else None,
        queued=queued,
    )
