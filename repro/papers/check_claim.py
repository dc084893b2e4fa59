"""What a claim must not be: a comparison with itself, of things that differ in kind, or of nothing that is measured."""

from collections.abc import Callable, Iterable

from repro.papers.address import Address
from repro.papers.claim import Claim, Gain, Operator, Part, Quantity
from repro.papers.table import Cell, Metric

CellAt = Callable[[Address], Cell]
"""Finds a cell in any table of the papers."""


def fault_of(claim: Claim, cell_at: CellAt) -> str:
    """What is wrong with a claim, as a sentence; empty if nothing is."""
    return next((fault for fault in _faults(claim, cell_at) if fault), "")


def is_cost(claim: Claim, cell_at: CellAt) -> bool:
    """Whether all that a claim compares is a cost."""
    addresses = [address for part in claim.parts for address in part.addresses()]
    return bool(addresses) and all(cell_at(address).metric.base.kind.is_cost for address in addresses)


def _faults(claim: Claim, cell_at: CellAt) -> Iterable[str]:
    if not claim.place.strip():
        yield "the claim has an empty place; say where the paper argues it"
    yield _fault_of_words(claim)
    for part in claim.parts:
        yield _fault_of_sides(part)
        yield _fault_of_cells(part, cell_at)


def _fault_of_words(claim: Claim) -> str:
    words = " ".join(claim.operators)
    if claim.by is not None and (len(claim.operators) > 1 or claim.operators[0] is not Operator.GREATER):
        right = f"[LEFT, {Operator.GREATER}, RIGHT]"
        return f"by says how much greater the left side is, so that the claim must be {right}, not with {words}"
    if claim.within is not None and Operator.GREATER in claim.operators:
        return f"within is the margin of {Operator.NOT_LESS} and {Operator.EQUAL}; {Operator.GREATER} has none"
    if claim.most and len(claim.parts) < 3:
        return "most is more than half of several comparisons, of which there must be three or more"
    return ""


def _fault_of_sides(part: Part) -> str:
    if part.left == part.right:
        return f"the claim compares {part.left} with itself"
    for side in (part.left, part.right):
        if isinstance(side, Gain) and side.first == side.second:
            return f"the claim has {side}, which is nothing"
    if not any(True for _ in part.addresses()):
        return f"the claim compares {part.left} with {part.right}, and no cell"
    return ""


def _fault_of_cells(part: Part, cell_at: CellAt) -> str:
    cells = [cell_at(address) for address in part.addresses()]
    for cell in cells:
        if cell.metric.is_setting:
            return f"the claim compares {cell.address}, which was set and not measured"
        if cell.published is None and not cell.is_wanted:
            return f"the claim compares {cell.address}, which is blank; write `not printed` there to have it measured"
    kinds = [kind for side in (part.left, part.right) for kind in _kinds(side, cell_at)]
    if len(set(kinds)) > 1:
        return f"the claim compares {' with '.join(dict.fromkeys(kinds))}: {part.left} and {part.right}"
    return ""


def _kinds(side: Quantity, cell_at: CellAt) -> list[str]:
    """What kind of number a side is, in words; none for a bare number, two for a difference of unlike things."""
    if isinstance(side, Address):
        return [_kind(cell_at(side).metric)]
    if isinstance(side, Gain):
        metrics = [cell_at(address).metric for address in (side.first, side.second)]
        found = dict.fromkeys(_kind(metric) for metric in metrics)
        return [_difference(metrics[0])] if len(found) == 1 else list(found)
    return []


def _kind(metric: Metric) -> str:
    return _difference(metric) if metric.is_difference else _level(metric)


def _difference(metric: Metric) -> str:
    return f"a difference in {_level(metric.base)}"


def _level(metric: Metric) -> str:
    return "a score" if metric.base.kind.is_score else metric.base.name
