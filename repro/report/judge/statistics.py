"""Means with their errors, the tests that verdicts rest on, and Holm's correction; each for one case or for arrays.

Source: Welch, Biometrika 34 (1947); Schuirmann, J. Pharmacokin. Biopharm. 15 (1987) for two one-sided tests; Holm,
Scand. J. Statist. 6 (1979); Benjamini and Heller, Biometrics 64 (2008) for so many of several.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

CONFIDENCE = 0.95
"""Of every interval in a report."""

LEVEL = 0.05
"""The probability of a wrong verdict that is put up with: of a claim or an `above` in a table, of one `reproduced`."""

_ROUNDING = 1e-9

Numbers = NDArray[np.float64]


@dataclass(frozen=True)
class Interval:
    """Mean of n values with its 95 % interval over seeds; without an interval where n is below 2."""

    n: int
    mean: float
    spread: float | None
    low: float | None
    high: float | None


@dataclass(frozen=True)
class Estimate:
    """A mean and how uncertain it is, in one case or elementwise in many.

    Attributes:
        mean: of the runs, or of a sum over several kinds of runs.
        of_mean: variance of that mean.
        of_one: variance of the one run whose number it is held against; 0 if it is held against none.
        degrees: of freedom of both variances together.
        n: seeds; of several kinds of runs the fewest.
    """

    mean: Numbers
    of_mean: Numbers
    of_one: Numbers
    degrees: Numbers
    n: int

    @property
    def error(self) -> Numbers:
        """Standard error of the mean, or of the mean minus one more run."""
        return np.sqrt(self.of_mean + self.of_one)

    def above(self, bound: float | Numbers) -> Numbers:
        """p-value of the one-sided test whose small values say that the truth lies above the bound."""
        return _tail(np.asarray(self.mean - bound), self.error, self.degrees)

    def below(self, bound: float | Numbers) -> Numbers:
        """p-value of the one-sided test whose small values say that the truth lies below the bound."""
        return _tail(np.asarray(bound - self.mean), self.error, self.degrees)

    def inside(self, low: float | Numbers, high: float | Numbers) -> Numbers:
        """p-value of two one-sided tests, whose small values say that the truth lies between the bounds."""
        return np.maximum(self.above(low), self.below(high))

    def outside(self, low: float | Numbers, high: float | Numbers) -> Numbers:
        """p-value of the two-sided test whose small values say that the truth lies outside the bounds."""
        return np.minimum(1.0, 2.0 * np.minimum(self.below(low), self.above(high)))

    def interval(self, spread: float | None) -> Interval:
        """The 95 % interval of one case."""
        half = t_quantile(float(self.degrees)) * float(self.error)
        mean = float(self.mean)
        return Interval(self.n, mean, spread, mean - half, mean + half)

    def with_seeds(self, n: NDArray[np.int64]) -> "Estimate":
        """What it would be for other numbers of seeds if mean and spread stayed as they are."""
        degrees = self.degrees * (n - 1) / (self.n - 1)
        return replace(self, of_mean=self.of_mean * self.n / n, degrees=degrees)


def interval(values: Sequence[float]) -> Interval | None:
    """Mean, standard deviation (n - 1 in the denominator) and t-interval of independent values; None without values.

    One value has neither spread nor interval.
    """
    n = len(values)
    if n == 0:
        return None
    mean = float(np.mean(values))
    if n == 1:
        return Interval(1, mean, None, None, None)
    spread = float(np.std(values, ddof=1))
    half = t_quantile(n - 1) * spread / math.sqrt(n)
    return Interval(n, mean, spread, mean - half, mean + half)


def estimate(kinds: Sequence[ArrayLike], one_more: Sequence[float] | None = None) -> Estimate:
    """The sum of the means of independent kinds of runs, by Welch's rule; of one kind, Student's.

    Args:
        kinds: of each kind its values, [..., seeds], at least two.
        one_more: how often the variance of one run of each kind is in the number that the sum is held against.
    """
    values = [np.asarray(kind, dtype=np.float64) for kind in kinds]
    counts = np.array([kind.shape[-1] for kind in values])
    more = np.zeros(len(values)) if one_more is None else np.asarray(one_more)
    variances = np.stack([kind.var(axis=-1, ddof=1) for kind in values], axis=-1)
    parts = variances * (1 / counts + more)
    total = parts.sum(axis=-1)
    with np.errstate(invalid="ignore", divide="ignore"):
        degrees = total**2 / (parts**2 / (counts - 1)).sum(axis=-1)
    return Estimate(
        mean=np.sum([kind.mean(axis=-1) for kind in values], axis=0),
        of_mean=(variances / counts).sum(axis=-1),
        of_one=(variances * more).sum(axis=-1),
        degrees=np.where(total > 0, degrees, counts.min() - 1),
        n=int(counts.min()),
    )


def has_spread(values: Sequence[float]) -> bool:
    """Whether values differ by more than rounding."""
    return bool(np.ptp(values) > _ROUNDING * max(1.0, float(np.max(np.abs(values)))))


@dataclass(frozen=True)
class Holm:
    """Holm's correction of a family of p-values: what to multiply each with, and below what it cannot fall.

    Attributes:
        factors: of the smallest p-value the size of the family, of the next one less, and so on.
        floors: the largest corrected p-value among the smaller ones.
    """

    factors: Numbers
    floors: Numbers

    def __call__(self, p_values: ArrayLike) -> Numbers:
        """The corrected p-values."""
        found: Numbers = np.minimum(1.0, np.maximum(self.floors, self.factors * np.asarray(p_values)))
        return found


def holm(p_values: ArrayLike) -> Holm:
    """Holm's correction over the last axis."""
    given = np.asarray(p_values, dtype=np.float64)
    order = np.argsort(given, axis=-1, kind="stable")
    size = given.shape[-1]
    steps = np.broadcast_to(np.arange(size, 0, -1, dtype=np.float64), given.shape)
    reached = np.maximum.accumulate(np.take_along_axis(given, order, axis=-1) * steps, axis=-1)
    before = np.concatenate([np.zeros_like(reached[..., :1]), reached[..., :-1]], axis=-1)
    factors, floors = np.empty_like(given), np.empty_like(given)
    np.put_along_axis(factors, order, steps, axis=-1)
    np.put_along_axis(floors, order, np.minimum(1.0, before), axis=-1)
    return Holm(factors, floors)


