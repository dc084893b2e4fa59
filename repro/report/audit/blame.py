"""Which of the places that contradict each other is the wrong one: the one without which all the others agree."""

from collections.abc import Callable, Sequence
from functools import lru_cache

from repro.report.audit.conflicts import Conflict, conflicts_of
from repro.report.audit.finding import Finding
from repro.report.audit.places import Printed, Reading
from repro.report.audit.wording import finding

MOST_STEPS = 5_000
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
        seen = [conflict for conflict in conflicts if not conflict.implied_by]
        for reading in sorted(blamed, key=_order(seen)):
            explained = [conflict for conflict in seen if reading in conflict.readings]
            if explained:
                found.append(finding(explained, reading, blamed))
        rest = [conflict for conflict in seen if not blamed.intersection(conflict.readings)]
        found += [finding(group, None, blamed, suspects) for group in _groups(rest, suspects or None)]
    return found


def _order(conflicts: Sequence[Conflict]) -> Callable[[Reading], int]:
    flat = [reading for conflict in conflicts for reading in conflict.readings]
    return lambda reading: flat.index(reading) if reading in flat else len(flat)


def _knots(conflicts: Sequence[Conflict]) -> list[list[Conflict]]:
    """Conflicts that share a reading, directly or through others, with what each of them implies."""
    groups = _groups([conflict for conflict in conflicts if not conflict.implied_by], None)
    of = {frozenset(conflict.readings): group for group in groups for conflict in group}
    for conflict in conflicts:
        if conflict.implied_by:
            of[frozenset(conflict.implied_by)].append(conflict)
    return groups


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
    search.grow(0, 0, 0)
    if search.steps > MOST_STEPS:
        return []
    return [item for item in search.explanations() if not any(other < item for other in search.explanations())]


class _Search:
    """Branches over the readings of a conflict that is not explained yet, and gives up where a shorter one is known.

    Sets of readings and of witnesses are whole numbers, one bit for each.
    """

    def __init__(self, conflicts: Sequence[frozenset[Reading]]) -> None:
        found = {reading: str(reading.places[0].address) for conflict in conflicts for reading in conflict}
        # Many witnesses first: once it is left out what is printed in many places, conflicts fall apart, and the bound
        # holds. Then names, so that a search takes the same steps in every process.
        self._readings = sorted(
            found, key=lambda reading: (-len(reading.witnesses), found[reading], reading.number.value)
        )
        named = sorted({witness for reading in found for witness in reading.witnesses}, key=str)
        bits = {witness: 1 << place for place, witness in enumerate(named)}
        self._witnesses = [sum(bits[witness] for witness in reading.witnesses) for reading in self._readings]
        places = {reading: place for place, reading in enumerate(self._readings)}
        self._conflicts = sorted(
            (sum(1 << places[reading] for reading in conflict) for conflict in conflicts),
            key=lambda conflict: (conflict.bit_count(), conflict),
        )
        self._said_by: dict[int, int] = {}
        self._found: set[int] = set()
        self._fewest = self._greedily()
        self.steps = 0

    def explanations(self) -> list[frozenset[Reading]]:
        """The sets found, as readings."""
        return [frozenset(reading for place, reading in enumerate(self._readings) if chosen >> place & 1)
                for chosen in self._found]  # fmt: skip

    def grow(self, chosen: int, left_out: int, witnesses: int) -> None:
        """Completes a set, without what is left out, in every way that takes no more witnesses than the best one."""
        self.steps += 1
        if self.steps > MOST_STEPS:
            return
        first: int | None = None
        used, least = witnesses, witnesses.bit_count()
        for conflict in self._conflicts:
            if conflict & chosen:
                continue
            members = conflict & ~left_out
            first = members if first is None or members.bit_count() < first.bit_count() else first
            said_by = self._of(members)
            if not said_by & used:  # conflicts without a common witness need one each
                used |= said_by
                least += 1
        if least > self._fewest or first == 0:
            return
        if first is None:
            if least < self._fewest:
                self._found.clear()
                self._fewest = least
            self._found.add(chosen)
            return
        for place in _bits(first):
            self.grow(chosen | 1 << place, left_out, witnesses | self._witnesses[place])
            left_out |= 1 << place

    def _of(self, readings: int) -> int:
        if readings not in self._said_by:
            self._said_by[readings] = 0
            for place in _bits(readings):
                self._said_by[readings] |= self._witnesses[place]
        return self._said_by[readings]

    def _greedily(self) -> int:
        """The witnesses of some explanation, as a first bound."""
        chosen = 0
        for conflict in self._conflicts:
            if not conflict & chosen:
                chosen |= 1 << conflict.bit_length() - 1
        return self._of(chosen).bit_count()


def _bits(number: int) -> list[int]:
    return [place for place in range(number.bit_length()) if number >> place & 1]
