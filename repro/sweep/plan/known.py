"""Evaluations that are known before a report is made: of the committed list, and of the run folders of some jobs."""

from collections.abc import Iterable, Mapping

from repro.errors import StoreError
from repro.store.files import is_there
from repro.store.outputs import Outputs
from repro.store.runs_csv import Recorded, recorded
from repro.sweep.plan.job import Job, Wanted


def known_evaluations(outputs: Outputs, jobs: Mapping[str, Job], listed: Mapping[str, Recorded]) -> dict[str, Recorded]:
    """Evaluation id to what was measured; a record that cannot be read counts as not there."""
    found = dict(listed)
    for job in jobs.values():
        folder = outputs.run(job.run_id)
        for evaluation in job.evaluations:
            if evaluation not in found and is_there(folder.record_path(evaluation)):
                try:
                    found[evaluation] = recorded(folder.read_record(evaluation))
                except StoreError:
                    continue  # the report names it, and the plan makes it again
    return found


def complete_number(wanted: Iterable[Wanted], known: Iterable[str], numbers: Iterable[int]) -> int:
    """The largest of some numbers of seeds, counted from 0, that every cell has; 0 if there is none."""
    measured = [item.measurement for item in wanted if item.needs_training]
    there = set(known)
    full = (number for number in sorted(numbers, reverse=True)
            if all(item.evaluation_id(seed) in there for item in measured for seed in range(number)))  # fmt: skip
    return next(full, 0) if measured else 0
