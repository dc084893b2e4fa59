"""What an audit of printed numbers finds."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from repro.papers import Address


class FindingKind(StrEnum):
    """What does not fit."""

    DIFFERENCE = "difference"
    MEAN = "mean"
    CLOSED_FORM = "closed form"
    REPEATED = "repeated"
    PROSE = "prose"
    CITED = "cited"
    TOLERANCE = "tolerance"
    DECIMALS = "decimals"
    BEST = "best"
    CLAIM = "claim"

    @property
    def meaning(self) -> str:
        """The same as a sentence."""
        return _MEANINGS[self]


_MEANINGS = {
    FindingKind.DIFFERENCE: "a printed difference is not that of the numbers that it is taken between",
    FindingKind.MEAN: "a printed mean is not that of the printed numbers that it is taken over",
    FindingKind.CLOSED_FORM: "a number that follows from the network alone is printed otherwise",
    FindingKind.REPEATED: "one result is printed with different numbers in several tables",
    FindingKind.PROSE: "the text prints another number than the table",
    FindingKind.CITED: "a cited result is printed with different numbers",
    FindingKind.TOLERANCE: "a boundary score falls although the tolerance grows",
    FindingKind.DECIMALS: "a number is printed with other decimals than its column",
    FindingKind.BEST: "what is printed bold is not the best of its column",
    FindingKind.CLAIM: "the text argues what the printed numbers contradict",
}


@dataclass(frozen=True)
class Finding:
    """A contradiction between printed numbers that rounding does not explain.

    Attributes:
        kind: what does not fit.
        places: every printed cell that takes part in it.
        blamed: of these, the ones that the others outvote; empty where as much speaks for one as for another.
        suspects: where none is blamed, the ones of which either may be wrong; all the others would take more slips.
        printed: what the blamed ones print; of a finding without blame, what its first place prints.
        expected: what would fit in its stead; empty where none is blamed.
        how: the arithmetic, with the printed numbers.
    """

    kind: FindingKind
    places: tuple[Address, ...]
    blamed: tuple[Address, ...]
    printed: str
    expected: str
    how: str
    suspects: tuple[Address, ...] = ()


MOST_OF_A_ROW = 4
"""Cells of one row that are named one by one."""


def places_text(places: Sequence[Address]) -> list[str]:
    """All places, those of a row that has many of them as the first one and their number."""
    rows: dict[tuple[str, str], list[Address]] = {}
    for place in places:
        rows.setdefault((place.table, place.row), []).append(place)
    texts = []
    for found in rows.values():
        if len(found) > MOST_OF_A_ROW:
            texts.append(f"{found[0]} and {len(found) - 1} more of its row")
        else:
            texts += [str(place) for place in found]
    return texts
