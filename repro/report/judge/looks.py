"""The level that claims are judged at, which depends on the number of seeds alone.

Who adds seeds until a claim is decided gives chance one more try at each number. A scale names the number of seeds that
was fixed beforehand; it has most of the level of a table, and the other looks share the rest. So, whatever the claims
have to do with each other, the probability of a false verdict at any look stays below the level, and who makes a report
needs no memory of how the seeds came. docs/decisions/6-seeds.md says why so.
"""

from repro.report.judge.statistics import LEVEL

LOOKS = (3, 5, 8, 12)
"""Numbers of seeds at which `seeds=auto` looks; there is none after the last."""

PLANNED_SHARE = 0.6
"""Of the level, what is spent at the number that was fixed beforehand."""


def significance(seeds: int, planned: int) -> float:
    """The level that the claims of a table are judged at.

    Args:
        seeds: that a claim rests on.
        planned: the number that the scale fixes beforehand.
    """
    if seeds == planned:
        return LEVEL * PLANNED_SHARE
    return LEVEL * (1 - PLANNED_SHARE) / sum(look != planned for look in LOOKS)


def price(seeds: int, planned: int) -> float:
    """What a p-value is to be multiplied with, so that it may be held against `LEVEL`."""
    return LEVEL / significance(seeds, planned)


def next_number(complete: int, *, all_decided: bool) -> int:
    """How many seeds are to be there.

    Args:
        complete: the last look that all rows have the seeds of; 0 before the first.
        all_decided: whether that look decided every claim.
    """
    if complete and all_decided:
        return complete
    return next((look for look in LOOKS if look > complete), LOOKS[-1])
