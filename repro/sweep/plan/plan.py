"""Wanted cells -> distinct trainings with their evaluations, and what is to be done about each; pure functions."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from repro.experiments import Measurement

Config = dict[str, Any]

DONE = "done"
RECORDED = "done (recorded)"
RUNNING = "running"
FAILED = "failed"
BLOCKED = "blocked"
TO_EVALUATE = "to evaluate"
TO_DO = "to do"
NOT_NEEDED = "not needed"

STATES = (DONE, RECORDED, NOT_NEEDED, RUNNING, FAILED, BLOCKED, TO_EVALUATE, TO_DO)
"""States of a job and of a cell, in the order in which they are counted."""

SETTLED = frozenset({DONE, RECORDED, NOT_NEEDED})
"""States in which nothing is left to be done."""


@dataclass(frozen=True)
class Wanted:
    """One printed cell that is wanted.

    Attributes:
        measurement: how it is measured.
        variant: `setting: name` of the ledger if it is another reading of the paper.
        is_reference: it is not among the chosen cells, but one of them is a difference to it.
    """

    measurement: Measurement
    variant: str = ""
    is_reference: bool = False

    @property
    def needs_training(self) -> bool:
        """Whether the cell comes from a training."""
        return self.measurement.kind == "run"

    def __str__(self) -> str:
        return f"{self.measurement.address}" + (f" ({self.variant})" if self.variant else "")


@dataclass(frozen=True)
class Observed:
    """What is on disk of one run.

    Attributes:
        state: of status.json; None if there is none.
        message: of status.json.
        step: the newest one while it is held, else that of the newest checkpoint.
        held: a living process holds the folder.
        weights: the final weights are there.
        evaluations: ids of the wanted evaluations whose record is whole.
    """

    state: str | None = None
    message: str = ""
    step: int | None = None
    held: bool = False
    weights: bool = False
    evaluations: frozenset[str] = frozenset()

    @property
    def has_failed(self) -> bool:
        """Whether the run failed, or a further evaluation of a finished one did, whose message it then keeps."""
        return self.state == "FAILED" or (self.state == "FINISHED" and bool(self.message))


@dataclass(frozen=True)
class Job:
    """One distinct training with its distinct evaluations.

    Attributes:
        run_id: of the training.
        seed: of the training.
        config: complete configuration of the training.
        upstream: run whose weights it starts from.
        evaluations: evaluation id to complete configuration; empty for a training that only others start from.
        cells: what it serves, as words, without repetition.
        state: one of `STATES`.
        reason: message of the failure, what blocks it, where it goes on from.
        missing: ids of the evaluations that are still to be made.
        recorded: ids of the evaluations that only the committed list of records has.
    """

    run_id: str
    seed: int
    config: Config
    upstream: str | None = None
    evaluations: Mapping[str, Config] = field(default_factory=dict)
    cells: tuple[str, ...] = ()
    state: str = TO_DO
    reason: str = ""
    missing: tuple[str, ...] = ()
    recorded: frozenset[str] = frozenset()

    @property
    def is_open(self) -> bool:
        """Whether there is something to carry out now, once its upstream is there."""
        return self.state in (TO_DO, TO_EVALUATE)

    @property
    def title(self) -> str:
        """The first cell served, how many more there are, and the seed."""
        more = f" and {len(self.cells) - 1} more" if len(self.cells) > 1 else ""
        return f"{self.cells[0] if self.cells else self.run_id}{more}, seed {self.seed}"


@dataclass(frozen=True)
class Plan:
    """What is wanted, and the jobs that it takes, each after the one that it starts from."""

    wanted: tuple[Wanted, ...]
    seeds: tuple[int, ...]
    jobs: Mapping[str, Job]

    def state(self, wanted: Wanted, seed: int) -> str:
        """State of one cell that needs a training, for one seed."""
        job = self.jobs[wanted.measurement.run_id(seed)]
        evaluation = wanted.measurement.evaluation_id(seed)
        if evaluation in job.missing:
            return job.state
        return RECORDED if evaluation in job.recorded else DONE

    def in_state(self, *states: str) -> list[Job]:
        """The jobs in some states, in order."""
        return [job for job in self.jobs.values() if job.state in states]

    @property
    def trainings_per_cell(self) -> int:
        """Trainings that it would take if every cell were trained for itself, stages included."""
        own = [item.measurement for item in self.wanted if item.needs_training and not item.is_reference]
        return sum(len(measurement.chain) for measurement in own) * len(self.seeds)


def distinct_jobs(wanted: Iterable[Wanted], seeds: Sequence[int]) -> dict[str, Job]:
    """The distinct trainings behind some cells, each after its upstream, with state unknown."""
    jobs: dict[str, Job] = {}
    for item in wanted:
        if not item.needs_training:
            continue
        for seed in seeds:
            _add_chain(jobs, item, seed)
    return jobs


def _add_chain(jobs: dict[str, Job], item: Wanted, seed: int) -> None:
    measurement = item.measurement
    ids = measurement.run_ids(seed)
    configs: Sequence[Config] = ()
    evaluation = measurement.evaluation_id(seed)
    for place, run_id in enumerate(ids):
        last = place == len(ids) - 1
        job = jobs.get(run_id)
        if job is None or (last and evaluation not in job.evaluations):
            configs = configs or measurement.configs(seed)
        if job is None:
            job = Job(run_id, seed, configs[place], upstream=ids[place - 1] if place else None)
        evaluations = dict(job.evaluations)
        if last and evaluation not in evaluations:
            evaluations[evaluation] = configs[place]
        name = str(item) if last else f"{item}, stage {measurement.chain[place].name}"
        cells = job.cells if name in job.cells else (*job.cells, name)
        jobs[run_id] = replace(job, evaluations=evaluations, cells=cells)


def make_plan(
    wanted: Iterable[Wanted],
    seeds: Sequence[int],
    jobs: Mapping[str, Job],
    observed: Mapping[str, Observed],
    recorded: Collection[str],
) -> Plan:
    """Decides what is to be done about each job.

    Args:
        wanted: the cells.
        seeds: the seeds that each is wanted for.
        jobs: from `distinct_jobs`.
        observed: run id to what is on disk; a run that is absent has nothing there.
        recorded: evaluation ids in the committed list of records.
    """
    nothing = Observed()
    found = {run_id: _judged(job, observed.get(run_id, nothing), recorded) for run_id, job in jobs.items()}
    for run_id in reversed(list(found)):  # downstream first: who still needs weights?
        job = found[run_id]
        needed = [other for other in found.values() if other.upstream == run_id and other.state not in SETTLED]
        needed = [other for other in needed if other.state != TO_EVALUATE]
        if not needed and not job.evaluations and job.state in (TO_DO, FAILED):
            found[run_id] = replace(job, state=NOT_NEEDED, reason="what starts from it is done")
        elif needed and job.state in SETTLED and not observed.get(run_id, nothing).weights:
            found[run_id] = replace(job, state=TO_DO, reason="its weights, which others start from, are not here")
    for run_id, job in found.items():
        upstream = found.get(job.upstream or "")
        if upstream is not None and job.state == TO_DO and upstream.state in (FAILED, BLOCKED):
            cause = upstream.reason if upstream.state == BLOCKED else f"run {upstream.run_id} failed: {upstream.reason}"
            found[run_id] = replace(job, state=BLOCKED, reason=cause)
    return Plan(tuple(wanted), tuple(seeds), found)


def _judged(job: Job, seen: Observed, recorded: Collection[str]) -> Job:
    """The job with its state, whatever becomes of its upstream."""
    only_listed = frozenset(item for item in job.evaluations if item in recorded and item not in seen.evaluations)
    missing = tuple(item for item in job.evaluations if item not in seen.evaluations and item not in only_listed)
    state, reason = TO_DO, ""
    if not missing and (job.evaluations or seen.weights):
        state = RECORDED if only_listed else DONE
    elif seen.held:
        state, reason = RUNNING, ", ".join(filter(None, [seen.message, f"step {seen.step}" if seen.step else ""]))
    elif seen.has_failed:
        state, reason = FAILED, seen.message
    elif seen.weights:
        state = TO_EVALUATE
    elif seen.step:
        reason = f"goes on from step {seen.step}"
    return replace(job, state=state, reason=reason, missing=missing, recorded=only_listed)
