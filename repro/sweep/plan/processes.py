"""Jobs whose batches cannot be shared by as many processes as a cluster gives each."""

from collections.abc import Iterable, Iterator

from repro.config.settings import Shares
from repro.errors import ConfigError
from repro.sweep.plan.job import Job


def refused_processes(jobs: Iterable[Job], processes: int) -> Iterator[str]:
    """A sentence for each such job, with the nearest numbers of processes that can share its batches."""
    for job in jobs:
        settings = job.configuration.settings
        try:
            if settings.trains:
                Shares.of(settings.schedule, processes)
        except ConfigError as error:
            yield f"{job.title}: {error}"
