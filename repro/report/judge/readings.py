"""What the open readings of a paper do to the scores: differences paired by seed, cell by cell."""

from dataclasses import dataclass
from enum import StrEnum

from repro.experiments.measurement import Measurement
from repro.experiments.readings import Reading
from repro.papers import Address, Entry
from repro.report.judge.evidence import Absent, Evidence
from repro.report.judge.statistics import Interval, interval, paired
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
        base: mean of the cell as we read the paper, over the seeds that both readings have.
        difference: the reading minus ours, paired by seed.
        warnings: about images of either reading that were trained on, or chose the weights, and are measured.
    """

    entry: Entry
    name: str
    address: Address
    base: float
    difference: Interval
    warnings: tuple[str, ...] = ()

    @property
    def direction(self) -> Direction:
        """Whether it matters how the paper is read."""
        low, high = self.difference.low, self.difference.high
        if self.difference.n < SEEDS_OF_A_CLAIM or low is None or high is None:
            return Direction.UNDECIDED
        return Direction.RAISES if low > 0 else Direction.LOWERS if high < 0 else Direction.UNDECIDED


def effect(evidence: Evidence, reading: Reading, base: Measurement) -> Effect | None:
    """What an open reading does to a cell; None if no seed has both readings."""
    ours, other = evidence.of(base), evidence.of(reading.measurement)
    if isinstance(ours, Absent) or isinstance(other, Absent):
        return None
    differences = paired(other.by_seed, ours.by_seed)
    found = interval(list(differences.values()))
    if found is None or ours.evidence == other.evidence:
        return None
    mean = sum(ours.by_seed[seed] for seed in differences) / len(differences)
    warnings = tuple(dict.fromkeys((*ours.warnings, *other.warnings)))
    return Effect(reading.entry, reading.name, reading.base, mean, found, warnings)
