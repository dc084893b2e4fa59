"""What a paper argues: one sentence of it as comparisons that numbers can bear out or not."""

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

from repro.papers.address import Address


class Shape(StrEnum):
    """What kind of sentence a claim is; the first that applies counts."""

    COST = "cost"
    RANGE = "range"
    AMOUNT = "amount"
    IN_MOST = "in most"
    SATURATES = "saturates"
    IN_ALL = "in all"
    CHAIN = "chain"
    BEST_OF = "best of"
    NOT_WORSE = "not worse"
    EQUAL = "equal"
    GREATER = "greater"


class Operator(StrEnum):
    """How the left side of a comparison stands to the right one, as numbers: a cost that is lower is less."""

    GREATER = ">"
    NOT_LESS = ">="
    EQUAL = "="


@dataclass(frozen=True)
class Gain:
    """The difference of two cells: first minus second."""

    first: Address
    second: Address

    def __str__(self) -> str:
        return f"({self.first} minus {self.second})"


Quantity = Address | Gain | float
"""One number that is compared: a cell, the difference of two, or a number that the text gives."""


@dataclass(frozen=True)
class Part:
    """One comparison of two numbers."""

    left: Quantity
    operator: Operator
    right: Quantity

    def addresses(self) -> Iterator[Address]:
        """The cells that it rests on."""
        for side in (self.left, self.right):
            if isinstance(side, Address):
                yield side
            elif isinstance(side, Gain):
                yield from (side.first, side.second)

    @property
    def is_diminishing(self) -> bool:
        """Whether it says that one step gains more than the next one, which begins where the first ends."""
        steps = (self.left, self.right)
        return isinstance(steps[0], Gain) and isinstance(steps[1], Gain) and steps[0].first == steps[1].second


@dataclass(frozen=True)
class Amount:
    """By how much the left side is above the right one: a number (`low` is `high`) or a range.

    Attributes:
        low: in the unit of the sides, or as a share of the right side.
        high: the same.
        is_share: whether it is a share of the right side, 0.25 for 25 %.
    """

    low: float
    high: float
    is_share: bool = False


@dataclass(frozen=True)
class Margin:
    """What still counts as not less or as equal: `value` in the unit of the sides or as a share, and why so much."""

    value: float
    is_share: bool
    reason: str


@dataclass(frozen=True)
class Claim:
    """A sentence of a paper that measured numbers can bear out or not.

    Attributes:
        sides: what is compared, as written, each one quantity or several.
        operators: between the sides, one less than those.
        parts: the comparisons that it stands for.
        place: where the paper says it.
        says: the sentence in our words.
        by: the amount that the sentence gives.
        within: the margin of `>=` and `=`; without one it is the print's rounding.
        over: for a claim over pairs, what the pairs are.
        is_paired: the parts are pairs of an enumeration, the sides its words.
        most: it is enough that more than half of the parts hold.
        is_cost: it is about time, memory, parameters or operations.
        note: what a reader must know.
        line: in the file.
    """

    sides: tuple[tuple[Quantity | str, ...], ...]
    operators: tuple[Operator, ...]
    parts: tuple[Part, ...]
    place: str
    says: str = ""
    by: Amount | None = None
    within: Margin | None = None
    over: str = ""
    is_paired: bool = False
    most: bool = False
    is_cost: bool = False
    note: str = ""
    line: int = 0

    @property
    def shape(self) -> Shape:
        """What kind of sentence it is."""
        if self.is_cost:
            return Shape.COST
        if self.by is not None:
            return Shape.RANGE if self.by.low < self.by.high else Shape.AMOUNT
        if self.most:
            return Shape.IN_MOST
        if self._is_saturating():
            return Shape.SATURATES
        return Shape.IN_ALL if self.is_paired else self._shape_of_sides()

    def _is_saturating(self) -> bool:
        """Whether every step gains more than the next one, or a chain ends in no more gain."""
        first, *others = self.operators
        level = bool(others) and first is not Operator.GREATER
        return level or all(part.is_diminishing for part in self.parts)

    def _shape_of_sides(self) -> Shape:
        if len(self.operators) > 1:
            return Shape.CHAIN
        (operator,), (_, right) = self.operators, self.sides
        if operator is Operator.EQUAL:
            return Shape.AMOUNT if isinstance(right[0], float) else Shape.EQUAL
        if operator is Operator.NOT_LESS:
            return Shape.NOT_WORSE
        return Shape.BEST_OF if len(right) > 1 else Shape.GREATER
