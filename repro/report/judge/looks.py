"""When claims are looked at while seeds are added, and what level each look spends.

Who adds seeds until a claim is decided gives chance one more try at each number. The level of a look is in proportion
to its seeds, and the levels of all looks together are that of a table; so, whatever the claims have to do with each
other, the probability of a false verdict at any look stays below it. docs/decisions/6-seeds.md says why so.
"""

LOOKS = (3, 5, 8, 12)
"""Numbers of seeds at which `seeds=auto` looks; there is none after the last."""

LEVEL = 0.05
"""Probability of any false verdict among the claims of a table that is put up with."""


def significance(seeds: int, planned: int | None = None) -> float:
    """The level that the claims of a table are judged at, which depends on the number of seeds alone.

    Args:
        seeds: that a claim rests on.
        planned: the number that was fixed before any result was seen; None if there was none.
    """
    if seeds == planned:
        return LEVEL
    return LEVEL * min(seeds, LOOKS[-1]) / sum(LOOKS)


def price(seeds: int, planned: int | None = None) -> float:
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
