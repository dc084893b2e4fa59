"""Which of the places that contradict each other is the wrong one: the one without which all the others agree."""

from collections.abc import Callable, Hashable, Sequence
from functools import lru_cache

from repro.report.audit.conflicts import Conflict, conflicts_of
from repro.report.audit.finding import Finding
from repro.report.audit.places import Printed, Reading
from repro.report.audit.wording import finding

MOST_STEPS = 20_000
"""Steps of the search for explanations; a knot that takes more is left undecided."""


def findings_of(printed: Printed) -> list[Finding]:
    """Every contradiction, and whom the others outvote.

    An explanation is a set of readings that may be wrong so that everything else agrees. Blamed is what belongs to
    every explanation that takes the fewest witnesses: with three places for one quantity that is the odd one, with
    two it is none, since either would do.
    """
    found = []
    for conflicts in _knots(conflicts_of(printed)):
        explanations = _explanations(conflicts)
        blamed = frozenset.intersection(*explanations) if explanations else frozenset()
        suspects = frozenset[Reading]().union(*explanations)
        seen = [conflict for conflict in conflicts if not conflict.is_implied]
        for reading in sorted(blamed, key=_order(seen)):
            explained = [conflict for conflict in seen if reading in conflict.readings]
            if explained:
                found.append(finding(explained, reading, blamed))
        rest = [conflict for conflict in seen if not blamed.intersection(conflict.readings)]
        found += [finding(group, None, blamed) for group in _groups(rest, suspects or None)]
    return found


def _order(conflicts: Sequence[Conflict]) -> Callable[[Reading], int]:
    flat = [reading for conflict in conflicts for reading in conflict.readings]
    return lambda reading: flat.index(reading) if reading in flat else len(flat)


def _knots(conflicts: Sequence[Conflict]) -> list[list[Conflict]]:
    """Conflicts that share a reading, directly or through others."""
    return _groups(conflicts, None)


def _groups(conflicts: Sequence[Conflict], by: frozenset[Reading] | None) -> list[list[Conflict]]:
    """Conflicts connected by the readings that they share, or by those of them that count."""
    groups: list[tuple[set[Reading], list[Conflict]]] = []
    for conflict in conflicts:
        shared = set(conflict.readings if by is None else by.intersection(conflict.readings))
        members = [conflict]
        apart = []
        for readings, others in groups:
            if shared & readings:
                shared |= readings
                members = [*others, *members]
            else:
                apart.append((readings, others))
        groups = [*apart, (shared, members)]
    return [members for _, members in groups]


def _explanations(conflicts: Sequence[Conflict]) -> list[frozenset[Reading]]:
    """The smallest sets of readings of which every conflict has one, counted by witnesses; empty if too many."""
    return _smallest(frozenset(frozenset(conflict.readings) for conflict in conflicts))


@lru_cache(maxsize=256)
def _smallest(conflicts: frozenset[frozenset[Reading]]) -> list[frozenset[Reading]]:
    search = _Search([item for item in conflicts if not any(other < item for other in conflicts)])
    search.grow(frozenset(), frozenset())
    if search.steps > MOST_STEPS:
        return []
    return [item for item in search.found if not any(other < item for other in search.found)]


class _Search:
    """Branches over the readings of a conflict that is not explained yet, and gives up where a shorter one is known."""

    def __init__(self, conflicts: Sequence[frozenset[Reading]]) -> None:
        self._conflicts = sorted(conflicts, key=_size_and_name)
        self._witnesses = {item: _witnesses(item) for item in self._conflicts}
        self._visited: set[frozenset[Reading]] = set()
        self.found: set[frozenset[Reading]] = set()
        self.fewest: float = float("inf")
        self.steps = 0

    def grow(self, chosen: frozenset[Reading], witnesses: frozenset[Hashable]) -> None:
        """Completes a set in every way that takes no more witnesses than the best one."""
        if chosen in self._visited or self.steps > MOST_STEPS:
            return
        self._visited.add(chosen)
        self.steps += 1
        open_ones = [item for item in self._conflicts if not item & chosen]
        if len(witnesses) + self._at_least(open_ones, witnesses) > self.fewest:
            return
        if not open_ones:
            if len(witnesses) < self.fewest:
                self.found.clear()
                self.fewest = len(witnesses)
            self.found.add(chosen)
            return
        for reading in sorted(open_ones[0], key=lambda item: (len(item.witnesses), str(item.places[0].address))):
            self.grow(chosen | {reading}, witnesses | reading.witnesses)

    def _at_least(self, conflicts: Sequence[frozenset[Reading]], witnesses: frozenset[Hashable]) -> int:
        """Further witnesses that conflicts without a common one need."""
        used, count = set(witnesses), 0
        for conflict in conflicts:
            involved = self._witnesses[conflict]
            if not involved & used:
                used |= involved
                count += 1
        return count


def _size_and_name(conflict: frozenset[Reading]) -> tuple[int, list[str]]:
    """An order that does not depend on hashes, so that a search takes the same steps in every process."""
    return len(conflict), sorted(str(place.address) for reading in conflict for place in reading.places)


def _witnesses(readings: frozenset[Reading]) -> frozenset[Hashable]:
    return frozenset[Hashable]().union(*(reading.witnesses for reading in readings))
