"""One comparison of a claim as a region that a difference must lie in, and the two tests of that."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from repro.papers import Amount, Claim, Library, Operator, Part
from repro.report.judge.contrasts import Contrast
from repro.report.judge.statistics import Estimate, Numbers
from repro.report.judge.verdicts import SEEDS_OF_A_CLAIM, Tolerance, is_score
from repro.report.printed import own_decimals
from repro.report.printed_claims import quantity

_SLACK = 1e-9


@dataclass(frozen=True)
class Bound:
    """What the left side is held against: so many times the right one, and so much more."""

    times: float
    more: float


@dataclass(frozen=True)
class Region:
    """Where the left side must lie: above `low` and below `high`, if there are both; `is_open` if not on them."""

    low: Bound | None
    high: Bound | None
    is_open: bool = False


UPWARDS = Region(Bound(1.0, 0.0), None, is_open=True)
"""The direction alone: left is greater."""


@dataclass(frozen=True)
class PValues:
    """p-values, of one comparison or of many, whose small values say that it holds, or that it is reversed."""

    holds: Numbers
    reversed: Numbers


def region_of(library: Library, claim: Claim, part: Part, tolerance: Tolerance, *, is_exact: bool) -> Region:
    """The region of one comparison, with its amount and its margin.

    Args:
        library: for what is printed of both sides.
        claim: whose amount and margin count.
        part: the comparison.
        tolerance: about an amount.
        is_exact: no side depends on a seed, so that an amount is met to the digits that the text gives.
    """
    sides = [found for side in (part.left, part.right) if (found := quantity(library, side)) is not None]
    half = max((side.half for side in sides), default=0.0)
    if claim.by is not None:
        return _around(claim.by, _margin_of(library, claim.by, part, tolerance, half, is_exact=is_exact))
    if part.operator is Operator.GREATER:
        return UPWARDS
    within, is_share = (half, False) if claim.within is None else (claim.within.value, claim.within.is_share)
    low, high = (Bound(1 - within, 0), Bound(1 + within, 0)) if is_share else (Bound(1, -within), Bound(1, within))
    return Region(low, high if part.operator is Operator.EQUAL else None)


def is_about_size(claim: Claim, part: Part) -> bool:
    """Whether a comparison says how much, in the unit of its sides, and not only which side is the greater one."""
    share = claim.within is not None and claim.within.is_share
    number = any(isinstance(side, float) and side != 0 for side in (part.left, part.right))
    return claim.by is not None or number or (part.operator is not Operator.GREATER and not share)


def direction_of(claim: Claim, part: Part) -> Region | None:
    """What is left of a comparison where sizes do not count; None if it has no direction."""
    number = any(isinstance(side, float) and side != 0 for side in (part.left, part.right))
    level = part.operator is Operator.EQUAL or (claim.by is not None and claim.by.low <= 0)
    return None if number or level else UPWARDS


def compared(low: Estimate | None, high: Estimate | None, *, is_open: bool, half: float = 0.0) -> PValues:
    """The tests of estimates that must be above 0 (`low`) and below 0 (`high`).

    A region with its bounds needs no correction for two verdicts, since of any truth only one is false; of an open one
    both are false on the bound.

    Args:
        low: left side minus the lower bound.
        high: left side minus the upper bound.
        is_open: what lies on a bound is neither in nor out.
        half: what rounding can have changed of numbers that are cited.
    """
    inside, outside = list[Numbers](), list[Numbers]()
    if low is not None:
        inside.append(low.above(half))
        outside.append(low.below(-half))
    if high is not None:
        inside.append(high.below(-half))
        outside.append(high.above(half))
    times = 2.0 if is_open else 1.0
    return PValues(
        np.minimum(1.0, times * np.max(inside, axis=0)),
        np.minimum(1.0, times * len(outside) * np.min(outside, axis=0)),
    )


def compare(left: Contrast, right: Contrast, region: Region, seeds: NDArray[np.int64] | None = None) -> PValues:
    """The tests of measured sides, with the seeds that there are or as they would be with others."""
    half = 0.0

    def held_against(bound: Bound | None) -> Estimate | None:
        nonlocal half
        if bound is None:
            return None
        found = left.plus(right, -bound.times).plus(Contrast(constant=-bound.more))
        half = max(half, found.half)
        estimate = found.against_one() if found.cited else found.mean(SEEDS_OF_A_CLAIM)
        return estimate if seeds is None else estimate.with_seeds(seeds)

    low, high = held_against(region.low), held_against(region.high)
    return compared(low, high, is_open=region.is_open, half=half)


def compare_exactly(left: float, right: float, region: Region) -> PValues:
    """The same of numbers that depend on no seed: 0 or 1."""
    slack = -_SLACK if region.is_open else _SLACK
    gaps = [left - bound.times * right - bound.more for bound in (region.low,) if bound is not None]
    gaps += [bound.times * right + bound.more - left for bound in (region.high,) if bound is not None]
    holds, is_out = all(gap >= -slack for gap in gaps), any(gap < -_SLACK for gap in gaps)
    return PValues(np.asarray(float(not holds)), np.asarray(float(not is_out)))


def _around(amount: Amount, margin: float) -> Region:
    low, high = amount.low - margin, amount.high + margin
    if amount.is_share:
        return Region(Bound(1 + low, 0), Bound(1 + high, 0))
    return Region(Bound(1, low), Bound(1, high))


def _margin_of(
    library: Library, amount: Amount, part: Part, tolerance: Tolerance, half: float, *, is_exact: bool
) -> float:
    """How far from the amount of a text still counts: never so far that none at all would, never below its digits."""
    digits = max(0.5 * 10.0 ** -own_decimals(abs(end)) for end in (amount.low, amount.high))
    rounding = digits if amount.is_share else max(digits, half)
    if is_exact:
        return rounding
    scores = not amount.is_share and all(is_score(library.cell(address).metric) for address in part.addresses())
    margin = tolerance.points if scores else tolerance.share * (1.0 if amount.is_share else abs(amount.low))
    return max(min(margin, abs(amount.low) / 2) if amount.low else margin, rounding)
