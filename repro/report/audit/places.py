"""Printed places, the quantities that they print, and the relations between these."""

from collections.abc import Hashable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property

from repro.papers import Address
from repro.report.audit.finding import FindingKind
from repro.report.printed import Rounded

SHRUNK = 1e-9
"""Roundings that only touch do not agree: 80.8 and 80.9 are two numbers, although 80.85 could be either."""


@dataclass(frozen=True)
class Place:
    """One printed number.

    Attributes:
        address: where it stands.
        printed: as it stands there.
        number: its value with its decimals.
        witness: who says it: places that were written down together are one witness.
        in_prose: whether it stands in the text.
        is_cited: whether it is another paper's result.
    """

    address: Address
    printed: str
    number: Rounded
    witness: Hashable
    in_prose: bool = False
    is_cited: bool = False


@dataclass(frozen=True)
class Relation:
    """What holds between exact quantities: the sum of coefficient times quantity lies between `low` and `high`."""

    kind: FindingKind
    terms: tuple[tuple[Hashable, float], ...]
    low: float = 0.0
    high: float = 0.0


@dataclass(frozen=True)
class Reading:
    """One number that is printed for a quantity, and every place that prints exactly this."""

    quantity: Hashable
    number: Rounded
    places: tuple[Place, ...]

    @cached_property
    def half(self) -> float:
        """The most by which rounding can have changed it."""
        return self.number.half - SHRUNK

    @cached_property
    def witnesses(self) -> frozenset[Hashable]:
        """Who says it."""
        return frozenset(place.witness for place in self.places)

    @cached_property
    def _hash(self) -> int:
        return hash((self.quantity, self.number))

    def __hash__(self) -> int:
        return self._hash

    def agrees(self, other: "Reading") -> bool:
        """Whether both can be roundings of one number."""
        return abs(self.number.value - other.number.value) <= self.half + other.half


@dataclass(frozen=True)
class Printed:
    """Everything that some tables print: places by quantity, in printed order, and the relations of quantities."""

    places: Mapping[Hashable, tuple[Place, ...]]
    relations: tuple[Relation, ...]
    quantity_of: Mapping[Address, Hashable] = field(default_factory=dict)

    @cached_property
    def readings(self) -> dict[Hashable, list[Reading]]:
        """The different numbers that are printed for each quantity."""
        return {quantity: _readings(quantity, places) for quantity, places in self.places.items()}

    @cached_property
    def relations_of(self) -> dict[Hashable, list[Relation]]:
        """The relations that each quantity takes part in."""
        found: dict[Hashable, list[Relation]] = {}
        for relation in self.relations:
            for quantity, _ in relation.terms:
                found.setdefault(quantity, []).append(relation)
        return found

    def place(self, address: Address) -> Place:
        """The place at an address."""
        return next(item for item in self.places[self.quantity_of[address]] if item.address == address)

    def changed(self, address: Address, number: Rounded) -> "Printed":
        """The same with another number at one place."""
        quantity = self.quantity_of[address]
        places = tuple(
            replace(place, number=number, printed=str(number)) if place.address == address else place
            for place in self.places[quantity]
        )
        return self._with(quantity, places)

    def without(self, address: Address) -> "Printed":
        """The same with one place left blank."""
        quantity = self.quantity_of[address]
        return self._with(quantity, tuple(place for place in self.places[quantity] if place.address != address))

    def _with(self, quantity: Hashable, places: tuple[Place, ...]) -> "Printed":
        made = Printed({**self.places, quantity: places}, self.relations, self.quantity_of)
        made.__dict__["relations_of"] = self.relations_of
        made.__dict__["readings"] = {**self.readings, quantity: _readings(quantity, places)}
        return made


def printed_of(places: Iterable[tuple[Hashable, Place]], relations: Iterable[Relation]) -> Printed:
    """All places of some quantities with the relations between them, each once."""
    grouped: dict[Hashable, list[Place]] = {}
    for quantity, place in places:
        grouped.setdefault(quantity, []).append(place)
    quantity_of = {place.address: quantity for quantity, found in grouped.items() for place in found}
    known = tuple(item for item in dict.fromkeys(relations) if all(quantity in grouped for quantity, _ in item.terms))
    return Printed({quantity: tuple(found) for quantity, found in grouped.items()}, known, quantity_of)


def _readings(quantity: Hashable, places: Iterable[Place]) -> list[Reading]:
    by_number: dict[Rounded, list[Place]] = {}
    for place in places:
        by_number.setdefault(place.number, []).append(place)
    return [Reading(quantity, number, tuple(found)) for number, found in by_number.items()]
