"""Verdicts on cells and claims from their intervals; pure functions, in the order of precedence."""

from dataclasses import dataclass

from repro.papers import Metric
from repro.report.judge.results import Interval
from repro.report.judge.statistics import interval

JUDGED = ("reproduced", "above", "below", "inconclusive")
"""Verdicts from a measured interval beside a published number."""

VERDICTS = ("setting", "blank", "cited", "server only", "cannot be run", "not built", "not at this scale", "same as",
            "not run", "deviates", *JUDGED)  # fmt: skip
"""Every verdict on a cell; the first that applies counts."""

CLAIM_VERDICTS = ("holds", "reversed", "inconclusive")
"""Verdicts on a claim whose sides are both measured; else it has the verdict of the side that is not."""

SEEDS_OF_A_CLAIM = 3
"""Fewer paired seeds decide no claim."""

PERCENTAGES = frozenset({"miou", "iou", "pixel_accuracy", "boundary_f"})
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
        percentage = (metric.of or metric).name in PERCENTAGES
        tolerance = self.points if percentage else self.share * abs(published)
        if metric.of is not None:  # a gain is not reproduced by none at all
            tolerance = min(tolerance, abs(published) / 2)
        return max(tolerance, rounding)


def judged(measured: Interval, published: float, tolerance: float, *, exact: bool = False) -> str:
    """The verdict on measured values: where their interval lies against published ± tolerance.

    Args:
        measured: the values' mean and interval.
        published: the published value.
        tolerance: in its unit.
        exact: the value does not depend on a seed, so that it is its own interval.
    """
    low, high = (measured.mean, measured.mean) if exact else (measured.low, measured.high)
    if low is None or high is None:
        return "inconclusive"
    floor, ceiling = published - tolerance - _SLACK, published + tolerance + _SLACK
    if low > ceiling:
        return "above"
    if high < floor:
        return "below"
    return "reproduced" if floor <= low and high <= ceiling else "inconclusive"


def claim_verdict(differences: dict[int, float], *, exact: bool = False) -> tuple[str, Interval | None, str]:
    """Verdict on "higher > lower", the interval of the differences, and what hinders a decision.

    Args:
        differences: seed to higher minus lower.
        exact: the differences do not depend on the seed.
    """
    found = interval(list(differences.values()))
    if found is None:
        return "not run", None, "no seed has both sides"
    if exact:
        return _side(found.mean, found.mean), found, ""
    if found.n < SEEDS_OF_A_CLAIM or found.low is None or found.high is None:
        return "inconclusive", found, f"{found.n} of the {SEEDS_OF_A_CLAIM} seeds that a claim needs"
    return _side(found.low, found.high), found, ""


def _side(low: float, high: float) -> str:
    if low > 0:
        return "holds"
    return "reversed" if high < 0 else "inconclusive"
