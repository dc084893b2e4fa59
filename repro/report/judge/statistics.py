"""Means, intervals over seeds, and differences paired by seed."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache

import numpy as np

CONFIDENCE = 0.95
"""Of every interval in a report."""


@dataclass(frozen=True)
class Interval:
    """Mean of n values with its 95 % interval over seeds; without an interval where n is below 2."""

    n: int
    mean: float
    spread: float | None
    low: float | None
    high: float | None


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


def paired(first: Mapping[int, float], second: Mapping[int, float]) -> dict[int, float]:
    """First minus second for each seed that both have, in the order of the seeds."""
    return {seed: first[seed] - second[seed] for seed in sorted(first.keys() & second.keys())}


@cache
def t_quantile(degrees: int) -> float:
    """How many standard errors a two-sided interval of `CONFIDENCE` reaches to each side."""
    from scipy.special import stdtrit  # a third of a second, which help and mistakes do without

    return float(stdtrit(degrees, (1 + CONFIDENCE) / 2))
