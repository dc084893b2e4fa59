"""Trainings of a plan that would be refused for the images that they choose by or measure, found before any starts."""

from collections.abc import Iterable, Iterator, Mapping

from repro.errors import ConfigError, DataError
from repro.run.images import check_measured, opened_once, stored, used_after, used_before
from repro.store.images import UsedImages
from repro.store.outputs import Outputs
from repro.sweep.plan.job import Job


def refused_images(jobs: Iterable[Job], planned: Mapping[str, Job], outputs: Outputs) -> Iterator[str]:
    """A sentence for each job whose run would be refused; data that are not here are left to the run.

    Args:
        jobs: what is to be carried out.
        planned: every job of the plan by its run id, each after its upstream.
        outputs: where runs lie that are done already.
    """
    ids = opened_once()
    known: dict[str, UsedImages] = {}

    def used(job: Job) -> UsedImages:
        if job.run_id not in known:
            folder = outputs.run(job.run_id)
            found = stored(folder) if folder.has_weights else None
            if found is None:
                upstream = planned.get(job.upstream or "")
                before = used_before(job.configuration, outputs) if upstream is None else used(upstream)
                found = used_after(job.configuration, before, ids)
            known[job.run_id] = found
        return known[job.run_id]

    for job in jobs:
        try:
            for configuration in [job.evaluations[key] for key in job.missing]:
                check_measured(configuration, used(job), ids)
            used(job)
        except ConfigError as error:
            yield f"{job.title}: {error}"
        except DataError:
            continue  # which data are missing is said elsewhere
