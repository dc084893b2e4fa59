"""Differences held against the paper's ledger: deviations from what it states, and what it leaves to the reader."""

import json
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from repro.config.configuration import Configuration
from repro.config.overrides import split
from repro.config.tree import Leaves
from repro.experiments.differences import ABSENT, Difference, chain_differences
from repro.experiments.measurement import Measurement
from repro.papers import SOME, Address, Entry, Library, Source, Standing


@dataclass(frozen=True)
class Deviations:
    """What the run of a cell does otherwise than the paper states, and what the paper leaves to it; as sentences."""

    stated: tuple[str, ...] = ()
    left_open: tuple[str, ...] = ()


def deviations(library: Library, measurement: Measurement) -> Deviations:
    """How a measured cell stands to its paper.

    A difference counts as left open if the paper's ledger calls the leaf open, or contradicts itself over it and the
    run follows one of its readings whole; if the ledger states it or does not know it, or the run follows no reading
    of the paper's, it is a deviation. Whatever else the ledger calls open or contradicted is told as left open, be
    there a difference or not.
    """
    entries = _answers(library, measurement.address)
    kind = measurement.metric.base.kind
    groups = kind.groups if kind.source is Source.network else None
    changed = {item.leaf: item for item in chain_differences(measurement)}
    leaves = _leaves_and_choices(measurement.chain.own) if measurement.chain else {}
    followed = _followed(entries, leaves)
    stated = [item for item in changed.values() if not _is_open(item, entries, followed)]
    told = {item.leaf for item in stated}
    left_open = []
    for entry in entries:
        if entry.status is not Standing.STATED:
            sentence = _told(entry, leaves, changed, told, groups)
            left_open += [sentence] if sentence else []
    others = [item for item in changed.values() if item.leaf not in told]
    return Deviations(tuple(map(str, stated)), (*left_open, *map(str, others)))


def _answers(library: Library, address: Address) -> list[Entry]:
    row = library.tables[address.table].rows[address.row]
    if row.same_as is not None:
        return _answers(library, row.same_as)
    table = library.tables[address.table]
    ledger = library.ledgers.get(table.paper)
    return ledger.answers(table.name, row.label) if ledger else []


def _followed(entries: Iterable[Entry], leaves: Leaves) -> Leaves:
    """Leaves of the other readings that a run follows whole, where the paper contradicts itself."""
    known = {_dotted(named) for entry in entries for named in entry.leaves}
    found: dict[str, Any] = {}
    for entry in entries:
        if entry.status is Standing.CONTRADICTED:
            for overrides in (entry.alternatives or {}).values():
                reading = {_dotted(key): value for key, value in map(split, overrides)}
                if all(leaves.get(leaf) == value for leaf, value in reading.items()):
                    found |= {leaf: value for leaf, value in reading.items() if leaf in known}
    return found


def _is_open(item: Difference, entries: Iterable[Entry], followed: Leaves) -> bool:
    """Whether the entries that name the leaf, or else the group nearest above it, all allow what was measured.

    Of an earlier training only leaves are open in which it shares the value that the ledger gives for the row: what a
    stage has of its own, the paper states there.
    """
    stage, _, leaf = item.leaf.rpartition(": ")
    if leaf in followed and followed[leaf] == item.measured:
        return True
    best, allowed = -1, list[bool]()
    for entry in entries:
        for named, value in entry.leaves.items():
            path = _dotted(named)
            if leaf == path or leaf.startswith(f"{path}."):
                if len(path) > best:
                    best, allowed = len(path), []
                if len(path) == best:
                    allowed.append(_allows(entry, value, item, bool(stage)))
    return bool(allowed) and all(allowed)


def _allows(entry: Entry, value: Any, item: Difference, of_stage: bool) -> bool:
    """Whether an entry, which gives a value to the leaf of a difference, leaves what was measured to the reader."""
    if value == SOME:
        return item.measured is not ABSENT
    return entry.status is Standing.OPEN and not (of_stage and value != item.paper)


def _told(
    entry: Entry,
    leaves: Leaves,
    changed: Mapping[str, Difference],
    told: set[str],
    groups: Collection[str] | None,
) -> str:
    """What the run does where an entry leaves it open; empty if that decides nothing, or is told, or not of the run."""
    parts = []
    for named in entry.leaves:
        leaf = _dotted(named)
        group, dot, _ = leaf.partition(".")
        foreign = dot and group == "dataset" and group in changed
        if leaf not in leaves or leaf in told or foreign or (groups is not None and group not in groups):
            continue
        item = changed.get(leaf)
        parts.append(f"{leaf} = {shown(leaves[leaf])}" + (f" instead of {shown(item.paper)}" if item else ""))
        told.add(leaf)
    if not parts and not entry.leaves and groups is None:
        parts = [entry.value]
    contradiction = ", where the paper contradicts itself" if entry.status is Standing.CONTRADICTED else ""
    return f"{entry.setting.replace('_', ' ')} ({', '.join(parts)}){contradiction}" if parts else ""


def _leaves_and_choices(configuration: Configuration) -> Leaves:
    """Leaves and choices of groups by dotted path."""
    return {**configuration.leaves, **{_dotted(group): choice for group, choice in configuration.choices.items()}}


def _dotted(name: str) -> str:
    return name.replace("/", ".")


def shown(value: Any) -> str:
    """A value of a configuration in a sentence."""
    if value is None:
        return "none"
    return value if isinstance(value, str) else json.dumps(value)
