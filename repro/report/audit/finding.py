"""What an audit of the printed numbers finds."""

from dataclasses import dataclass
from enum import StrEnum

from repro.papers import Address


class FindingKind(StrEnum):
    """What does not fit."""

    DIFFERENCE = "difference"
    MEAN = "mean"
    REPEATED = "repeated"
    PROSE = "prose"
    CITED = "cited"
    DECIMALS = "decimals"
    TOLERANCE = "tolerance"

    @property
    def meaning(self) -> str:
        """The same as a sentence."""
        return _MEANINGS[self]


_MEANINGS = {
    FindingKind.DIFFERENCE: "a printed difference is not that of the numbers that it is taken between",
    FindingKind.MEAN: "a printed mean is not that of the printed classes",
    FindingKind.REPEATED: "one result is printed with different numbers in several tables",
    FindingKind.PROSE: "the text prints another number than the table",
    FindingKind.CITED: "a cited result is printed with different numbers",
    FindingKind.DECIMALS: "a number is printed with other decimals than its column",
    FindingKind.TOLERANCE: "a boundary score falls although the tolerance grows",
}


@dataclass(frozen=True)
class Finding:
    """A contradiction between published numbers that rounding does not explain.

    Attributes:
        kind: what does not fit.
        address: the cell that does not fit.
        printed: as the paper prints it.
        expected: what would fit.
        how: how that was computed, from which cells.
    """

    kind: FindingKind
    address: Address
    printed: str
    expected: str
    how: str
