"""Where a measured cell leaves the paper: deviations from what it states, choices where it leaves things open."""

import json
from collections.abc import Collection, Iterable, Mapping
from typing import Any

from repro.config.identity import flatten
from repro.experiments.differences import Deviation, deviations
from repro.experiments.measurement import Measurement
from repro.papers import Address, Entry, Library

DECIDING = {"parameters": ("backbone", "head", "auxiliary"), "utilisation": ("head",)}
"""Groups that decide a value that is computed from the network alone."""


def departures(library: Library, measurement: Measurement) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Deviations and choices of a measured cell, one sentence each.

    A changed leaf is a choice if the paper's ledger calls it open; if the ledger states it, contradicts itself over it
    or does not know it, it is a deviation. Whatever the ledger calls open or contradicted is a choice, changed or not.
    """
    entries = _answers(library, measurement.address)
    groups = DECIDING.get((measurement.metric.of or measurement.metric).name)
    changed = {item.leaf: item for item in deviations(measurement)}
    stated = [item for item in changed.values() if not _is_open(item, entries)]
    config = _leaves(measurement.config or {})
    told: set[str] = set()
    choices = []
    for entry in entries:
        if entry.status != "stated":
            sentence = _choice(entry, config, changed, told, groups)
            choices += [sentence] if sentence else []
    others = [item for item in changed.values() if item not in stated and item.leaf not in told]
    return tuple(str(item) for item in stated), (*choices, *(str(item) for item in others))


def _answers(library: Library, address: Address) -> list[Entry]:
    row = library.tables[address.table].rows[address.row]
    if row.same_as is not None:
        return _answers(library, row.same_as)
    table = library.tables[address.table]
    ledger = library.ledgers.get(table.paper)
    return ledger.answers(table.name, row.label) if ledger else []


def _is_open(item: Deviation, entries: Iterable[Entry]) -> bool:
    """Whether the entries that name the leaf, or else the group nearest above it, all leave it open.

    Of an earlier training only leaves are open in which it shares the value that the ledger gives for the row: what a
    stage has of its own, the paper states there.
    """
    stage, _, leaf = item.leaf.rpartition(": ")
    best, statuses = -1, list[str]()
    for entry in entries:
        for named, value in entry.leaves.items():
            path = _dotted(named)
            if leaf == path or leaf.startswith(f"{path}."):
                if len(path) > best:
                    best, statuses = len(path), []
                if len(path) == best:
                    foreign = stage and value != item.paper
                    statuses.append("stated" if foreign else entry.status)
    return bool(statuses) and all(status == "open" for status in statuses)


def _choice(
    entry: Entry,
    config: Mapping[str, Any],
    changed: Mapping[str, Deviation],
    told: set[str],
    groups: Collection[str] | None,
) -> str:
    """What the run does where an entry leaves the choice; empty if that decides nothing, or is no part of the run."""
    parts = []
    for named in entry.leaves:
        leaf = _dotted(named)
        group, dot, _ = leaf.partition(".")
        foreign = dot and group == "dataset" and group in changed
        if leaf not in config or foreign or (groups is not None and group not in groups):
            continue
        item = changed.get(leaf)
        parts.append(f"{leaf} = {shown(config[leaf])}" + (f" instead of {shown(item.paper)}" if item else ""))
        told.add(leaf)
    if not parts and not entry.leaves and groups is None:
        parts = [entry.value]
    contradiction = ", where the paper contradicts itself" if entry.status == "contradicted" else ""
    return f"{entry.setting.replace('_', ' ')} ({', '.join(parts)}){contradiction}" if parts else ""


def _leaves(config: Mapping[str, Any]) -> dict[str, Any]:
    """Leaves and choices of groups by dotted path."""
    if not config:
        return {}
    choices = {_dotted(group): choice for group, choice in config["composition"]["choices"].items()}
    return flatten(config) | choices


def _dotted(name: str) -> str:
    return name.replace("/", ".")


def shown(value: Any) -> str:
    """A value of a configuration in a sentence."""
    if value is None:
        return "none"
    return value if isinstance(value, str) else json.dumps(value)
