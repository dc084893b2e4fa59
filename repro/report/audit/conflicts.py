"""Readings that cannot all be right: two of one quantity, those of a relation, or those of two relations at once."""

from collections.abc import Hashable, Iterator
from dataclasses import dataclass
from itertools import combinations, product

from repro.report.audit.finding import FindingKind
from repro.report.audit.places import Printed, Reading, Relation


@dataclass(frozen=True)
class Conflict:
    """Readings of which at least one is wrong.

    Attributes:
        kind: what does not fit.
        readings: in the order of the relation's terms.
        relation: what they contradict; None for two readings of one quantity, and for what is implied.
        implied_by: of what follows from two relations, whatever is printed for the quantity that they share, the
            readings of the broken one.
    """

    kind: FindingKind
    readings: tuple[Reading, ...]
    relation: Relation | None = None
    implied_by: tuple[Reading, ...] = ()


@dataclass(frozen=True)
class Interval:
    """Where a quantity lies."""

    low: float
    high: float

    def meets(self, other: "Interval") -> bool:
        """Whether both can hold."""
        return self.low <= other.high and other.low <= self.high


def conflicts_of(printed: Printed) -> list[Conflict]:
    """All conflicts, those that are printed before those that they imply."""
    found = [*_repetitions(printed), *_broken(printed)]
    implied = (conflict for item in found for conflict in _implied(printed, item))
    different: dict[frozenset[Reading], Conflict] = {}
    for conflict in (*found, *implied):
        different.setdefault(frozenset(conflict.readings), conflict)
    return list(different.values())


def interval_of(relation: Relation, quantity: Hashable, readings: tuple[Reading, ...]) -> Interval:
    """Where a relation puts one of its quantities, from the readings of the others."""
    coefficient = dict(relation.terms)[quantity]
    others = [(factor, reading) for (name, factor), reading in zip(relation.terms, readings, strict=True)
              if name != quantity]  # fmt: skip
    rest = sum(factor * reading.number.value for factor, reading in others)
    slack = sum(abs(factor) * reading.half for factor, reading in others)
    ends = sorted(((relation.low - slack - rest) / coefficient, (relation.high + slack - rest) / coefficient))
    return Interval(*ends)


def _repetitions(printed: Printed) -> Iterator[Conflict]:
    for readings in printed.readings.values():
        for pair in combinations(readings, 2):
            if not pair[0].agrees(pair[1]):
                yield Conflict(_kind(pair), pair)


def _kind(readings: tuple[Reading, ...]) -> FindingKind:
    places = [place for reading in readings for place in reading.places]
    if any(place.is_cited for place in places):
        return FindingKind.CITED
    return FindingKind.PROSE if any(place.in_prose for place in places) else FindingKind.REPEATED


def _broken(printed: Printed) -> Iterator[Conflict]:
    for relation in printed.relations:
        for readings in product(*(printed.readings[quantity] for quantity, _ in relation.terms)):
            if not holds(relation, readings):
                yield Conflict(relation.kind, readings, relation)


def holds(relation: Relation, readings: tuple[Reading, ...]) -> bool:
    """Whether a relation comes out with one reading for each of its terms, to their rounding."""
    total = slack = 0.0
    for (_, factor), reading in zip(relation.terms, readings, strict=True):
        total += factor * reading.number.value
        slack += abs(factor) * reading.half
    return relation.low - slack <= total <= relation.high + slack


def _implied(printed: Printed, broken: Conflict) -> Iterator[Conflict]:
    """What would still not fit if one of the readings of a broken relation were another number."""
    if broken.relation is None:
        return
    for quantity, _ in broken.relation.terms:
        here = interval_of(broken.relation, quantity, broken.readings)
        rest = [reading for reading in broken.readings if reading.quantity != quantity]
        for relation in printed.relations_of[quantity]:
            if relation == broken.relation:
                continue
            names = [name for name, _ in relation.terms]
            # The interval leaves out the reading of the shared quantity; any one keeps the terms in step.
            choices = [printed.readings[name][:1] if name == quantity else printed.readings[name] for name in names]
            for readings in product(*choices):
                if not here.meets(interval_of(relation, quantity, readings)):
                    others = [reading for reading in readings if reading.quantity != quantity]
                    yield Conflict(broken.kind, tuple(dict.fromkeys([*rest, *others])), implied_by=broken.readings)
