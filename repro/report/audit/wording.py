"""A contradiction in words: what is printed where, and the arithmetic that does not come out."""

from collections.abc import Collection, Sequence
from math import isinf

from repro.report.audit.conflicts import Conflict, interval_of
from repro.report.audit.finding import Finding, FindingKind
from repro.report.audit.places import Place, Reading
from repro.report.printed import number


def finding(
    conflicts: Sequence[Conflict],
    wrong: Reading | None,
    blamed: Collection[Reading],
    suspects: Collection[Reading] = (),
) -> Finding:
    """The finding of some conflicts that one reading explains, or of some that nothing decides among suspects."""
    ordered = sorted(conflicts, key=lambda conflict: list(FindingKind).index(conflict.kind))
    readings = list(dict.fromkeys(reading for conflict in ordered for reading in conflict.readings))
    first = list(wrong.places) if wrong else []
    places = dict.fromkeys([*first, *(place for reading in readings for place in reading.places)])
    return Finding(
        _kind(ordered, first),
        places=tuple(place.address for place in places),
        blamed=tuple(place.address for place in first),
        printed=next(iter(places)).printed,
        expected=_expected(ordered, wrong, blamed) if wrong else "",
        how="; ".join(dict.fromkeys(_how(conflict) for conflict in ordered)),
        suspects=tuple(place.address for reading in readings if reading in suspects for place in reading.places),
    )


def _kind(conflicts: Sequence[Conflict], wrong: Sequence[Place]) -> FindingKind:
    """The first kind in order; a slip of the text is one of the text, whatever else bears out the table."""
    kinds = [conflict.kind for conflict in conflicts]
    in_prose = wrong and all(place.in_prose for place in wrong) and FindingKind.PROSE in kinds
    return FindingKind.PROSE if in_prose else kinds[0]


def _expected(conflicts: Sequence[Conflict], wrong: Reading, blamed: Collection[Reading]) -> str:
    """What the other places print, else where the relations put it."""
    others = [reading for conflict in conflicts if conflict.relation is None for reading in conflict.readings
              if reading != wrong and reading not in blamed]  # fmt: skip
    if others:
        return max(others, key=lambda reading: len(reading.places)).places[0].printed
    sound = [item for item in conflicts if not any(other in blamed for other in item.readings if other != wrong)]
    return _fitting((sound or conflicts)[0], wrong)


def _fitting(conflict: Conflict, wrong: Reading) -> str:
    if conflict.relation is None:
        return ""
    found = interval_of(conflict.relation, wrong.quantity, conflict.readings)
    places = max(reading.number.decimals for reading in conflict.readings)
    if isinf(found.high):
        return f"at least {_other(conflict, wrong)}"
    if isinf(found.low):
        return f"at most {_other(conflict, wrong)}"
    if conflict.relation.low != conflict.relation.high:
        return f"{number(found.low, places)} to {number(found.high, places)}"
    precise = places + 1 if conflict.kind is FindingKind.MEAN else places
    return number((found.low + found.high) / 2, precise)


def _other(conflict: Conflict, wrong: Reading) -> str:
    return str(next(reading.number for reading in conflict.readings if reading != wrong))


def _how(conflict: Conflict) -> str:
    relation, readings = conflict.relation, conflict.readings
    if relation is None:
        return ", ".join(_said(reading) for reading in readings)
    first, *rest = readings
    if conflict.kind is FindingKind.MEAN:
        return _mean(conflict)
    if conflict.kind is FindingKind.TOLERANCE:
        after, before = readings
        return f"{_name(before.places)} prints {before.number} at a smaller tolerance than {_said(after)}"
    middle = interval_of(relation, first.quantity, readings)
    came = number((middle.low + middle.high) / 2, max(reading.number.decimals for reading in readings))
    if not rest:
        return f"the network has {came}"
    left, right = rest
    return (f"{left.number} − {right.number} is {came} and not {first.number}, {_name(first.places)} being taken "
            f"between {_name(left.places)} and {_name(right.places)}")  # fmt: skip


def _mean(conflict: Conflict) -> str:
    mean, *parts = conflict.readings
    assert conflict.relation is not None
    count = round(dict(conflict.relation.terms)[mean.quantity])
    total = sum(reading.number.value for reading in parts)
    if len(parts) == count:
        found = number(total / count, mean.number.decimals + 1)
        return f"the {count} printed numbers have the mean {found} and not {mean.number}"
    implied = number(count * mean.number.value - total, 1)
    return f"{len(parts)} of {count} numbers are printed; the missing one would have {implied}"


def _said(reading: Reading) -> str:
    return f"{_name(reading.places)} prints {reading.number}"


def _name(places: Sequence[Place]) -> str:
    more = f" (and {len(places) - 1} more)" if len(places) > 1 else ""
    return f"{places[0].address}{more}"
