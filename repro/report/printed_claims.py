"""What a paper's own printed numbers say about its claims."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from repro.papers import Address, Amount, Claim, Gain, Library, Margin, Operator, Part, Quantity
from repro.report.printed import EPSILON, Rounded, look, own_decimals, rounded


class PrintedSay(StrEnum):
    """What the paper's own printed numbers say about one of its claims."""

    HOLDS = "holds"
    REVERSED = "reversed"
    EQUAL = "equal"
    NOTHING = "not printed"


@dataclass(frozen=True)
class PrintedPart:
    """What is printed of one comparison: left minus right (None if a side is not printed), and what that says."""

    difference: Rounded | None
    say: PrintedSay


NOT_PRINTED = PrintedPart(None, PrintedSay.NOTHING)
"""A comparison with a side that the paper does not print."""


def printed_claim(library: Library, claim: Claim) -> PrintedSay:
    """What the printed numbers say about a claim: that of its parts which speaks most against it.

    Of a claim about most of several pairs more than half of the printed ones have to hold.
    """
    says = [printed_part(library, claim, part).say for part in claim.parts]
    if claim.most:
        spoken = [say for say in says if say is not PrintedSay.NOTHING]
        if not spoken:
            return PrintedSay.NOTHING
        return PrintedSay.HOLDS if 2 * spoken.count(PrintedSay.HOLDS) > len(spoken) else PrintedSay.REVERSED
    order = (PrintedSay.REVERSED, PrintedSay.EQUAL, PrintedSay.NOTHING, PrintedSay.HOLDS)
    return min(says, key=order.index)


def printed_part(library: Library, claim: Claim, part: Part) -> PrintedPart:
    """What the printed numbers say about one comparison of a claim."""
    left, right = quantity(library, part.left), quantity(library, part.right)
    if left is None or right is None:
        return NOT_PRINTED
    decimals = max(left.decimals, right.decimals)
    difference = Rounded(round(left.value - right.value, decimals), decimals)
    return PrintedPart(difference, _say(part.operator, claim.by, claim.within, left, right))


def quantity(library: Library, side: Quantity) -> Rounded | None:
    """The printed number of a side with its decimals; None if it is not printed."""
    if isinstance(side, Address):
        return rounded(library, look(library, side))
    if isinstance(side, Gain):
        sides = [rounded(library, look(library, address)) for address in (side.first, side.second)]
        return _minus(sides)
    return Rounded(side, own_decimals(abs(side)))


def _minus(sides: Sequence[Rounded | None]) -> Rounded | None:
    first, second = sides
    if first is None or second is None:
        return None
    decimals = max(first.decimals, second.decimals)
    return Rounded(round(first.value - second.value, decimals), decimals)


def _say(operator: Operator, by: Amount | None, within: Margin | None, left: Rounded, right: Rounded) -> PrintedSay:
    difference = left.value - right.value
    if by is not None:
        return PrintedSay.HOLDS if _is_amount(by, left, right) else PrintedSay.REVERSED
    margin = 0.0 if within is None else within.value * (abs(right.value) if within.is_share else 1.0)
    if operator is Operator.GREATER:
        if abs(difference) <= EPSILON:
            return PrintedSay.EQUAL
        return PrintedSay.HOLDS if difference > 0 else PrintedSay.REVERSED
    if operator is Operator.NOT_LESS:
        return PrintedSay.HOLDS if difference >= -margin - EPSILON else PrintedSay.REVERSED
    slack = max(left.half, right.half) if within is None else 0.0
    return PrintedSay.HOLDS if abs(difference) <= margin + slack + EPSILON else PrintedSay.REVERSED


def _is_amount(by: Amount, left: Rounded, right: Rounded) -> bool:
    """Whether the printed difference can be the amount that the text gives, to the rounding of print and text."""
    if by.is_share:
        if right.value - right.half <= 0:
            return False
        low = (left.value - left.half) / (right.value + right.half) - 1
        high = (left.value + left.half) / (right.value - right.half) - 1
        return low - EPSILON <= by.high and by.low <= high + EPSILON
    given = Rounded(by.low, max(own_decimals(by.low), own_decimals(by.high)))
    half = max(left.half, right.half, given.half)
    return by.low - half - EPSILON <= left.value - right.value <= by.high + half + EPSILON