def so_many(p_values: ArrayLike, needed: int) -> Numbers:
    """p-value, over the last axis, that at least `needed` of several alternatives are true.

    Of all it is the largest, of one the smallest times their number, in between that of the needed rank times how many
    are left; 1 if fewer are there than are needed.
    """
    ranked = np.sort(np.asarray(p_values, dtype=np.float64), axis=-1)
    size = ranked.shape[-1]
    if size < needed:
        return np.ones(ranked.shape[:-1])
    found: Numbers = np.minimum(1.0, (size - needed + 1) * ranked[..., needed - 1])
    return found


def paired(first: Mapping[int, float], second: Mapping[int, float]) -> dict[int, float]:
    """First minus second for each seed that both have, in the order of the seeds."""
    return {seed: first[seed] - second[seed] for seed in sorted(first.keys() & second.keys())}


def t_quantile(degrees: float) -> float:
    """How many standard errors a two-sided interval of `CONFIDENCE` reaches to each side."""
    from scipy.special import stdtrit  # a third of a second, which help and mistakes do without

    return float(stdtrit(degrees, (1 + CONFIDENCE) / 2))


def _tail(distance: Numbers, error: Numbers, degrees: Numbers) -> Numbers:
    """Probability of Student's t beyond so many errors; without an error, whether there is a distance."""
    from scipy.special import stdtr  # as above

    with np.errstate(invalid="ignore", divide="ignore"):
        found: Any = stdtr(degrees, -distance / error)
    return np.where(error > 0, found, np.where(distance > 0, 0.0, 1.0))
