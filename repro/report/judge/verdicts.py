"""Verdicts on cells and claims from their intervals; pure functions, in the order of precedence."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from repro.papers import Metric
from repro.report.judge.statistics import Interval, interval


class Verdict(StrEnum):
    """What is said of a printed cell; the first that applies counts."""

    SETTING = "setting"
    BLANK = "blank"
    CITED = "cited"
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
        return self not in (Verdict.CITED, Verdict.SERVER_ONLY, Verdict.CANNOT_BE_RUN, Verdict.NOT_BUILT,
                            Verdict.NOT_AT_THIS_SCALE)  # fmt: skip


class ClaimVerdict(StrEnum):
    """What is said of a claim whose sides are both measured; else it has the verdict of the side that is not."""

    HOLDS = "holds"
    REVERSED = "reversed"
    INCONCLUSIVE = "inconclusive"


SEEDS_OF_A_CLAIM = 3
"""Fewer paired seeds decide no claim."""

_SLACK = 1e-9


@dataclass(frozen=True)
class Tolerance:
    """How far from the published value still counts as reproduced.

    Attributes:
        points: percentage points, for scores.
        share: share of the published value, for anything else.
    """

    points: float
    share: float

    def of(self, metric: Metric, published: float, rounding: float) -> float:
        """The tolerance about one published value, never finer than what printing has rounded away."""
        tolerance = self.points if metric.base.kind.is_score else self.share * abs(published)
        if metric.of is not None:  # a gain is not reproduced by none at all
            tolerance = min(tolerance, abs(published) / 2)
        return max(tolerance, rounding)


def judge(measured: Interval, published: float, tolerance: float, *, exact: bool = False) -> Verdict:
    """The verdict on measured values: where their interval lies against published ± tolerance.

    Args:
        measured: the values' mean and interval.
        published: the published value.
        tolerance: in its unit.
        exact: the value does not depend on a seed, so that it is its own interval.
    """
    low, high = (measured.mean, measured.mean) if exact else (measured.low, measured.high)
    if low is None or high is None:
        return Verdict.INCONCLUSIVE
    floor, ceiling = published - tolerance - _SLACK, published + tolerance + _SLACK
    if low > ceiling:
        return Verdict.ABOVE
    if high < floor:
        return Verdict.BELOW
    return Verdict.REPRODUCED if floor <= low and high <= ceiling else Verdict.INCONCLUSIVE


def judge_claim(
    differences: Mapping[int, float], *, exact: bool = False
) -> tuple[ClaimVerdict | Verdict, Interval | None, str]:
    """Verdict on "higher > lower", the interval of the differences, and what hinders a decision.

    Args:
        differences: seed to higher minus lower.
        exact: the differences do not depend on the seed.
    """
    found = interval(list(differences.values()))
    if found is None:
        return Verdict.NOT_RUN, None, "no seed has both sides"
    if exact:
        return _side(found.mean, found.mean), found, ""
    if found.n < SEEDS_OF_A_CLAIM or found.low is None or found.high is None:
        return ClaimVerdict.INCONCLUSIVE, found, f"{found.n} of the {SEEDS_OF_A_CLAIM} seeds that a claim needs"
    return _side(found.low, found.high), found, ""


def _side(low: float, high: float) -> ClaimVerdict:
    if low > 0:
        return ClaimVerdict.HOLDS
    return ClaimVerdict.REVERSED if high < 0 else ClaimVerdict.INCONCLUSIVE
