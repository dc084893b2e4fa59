"""Trainings of a plan that would be refused for the images that they choose by or measure, found before any starts."""

from collections.abc import Iterable, Iterator, Mapping

from repro.errors import ConfigError, DataError
from repro.run.images import check_measured, opened_once, stored, used_after, used_before
from repro.store.images import UsedImages
from repro.store.outputs import Outputs
from repro.sweep.plan.job import Job

_SPLITS = ("dataset", "schedule", "selection", "validation", "evaluation")
"""What says which images a training and its evaluation use; where its weights come from is asked for apart."""


class Used:
    """The images behind the weights of planned runs; runs that differ in their seed alone share one value.

    Args:
        planned: every job of the plan by its run id, each after its upstream.
        outputs: where runs lie that are done already.
    """

    def __init__(self, planned: Mapping[str, Job], outputs: Outputs) -> None:
        self._planned, self._outputs, self._ids = planned, outputs, opened_once()
        self._there = outputs.run_ids()
        self._by_run: dict[str, UsedImages] = {}
        self._before: dict[str, UsedImages] = {}
        self._after: dict[tuple[str, int], UsedImages] = {}

    def by(self, job: Job) -> UsedImages:
        """What the weights of a job have seen, those of the runs before included.

        Raises:
            ConfigError: weights would be chosen by images that are trained on.
            DataError: a split cannot be opened.
        """
        if job.run_id not in self._by_run:
            found = None
            if job.run_id in self._there and (folder := self._outputs.run(job.run_id)).has_weights:
                found = stored(folder)
            self._by_run[job.run_id] = self._planned_for(job) if found is None else found
        return self._by_run[job.run_id]

    def _planned_for(self, job: Job) -> UsedImages:
        configuration, upstream = job.configuration, self._planned.get(job.upstream or "")
        if upstream is not None:
            before = self.by(upstream)
        else:
            start = configuration.key("backbone", "init", *_SPLITS)
            if start not in self._before:
                self._before[start] = used_before(configuration, self._outputs)
            before = self._before[start]
        key = (configuration.key(*_SPLITS), id(before))  # which lives as long as this does
        if key not in self._after:
            self._after[key] = used_after(configuration, before, self._ids)
        return self._after[key]


def refused_images(jobs: Iterable[Job], planned: Mapping[str, Job], outputs: Outputs) -> Iterator[str]:
    """A sentence for each job whose run would be refused; data that are not here are left to the run.

    Args:
        jobs: what is to be carried out.
        planned: every job of the plan by its run id, each after its upstream.
        outputs: where runs lie that are done already.
    """
    used, ids = Used(planned, outputs), opened_once()
    fine = set[tuple[str, int]]()
    for job in jobs:
        try:
            behind = used.by(job)
            for configuration in [job.evaluations[key] for key in job.missing]:
                key = (configuration.key(*_SPLITS), id(behind))
                if key not in fine:
                    check_measured(configuration, behind, ids)
                    fine.add(key)
        except ConfigError as error:
            yield f"{job.title}: {error}"
        except DataError:
            continue  # which data are missing is said elsewhere
