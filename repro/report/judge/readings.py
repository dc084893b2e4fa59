"""What the open readings of a paper do to the scores, cell by cell."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from enum import StrEnum

from repro.experiments.measurement import Measurement
from repro.experiments.readings import Reading
from repro.papers import Address, Entry
from repro.report.judge.evidence import Absent, Evidence
from repro.report.judge.statistics import LEVEL, Interval, holm
from repro.report.judge.verdicts import SEEDS_OF_A_CLAIM


class Direction(StrEnum):
    """Which way an open reading moves a score."""

    RAISES = "raises"
    LOWERS = "lowers"
    UNDECIDED = "undecided"


@dataclass(frozen=True)
class Effect:
    """How much one open reading moves one cell.

    Attributes:
        entry: the ledger's entry that leaves it open.
        name: of the reading.
        address: the cell.
        base: mean of the cell as we read the paper, over the seeds that both readings have, or else over its own.
        difference: the reading minus ours.
        warnings: about images of either reading that were trained on, or chose the weights, and are measured.
        p_value: that there is a difference, by itself; None where the seeds decide nothing.
        adjusted: the same after Holm over the effects of a paper that are measured.
    """

    entry: Entry
    name: str
    address: Address
    base: float
    difference: Interval
    warnings: tuple[str, ...] = ()
    p_value: float | None = None
    adjusted: float | None = None

    @property
    def direction(self) -> Direction:
        """Whether it matters how the paper is read."""
        if self.adjusted is None or self.adjusted > LEVEL:
            return Direction.UNDECIDED
        return Direction.RAISES if self.difference.mean > 0 else Direction.LOWERS


def effects(evidence: Evidence, readings: Iterable[Reading], bases: Mapping[Address, Measurement]) -> list[Effect]:
    """What open readings do to cells, as far as both are measured, with Holm over each paper."""
    found = [item for reading in readings if (item := effect(evidence, reading, bases[reading.base])) is not None]
    papers = dict.fromkeys(_paper(item) for item in found)
    for paper in papers:
        places = [place for place, item in enumerate(found) if _paper(item) == paper and item.p_value is not None]
        p_values = [found[place].p_value or 0.0 for place in places]
        for place, adjusted in zip(places, holm(p_values)(p_values), strict=True):
            found[place] = replace(found[place], adjusted=float(adjusted))
    return found


def effect(evidence: Evidence, reading: Reading, base: Measurement) -> Effect | None:
    """What an open reading does to a cell, before Holm; None if one of both is not measured, or both are one."""
    ours, other = evidence.of(base), evidence.of(reading.measurement)
    if isinstance(ours, Absent) or isinstance(other, Absent):
        return None
    contrast = other.contrast.plus(ours.contrast, -1.0)
    found = contrast.interval(SEEDS_OF_A_CLAIM)
    if found is None:
        return None
    shared = [ours.by_seed[seed] for seed in contrast.shared] if contrast.is_paired(SEEDS_OF_A_CLAIM) else []
    values = shared or list(ours.by_seed.values())
    warnings = tuple(dict.fromkeys((*ours.warnings, *other.warnings)))
    p_value = None
    if not contrast.hindrance(SEEDS_OF_A_CLAIM):
        p_value = float(contrast.mean(SEEDS_OF_A_CLAIM).outside(0.0, 0.0))
    mean = sum(values) / len(values)
    return Effect(reading.entry, reading.name, reading.base, mean, found, warnings, p_value)


def _paper(item: Effect) -> str:
    return item.address.table.partition("/")[0]
