"""What may be said of cells and claims, in the order of precedence, and the tests behind what is said of a cell."""

from dataclasses import dataclass
from enum import StrEnum

import numpy as np
from numpy.typing import ArrayLike, NDArray

from repro.papers import Metric
from repro.report.judge.statistics import LEVEL, Estimate, Numbers


class Verdict(StrEnum):
    """What is said of a printed cell; the first that applies counts."""

    SETTING = "setting"
    BLANK = "blank"
    CITED = "cited"
    SERVER = "server"
    SERVER_ONLY = "server only"
    CANNOT_BE_RUN = "cannot be run"
    NOT_BUILT = "not built"
    NOT_AT_THIS_SCALE = "not at this scale"
    SAME_AS = "same as"
    NOT_RUN = "not run"
    NOT_PRINTED = "not printed"
    DEVIATES = "deviates"
    REPRODUCED = "reproduced"
    ABOVE = "above"
    BELOW = "below"
    INCONCLUSIVE = "inconclusive"

    @property
    def precedence(self) -> int:
        """Place in the order above."""
        return list(Verdict).index(self)

    @property
    def is_silent(self) -> bool:
        """Whether it says nothing about a result."""
        return self in (Verdict.SETTING, Verdict.BLANK)

    @property
    def is_missing(self) -> bool:
        """Whether the paper measured the cell and this report did not."""
        return self in (Verdict.NOT_RUN, Verdict.NOT_BUILT, Verdict.NOT_AT_THIS_SCALE)

    @property
    def is_runnable(self) -> bool:
        """Whether the cell can be measured here, if only it is run."""
        return self not in (Verdict.CITED, Verdict.SERVER, Verdict.SERVER_ONLY, Verdict.CANNOT_BE_RUN,
                            Verdict.NOT_BUILT, Verdict.NOT_AT_THIS_SCALE)  # fmt: skip


class ClaimVerdict(StrEnum):
    """What is said of a claim whose sides are both measured; else it has the verdict of the side that is not."""

    HOLDS = "holds"
    REVERSED = "reversed"
    INCONCLUSIVE = "inconclusive"


SEEDS_OF_A_CELL = 2
"""Fewer have no spread."""

SEEDS_OF_A_CLAIM = 3
"""Fewer decide no comparison of runs: with two, the spread rests on a single difference."""

MOST_SEEDS = 100
"""Where more would be needed, no number is told."""

_SLACK = 1e-9


def is_score(metric: Metric) -> bool:
    """Whether a metric, or what it is a difference of, is a score in percent."""
    return metric.base.kind.is_score


@dataclass(frozen=True)
class Tolerance:
    """How far from the published value still counts as reproduced; why so far, conf/report.yaml says.

    Attributes:
        points: percentage points, for scores.
        share: share of the published value, for anything else.
    """

    points: float
    share: float

    def of(self, metric: Metric, published: float, rounding: float) -> float:
        """The tolerance about one published value, never finer than what printing has rounded away."""
        tolerance = self.points if is_score(metric) else self.share * abs(published)
        if metric.of is not None:  # a gain is not reproduced by none at all
            tolerance = min(tolerance, abs(published) / 2)
        return max(tolerance, rounding)


@dataclass(frozen=True)
class CellTest:
    """The two tests of a cell, or of many at once.

    Attributes:
        same: p-value of two one-sided tests that the mean lies within published ± tolerance.
        away: p-value that the published number, as it was before rounding, is no further run like ours.
        is_above: whether ours is above the published number.
    """

    same: Numbers
    away: Numbers
    is_above: NDArray[np.bool_]

    def verdicts(self, adjusted: ArrayLike) -> NDArray[np.str_]:
        """The verdicts, with `away` as it is after Holm."""
        beyond = np.asarray(adjusted) <= LEVEL
        cases = [self.same <= LEVEL, beyond & self.is_above, beyond]
        words = [str(word) for word in (Verdict.REPRODUCED, Verdict.ABOVE, Verdict.BELOW)]
        return np.select(cases, words, str(Verdict.INCONCLUSIVE))


def try_cell(mean: Estimate, run: Estimate, published: ArrayLike, tolerance: float, half: float) -> CellTest:
    """The tests of one cell or of many.

    Args:
        mean: of our runs.
        run: the same against one more run.
        published: the published number.
        tolerance: how far off the mean may be.
        half: how much rounding can have changed the published number.
    """
    published = np.asarray(published, dtype=np.float64)
    same = mean.inside(published - tolerance, published + tolerance)
    away = run.outside(published - half, published + half)
    return CellTest(same, away, mean.mean > published)


def verdict_without_seeds(value: float, published: float, half: float) -> Verdict:
    """The verdict on a value that depends on no seed: it has the printed digits, or it is above or below."""
    if abs(value - published) <= half + _SLACK:
        return Verdict.REPRODUCED
    return Verdict.ABOVE if value > published else Verdict.BELOW


def seeds_that_decide(n: int, is_decided: NDArray[np.bool_]) -> int | None:
    """The fewest seeds beyond n that decide, if any up to `MOST_SEEDS` do; one answer for each of `more_seeds(n)`."""
    return int(more_seeds(n)[is_decided.argmax()]) if is_decided.any() else None


def more_seeds(n: int) -> NDArray[np.int64]:
    """The numbers of seeds that are tried where n do not decide."""
    return np.arange(n + 1, max(MOST_SEEDS, n + 1) + 1)
