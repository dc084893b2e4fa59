"""How probable it is that so many seeds decide a claim, if its difference and the spread over seeds are so large.

Runs of different configurations count as independent with one spread, and are compared by differences paired by seed.
The power is an integral over the spread that n seeds happen to show.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import cache, lru_cache

import numpy as np
from numpy.typing import NDArray

from repro.report.judge.statistics import LEVEL
from repro.report.judge.student import critical
from repro.report.judge.verdicts import MOST_SEEDS, SEEDS_OF_A_CLAIM

WANTED_POWER = 0.8
"""What decides a claim with less probability is not counted on."""

_NODES = 40
_ROUNDS = 6
_GRID = 1.01
_STEP, _STEPS = 1.02, 700


@dataclass(frozen=True)
class Band:
    """Where a difference must lie for a comparison to hold; if it is open, what lies on a bound is neither in nor out.

    Without a `high`, the band has no upper end; without a `low`, no lower one.
    """

    low: float = -math.inf
    high: float = math.inf
    is_open: bool = False

    @property
    def bounds(self) -> int:
        """How many ends it has."""
        return math.isfinite(self.low) + math.isfinite(self.high)


UPWARDS = Band(low=0.0, is_open=True)
"""The left side is greater, no matter by how much."""


@dataclass(frozen=True)
class Comparison:
    """One comparison of a claim as it would be if the truth were known.

    Attributes:
        effect: the true difference, left minus right.
        spread: standard deviation of that difference over seeds, in the same unit.
        band: where it must lie.
        one_more: standard deviation of the published run that it is held against; 0 if it is held against none.
        kinds: independent kinds of runs that the spread is estimated from.
    """

    effect: float
    spread: float
    band: Band = UPWARDS
    one_more: float = 0.0
    kinds: int = 1

    @property
    def is_true(self) -> bool:
        """Whether it holds in truth."""
        inside = self.band.low <= self.effect <= self.band.high
        return inside and not (self.band.is_open and self.effect in (self.band.low, self.band.high))

    @property
    def is_false(self) -> bool:
        """Whether it is reversed in truth; neither, if its effect lies on an end of an open band."""
        return not self.band.low <= self.effect <= self.band.high

    def power(self, seeds: int, level: float) -> float:
        """Probability that n seeds say what is true of it; 0 if nothing is."""
        if seeds < SEEDS_OF_A_CLAIM or not (self.is_true or self.is_false):
            return 0.0
        return _power(self, seeds, level)


@dataclass(frozen=True)
class PlannedClaim:
    """A claim as its comparisons, of which `needed` have to hold; those that cannot be judged are left out.

    Attributes:
        comparisons: those that are judged.
        parts: how many it has in all.
        needed: how many of them have to hold.
    """

    comparisons: tuple[Comparison, ...]
    parts: int
    needed: int

    def power(self, seeds: int, level: float) -> float:
        """Probability that n seeds say what is true of it, its comparisons taken as independent; 0 if nothing is."""
        judged = len(self.comparisons)
        true = [item for item in self.comparisons if item.is_true]
        false = [item for item in self.comparisons if item.is_false]
        if len(true) >= self.needed:
            share = level / (judged - self.needed + 1)
            return at_least(self.needed, [item.power(seeds, share) for item in true])
        against = self.parts - self.needed + 1
        if len(false) >= against:
            share = level / (judged - against + 1)
            return at_least(against, [item.power(seeds, share) for item in false])
        return 0.0

    def with_effect(self, effect: float) -> "PlannedClaim":
        """The claim if every difference of it were so large, in the direction claimed."""
        return replace(self, comparisons=tuple(replace(item, effect=effect) for item in self.comparisons))


def powers(claims: Sequence[PlannedClaim], seeds: int, level: float = LEVEL, others: int = 0) -> list[float]:
    """Probability for each claim of a table that n seeds decide it under Holm's correction.

    Holm holds a p-value against the level divided by the number of claims that are not decided before; here by the
    number that is expected not to be, first all, then anew from what each round gives. It is never too hopeful about
    that number, and more seeds never give less.

    Args:
        claims: those whose size and spread are known.
        seeds: of every row.
        level: of the table.
        others: further claims of the table, which count as undecided.
    """
    found = [0.0] * len(claims)
    for _ in range(_ROUNDS):
        undecided = others + sum(1 - power for power in found)
        found = [claim.power(seeds, _rounded_down(level / max(1.0, undecided + power)))
                 for claim, power in zip(claims, found, strict=True)]  # fmt: skip
    return found


def seeds_needed(claims: Sequence[PlannedClaim], level: float = LEVEL, others: int = 0) -> list[int | None]:
    """For each claim of a table the fewest seeds, the same for all rows, that decide it with `WANTED_POWER`.

    None where `MOST_SEEDS` are not enough. The arguments are those of `powers`.
    """
    of = cache(lambda seeds: powers(claims, seeds, level, others))

    def decides(place: int) -> Callable[[int], bool]:
        return lambda seeds: of(seeds)[place] >= WANTED_POWER

    return [_first(decides(place)) for place in range(len(claims))]


def smallest_effects(claims: Sequence[PlannedClaim], seeds: int, level: float = LEVEL, others: int = 0) -> list[float]:
    """For each claim of a table the smallest effect that n seeds decide with `WANTED_POWER` if all claims have it.

    Infinite where none is large enough. The arguments are those of `powers`.
    """
    unit = max((item.spread for claim in claims for item in claim.comparisons), default=0.0) / 100

    @cache
    def of(step: int) -> list[float]:
        return powers([claim.with_effect(unit * _STEP**step) for claim in claims], seeds, level, others)

    def decides(place: int) -> Callable[[int], bool]:
        return lambda step: of(step)[place] >= WANTED_POWER

    steps = [_first(decides(place), 0, _STEPS) for place in range(len(claims))]
    return [math.inf if step is None else unit * _STEP**step for step in steps]


def _rounded_down(level: float) -> float:
    """A level that is at most one per cent smaller, so that few different ones are worked out."""
    return _GRID ** math.floor(math.log(level, _GRID) + 1e-9)


def at_least(needed: int, chances: Sequence[float]) -> float:
    """Probability that at least `needed` of several independent things happen."""
    counts = [1.0]
    for chance in chances:
        counts = [(counts[k] if k < len(counts) else 0.0) * (1 - chance) + (counts[k - 1] * chance if k else 0.0)
                  for k in range(len(counts) + 1)]  # fmt: skip
    return sum(counts[needed:])


@cache
def _shown(degrees: int) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Spreads that so many degrees of freedom show where the true one is 1, and the weight of each."""
    width = 9 / math.sqrt(2 * degrees)
    low, high = max(0.0, 1 - width), 1 + width
    places, weights = np.polynomial.legendre.leggauss(_NODES)
    shown = low + (high - low) * (places + 1) / 2
    logarithms = (degrees - 1) * np.log(shown) - degrees * shown**2 / 2
    weights = weights * np.exp(logarithms - logarithms.max())
    return shown, weights / weights.sum()


