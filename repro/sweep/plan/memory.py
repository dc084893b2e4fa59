"""Which runs do not fit the memory of a device, and what would make them fit: each way counted."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

from repro.config.configuration import Configuration
from repro.config.settings import FrozenIn, Precision, Recompute
from repro.errors import ConfigError
from repro.experiments.memory import ROOM, Memory
from repro.experiments.reserves import Reserve
from repro.sweep.plan.devices import Device
from repro.sweep.plan.job import Job

Count = Callable[[Configuration], Memory]
Change = tuple[tuple[str, object], ...]
"""Leaves with the values that they are given."""

_RECOMPUTED: Change = (("runtime.recompute", Recompute.blocks.value),)
_SINGLE: Change = (("evaluation.batch_size", 1),)
_BF16: Change = (("precision", Precision.bf16.value),)


@dataclass(frozen=True)
class Way:
    """Settings with which a run takes fewer bytes.

    Attributes:
        is_same_run: whether these leave its id as it is.
    """

    settings: tuple[str, ...]
    needed_bytes: float
    is_same_run: bool = True


@dataclass(frozen=True)
class TooLarge:
    """A job that does not fit: what it takes, and the ways that fit, or else the one that takes least."""

    title: str
    needed_bytes: float
    ways: tuple[Way, ...]


@dataclass(frozen=True)
class Fitting:
    """What the jobs of a plan take of a device.

    Attributes:
        reserve: learned of such a device; None: no basis.
        largest: title and bytes of the job that takes most.
        unknown: why jobs could not be counted, by title.
    """

    device: Device
    reserve: Reserve | None
    largest: tuple[str, float] | None
    too_large: tuple[TooLarge, ...]
    unknown: Mapping[str, str]


def fitting(jobs: Iterable[Job], device: Device, reserve: Reserve | None, count: Count) -> Fitting:
    """Holds what jobs take, counted and with the reserve, against the memory of a device."""
    largest: tuple[str, float] | None = None
    too_large, unknown = [], {}
    needs = _Needs(count, reserve)
    for job in jobs:
        configurations = [job.evaluations[key] for key in job.missing] or [job.configuration]
        try:
            needed, configuration = max(((needs(item), item) for item in configurations), key=lambda pair: pair[0])
        except ConfigError as error:
            unknown[job.title] = str(error)
            continue
        if largest is None or needed > largest[1]:
            largest = job.title, needed
        if needed > device.memory_bytes:
            too_large.append(TooLarge(job.title, needed, _ways(configuration, device, needs)))
    return Fitting(device, reserve, largest, tuple(too_large), unknown)


class _Needs:
    """The bytes that a configuration takes of a device."""

    def __init__(self, count: Count, reserve: Reserve | None) -> None:
        self._count = count
        self._factor = reserve.factor if reserve is not None else 1 / ROOM

    def __call__(self, configuration: Configuration) -> float:
        return self._count(configuration).peak_bytes * self._factor

    def of_evaluation(self, configuration: Configuration) -> float:
        """Those of the evaluation alone."""
        return self._count(configuration).evaluation_bytes * self._factor


def _ways(configuration: Configuration, device: Device, needs: _Needs) -> tuple[Way, ...]:
    """The first ways that fit, of those that leave the run what it is and, without any, of those that do not."""
    least: Way | None = None
    neutral = _neutral(configuration)
    if needs.of_evaluation(configuration) > device.memory_bytes:
        neutral = [_SINGLE, *((*change, *_SINGLE) for change in neutral)]
    for kinds in (neutral, [(*change, *_BF16) for change in ((), *neutral)]):
        fit, done = list[Way](), list[set[str]]()
        for change in kinds:
            if any(names <= {leaf for leaf, _ in change} for names in done):
                continue  # less does it
            way = _way(configuration, change, needs)
            if way is not None and way.needed_bytes <= device.memory_bytes:
                fit.append(way)
                done.append({leaf for leaf, _ in change})
            if way is not None and (least is None or way.needed_bytes < least.needed_bytes):
                least = way
        if fit:
            return tuple(fit)
    return () if least is None else (least,)


def _neutral(configuration: Configuration) -> list[Change]:
    """What changes no id and makes a step smaller: recomputation, and smaller passes where batch norm is frozen."""
    leaves = configuration.leaves
    passes: list[Change] = []
    if leaves.get("schedule.batch_norm.frozen") and leaves["schedule.batch_norm.frozen_in"] == FrozenIn.network.value:
        together = leaves["schedule.batch_norm.samples"] or leaves["schedule.batch_size"]
        passes = [(("runtime.micro_batch", together >> halvings),) for halvings in range(1, together.bit_length())]
    both = [(*_RECOMPUTED, *change) for change in passes]
    return [_RECOMPUTED, *passes, *both]


def _way(configuration: Configuration, change: Change, needs: _Needs) -> Way | None:
    changed = configuration
    try:
        for leaf, value in change:
            changed = changed.with_leaf(leaf, value)
        return Way(_settings(change), needs(changed), change[-1:] != _BF16)
    except ConfigError:
        return None  # such as a compiled network, of which nothing is computed again


def _settings(change: Change) -> tuple[str, ...]:
    return tuple(f"{leaf}={value}" for leaf, value in change)
