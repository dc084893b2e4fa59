"""Student's t with whole degrees of freedom in closed form, for a plan: SciPy would take longer to load than it takes.

Source: Abramowitz and Stegun, Handbook of Mathematical Functions, 26.7.3 and 26.7.4.
"""

import math
from functools import lru_cache


@lru_cache(maxsize=100_000)
def critical(degrees: int, level: float) -> float:
    """What Student's t exceeds with probability `level` in the one direction.

    Args:
        degrees: of freedom, at least 1.
        level: above 0, at most 0.5.
    """
    low, high = 0.0, 1.0
    while _upper_tail(high, degrees) > level:
        low, high = high, 2 * high
    while high - low > 1e-6 * high:
        middle = (low + high) / 2
        low, high = (middle, high) if _upper_tail(middle, degrees) > level else (low, middle)
    return high


def _upper_tail(t: float, degrees: int) -> float:
    """Probability that Student's t with whole degrees of freedom exceeds a number of at least 0."""
    angle = math.atan(t / math.sqrt(degrees))
    cosine = math.cos(angle)
    is_odd = degrees % 2
    term = cosine if is_odd else 1.0
    total = term if degrees > 1 else 0.0
    for k in range(2 + is_odd, degrees, 2):
        term *= cosine**2 * (k - 1) / k
        total += term
    central = 2 / math.pi * (angle + math.sin(angle) * total) if is_odd else math.sin(angle) * total
    return (1 - central) / 2
