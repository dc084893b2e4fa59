"""How far apart runs of one row are that differ in their seed alone: as measured so far, or as assumed."""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from statistics import variance


@dataclass(frozen=True)
class Spread:
    """A standard deviation over seeds, in points.

    Attributes:
        points: the standard deviation.
        rows: how many rows it is pooled from; 0 if it is assumed.
        degrees: its degrees of freedom.
    """

    points: float
    rows: int = 0
    degrees: int = 0

    def __str__(self) -> str:
        basis = f"measured: {self.rows} row{'s' * (self.rows != 1)}, {self.degrees} degrees of freedom"
        return f"{self.points:.2g} points ({basis if self.rows else 'assumed'})"


def pooled(rows: Iterable[Sequence[float]]) -> Spread | None:
    """The spread that rows have in common; None if no row has two values that differ.

    That is fair for the number of seeds to plan, which is one for all rows; a verdict does not rest on it.
    """
    squares, degrees, count = 0.0, 0, 0
    for values in rows:
        square = variance(values) if len(values) > 1 else 0.0
        if square:
            squares += (len(values) - 1) * square
            degrees += len(values) - 1
            count += 1
    return Spread(math.sqrt(squares / degrees), count, degrees) if degrees else None