_NORMAL = np.frompyfunc(lambda z: 0.5 * math.erfc(-z / math.sqrt(2)), 1, 1)
"""Probability that a standard normal number lies below another one."""


@lru_cache(maxsize=100_000)
def _power(comparison: Comparison, seeds: int, level: float) -> float:
    band, degrees = comparison.band, comparison.kinds * (seeds - 1)
    error = math.sqrt(comparison.spread**2 / seeds + comparison.one_more**2)
    if error == 0:
        return 1.0
    sides = 2 if band.is_open or (comparison.is_false and band.bounds == 2) else 1
    shown, weights = _shown(degrees)
    reach = critical(degrees, min(0.5, level / sides)) * shown
    above, below = (comparison.effect - band.low) / error, (band.high - comparison.effect) / error
    if comparison.is_false:
        chances = _NORMAL(max(-above, -below) - reach)
    else:
        chances = np.maximum(0.0, (_NORMAL(below - reach) - _NORMAL(reach - above)).astype(float))
    return float(weights @ chances.astype(float))


def _first(is_enough: Callable[[int], bool], low: int = SEEDS_OF_A_CLAIM, high: int = MOST_SEEDS) -> int | None:
    """The first of some whole numbers that is enough, where all after it are; None if the last one is not."""
    if not is_enough(high):
        return None
    while low < high:
        middle = (low + high) // 2
        low, high = (low, middle) if is_enough(middle) else (middle + 1, high)
    return high
