"""Claims made in the tests."""

from typing import Any

from repro.papers import Claim, Operator, Part, Quantity


def a_claim(left: Quantity, operator: str, right: Quantity, **words: Any) -> Claim:
    """A claim with one comparison."""
    kind = Operator(operator)
    return Claim(((left,), (right,)), (kind,), (Part(left, kind, right),), "section 1", **words)
