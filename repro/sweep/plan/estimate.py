"""What a plan will cost: time from runs recorded on the same kind of hardware, disk from the size of the networks."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import combinations, islice
from math import exp, log
from statistics import median
from typing import Any

from repro import provenance
from repro.config.configuration import Configuration
from repro.engine.device import choose_device
from repro.errors import ReproError
from repro.experiments.operations import Counter, Work
from repro.store.outputs import Outputs
from repro.sweep.plan.job import Job, JobState
from repro.sweep.plan.plan import Plan

FEWEST_RUNS = 5
"""Recorded runs without which nothing is said about time."""

MOST_RUNS = 60
"""Recorded runs that are looked at, the newest ones."""

RECORD_BYTES = 100_000
"""Room for records, journal and log of one run, small beside its weights."""

_COUNTED = ("backbone", "head", "auxiliary", "dataset", "schedule", "evaluation", "precision", "runtime")
"""What decides how much a job computes, and on what."""

FAR, TOO_FAR = 3.0, 1000.0
"""Beyond so many times the largest recorded run, an estimate is called an extrapolation, or is not made at all."""


@dataclass(frozen=True)
class Sample:
    """A recorded run: its operations and its seconds."""

    operations: float
    seconds: float


@dataclass(frozen=True)
class Pace:
    """Seconds of a run = `constant` + `per_operation` times its operations.

    Attributes:
        error: the factor within which half of the recorded runs are predicted.
        runs: number of recorded runs.
        largest: operations of the largest one.
    """

    constant: float
    per_operation: float
    error: float
    runs: int
    largest: float

    def seconds(self, operations: float) -> float:
        """Predicted seconds of one run."""
        return self.constant + self.per_operation * operations


@dataclass(frozen=True)
class Estimate:
    """Cost of what a plan leaves to be done.

    Attributes:
        operations: of all jobs that could be counted.
        seconds: of all jobs together, by `hardware` and number format; None without a basis.
        paces: hardware to its pace, or to None where too few runs are recorded.
        basis: hardware to what is lacking for a basis there; empty where nothing is.
        largest: operations of the largest job.
        kept_bytes: weights and records that stay.
        passing_bytes: largest size of the two checkpoints that a training keeps until it ends.
        unknown: jobs that could not be counted, and why.
    """

    operations: float
    seconds: float | None
    paces: dict[str, Pace | None]
    basis: dict[str, str]
    largest: float
    kept_bytes: int
    passing_bytes: int
    unknown: dict[str, str]


def fit(samples: Sequence[Sample]) -> Pace | None:
    """The pace behind some recorded runs, or None if they are fewer than `FEWEST_RUNS`.

    Of the lines through two runs each, and of the two with only a constant or only a ratio, the one is taken whose
    predictions are off by the smallest factor on the whole; one run that was disturbed does not move it.
    """
    usable = [item for item in samples if item.operations > 0 and item.seconds > 0]
    if len(usable) < FEWEST_RUNS:
        return None
    lines = [(median(item.seconds for item in usable), 0.0)]
    lines.append((0.0, median(item.seconds / item.operations for item in usable)))
    for one, other in combinations(usable, 2):
        if one.operations != other.operations:
            ratio = (other.seconds - one.seconds) / (other.operations - one.operations)
            constant = one.seconds - ratio * one.operations
            if ratio > 0 and constant >= 0:
                lines.append((constant, ratio))
    constant, ratio = min(lines, key=lambda line: sum(_errors(usable, *line)))
    error = exp(median(_errors(usable, constant, ratio)))
    return Pace(constant, ratio, error, len(usable), max(item.operations for item in usable))


def _errors(samples: Iterable[Sample], constant: float, ratio: float) -> list[float]:
    return [abs(log((constant + ratio * item.operations) / item.seconds)) for item in samples]


def kind_of(hardware: Mapping[str, Any], precision: str) -> str:
    """What must agree for two runs to take the same time: the GPU, or the processor and its threads; the numbers."""
    device = hardware.get("gpu") or f"{hardware['processor']} with {_many(hardware['threads'], 'thread')}"
    return f"{device}, {precision}"


def _many(count: int, thing: str) -> str:
    return f"{count} {thing}{'' if count == 1 else 's'}"


def hardware_here(configuration: Configuration, share: int) -> str:
    """The kind of hardware that a configuration would run on here, with the cores divided by `share`."""
    leaves = configuration.leaves  # its settings would be read for each of many jobs
    threads = leaves["runtime.threads"] or max(1, provenance.available_cores() // share)
    return kind_of({**_hardware(leaves["runtime.device"]), "threads": threads}, leaves["precision"])


@cache
def _hardware(device: str) -> dict[str, Any]:
    return provenance.hardware(str(choose_device(device)))


def recorded_samples(outputs: Outputs, counter: Counter) -> dict[str, list[Sample]]:
    """Hardware to the newest recorded runs on it."""
    found: dict[str, list[Sample]] = {}
    for folder in islice(outputs.measured_runs(), MOST_RUNS):
        try:
            configuration = Configuration.from_yaml(folder.read_config(), folder.config_path)
            record = folder.read_record(configuration.evaluation_id)
            kind = kind_of(record.provenance["hardware"], configuration.leaves["precision"])
            work = counter.work(configuration)
        except (ReproError, OSError, ValueError, TypeError, LookupError):
            continue  # damaged, or of an older form: no basis, and no reason to stop
        found.setdefault(kind, []).append(Sample(work.training + work.evaluation, record.wall_seconds))
    return found


def estimate(plan: Plan, outputs: Outputs, share: int = 1) -> Estimate:
    """What the open jobs of a plan cost.

    Args:
        plan: the plan; its jobs hold the configurations that would be run.
        outputs: whose recorded runs are the basis.
        share: jobs among which the cores of this machine are divided.
    """
    counter = Counter()
    samples = recorded_samples(outputs, counter)
    paces = {kind: fit(items) for kind, items in samples.items()}
    operations, seconds, largest, kept, passing = 0.0, 0.0, 0.0, 0, 0
    basis: dict[str, str] = {}
    unknown: dict[str, str] = {}
    known: dict[tuple[str, ...], tuple[list[Work], str] | ReproError] = {}
    for job in plan.open_jobs:
        key = tuple(item.key(*_COUNTED) for item in _to_run(job))  # jobs that differ in their seed alone take the same
        if key not in known:
            try:
                known[key] = [counter.work(item) for item in _to_run(job)], hardware_here(job.configuration, share)
            except ReproError as error:
                known[key] = error
        counted = known[key]
        if isinstance(counted, ReproError):
            unknown[job.title] = str(counted)
            continue
        works, kind = counted
        amount = sum(work.evaluation for work in works)
        if job.state is JobState.TO_DO:
            amount += works[0].training
            kept += works[0].weights_bytes + RECORD_BYTES
            passing = max(passing, 2 * works[0].checkpoint_bytes)
        operations += amount
        largest = max(largest, amount)
        pace = paces.get(kind)
        seconds += pace.seconds(amount) if pace else 0.0
        basis[kind] = _lacking(pace, largest, len(samples.get(kind, ())))
    complete = bool(basis) and not any(basis.values())
    met = {kind: paces.get(kind) for kind in basis}
    return Estimate(operations, seconds if complete else None, met, basis, largest, kept, passing, unknown)


def _lacking(pace: Pace | None, largest: float, runs: int) -> str:
    """Why the pace of some hardware is no basis for a job of a size; empty if it is one."""
    if pace is None:
        return f"{_many(runs, 'run')} recorded there, and it takes {FEWEST_RUNS}"
    if largest > TOO_FAR * pace.largest:
        return f"the largest job is {largest / pace.largest:.1g} times the largest run recorded there"
    return ""


def _to_run(job: Job) -> list[Configuration]:
    return [job.evaluations[key] for key in job.missing] or [job.configuration]
