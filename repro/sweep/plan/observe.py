"""What is on disk of the runs of a plan: status, holder, weights and whole records."""

from collections.abc import Mapping

from repro.errors import StoreError
from repro.store.files import is_there
from repro.store.holder import Life, describe, life_of, read_holder
from repro.store.journal import newest_step
from repro.store.outputs import Outputs
from repro.store.run_folder import RunFolder
from repro.store.status import START_DIGEST, WEIGHTS_DIGEST
from repro.sweep.plan.job import Job, Observed


def observe(outputs: Outputs, jobs: Mapping[str, Job]) -> dict[str, Observed]:
    """What is on disk of each job that has a run folder."""
    found = {}
    for job in jobs.values():
        folder = outputs.run(job.run_id)
        if is_there(folder.path):
            found[job.run_id] = _look(folder, job)
    return found


def _look(folder: RunFolder, job: Job) -> Observed:
    try:
        status = folder.read_status()
    except StoreError:
        status = None  # the run mends a damaged status when it starts
    holder = read_holder(folder.lock_path)
    life = life_of(folder.lock_path, holder) if holder else None
    return Observed(
        state=status.state if status else None,
        message=status.message if status else "",
        step=newest_step(folder.journal_path) if life is Life.RUNNING else folder.checkpoints.newest_step(),
        held=life is Life.RUNNING,
        elsewhere=describe(holder) if life is Life.UNKNOWN else "",
        weights=folder.has_weights,
        evaluations=frozenset(item for item in job.evaluations if folder.has_evaluation(item)),
        digest=status.extra.get(WEIGHTS_DIGEST) if status else None,
        start_digest=status.extra.get(START_DIGEST) if status else None,
    )
