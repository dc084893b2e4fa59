"""Open readings: the cells that another reading of what a paper leaves open would change, each with its chain."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from repro.experiments.measurement import Kind, Measurement
from repro.experiments.measurements import Measurements
from repro.experiments.values import network_key
from repro.papers import Address, Entry, SpecError, Standing


@dataclass(frozen=True)
class Reading:
    """One cell under another reading.

    Attributes:
        entry: the ledger's entry that answers for the cell's row.
        name: of the reading among the entry's alternatives.
        base: the cell as the ledger's own value reads it.
        measurement: how it is measured under this reading.
    """

    entry: Entry
    name: str
    base: Address
    measurement: Measurement


@dataclass(frozen=True)
class SharedReading:
    """Several cells, such as the sides of a claim, under one other reading.

    Attributes:
        entry: the ledger's entry that answers for the first cell that is changed.
        name: of the reading among the entry's alternatives.
        measurements: how each cell is measured under this reading, by its address.
        untouched: the cells that it does not change, which are measured as the ledger's own value has it.
    """

    entry: Entry
    name: str
    measurements: Mapping[Address, Measurement]
    untouched: tuple[Address, ...] = ()


def open_readings(measurements: Measurements, setting: str | None = None) -> list[Reading]:
    """Every open reading of every own cell that can be measured, in printed order, for one setting or for all.

    Those that cannot be composed are left out; `mistaken_readings` tells them. So are those that are no other
    experiment: the setting has no effect on the cell, or the scale fixes it. Controls of what is stated are among them.
    """
    return [found for found in _readings(measurements, setting) if isinstance(found, Reading)]


def mistaken_readings(measurements: Measurements, setting: str | None = None) -> list[SpecError]:
    """Open readings that cannot be composed for some cell, each with its place in the ledger, each once."""
    mistakes = (found for found in _readings(measurements, setting) if isinstance(found, SpecError))
    return list({str(mistake): mistake for mistake in mistakes}.values())


def shared_readings(
    measurements: Measurements, cells: Sequence[Address], *, partly: bool = False
) -> list[SharedReading]:
    """The open readings that change every one of some cells, such as the sides of a claim.

    What a paper states has no other reading, whatever controls its ledger offers. Readings of several rows are one if
    setting and name are. A cell that is a difference needs its reference among the cells. Nothing is found if one of
    the cells is not measured at the scale.

    Args:
        measurements: the scale, and the papers.
        cells: cells of any tables; one that repeats another is read as that one.
        partly: whether readings count as well that change only some of the cells.
    """
    if not all(measurements[address].kind.is_measured for address in cells):
        return []
    found: dict[tuple[str, str], dict[Address, Reading]] = {}
    for address in dict.fromkeys(cells):
        for reading in _readings_of(measurements, address):
            if isinstance(reading, Reading) and _counts(reading):
                found.setdefault((reading.entry.setting, reading.name), {})[address] = reading
    shared = []
    for (_, name), readings in found.items():
        by_cell = {address: readings[address].measurement if address in readings else measurements[address]
                   for address in cells}  # fmt: skip
        untouched = tuple(address for address in by_cell if address not in readings)
        if partly or not untouched:
            shared.append(SharedReading(next(iter(readings.values())).entry, name, by_cell, untouched))
    return shared


def _readings(measurements: Measurements, setting: str | None) -> Iterator[Reading | SpecError]:
    for address, measurement in measurements.items():
        is_repeated = measurements.library.tables[address.table].rows[address.row].same_as is not None
        if measurement.kind.is_measured and not is_repeated:
            yield from _readings_of(measurements, address, setting)


def _readings_of(
    measurements: Measurements, address: Address, setting: str | None = None
) -> Iterator[Reading | SpecError]:
    """The other readings of a measured cell, or of the cell that it repeats."""
    table = measurements.library.tables[address.table]
    row = table.rows[address.row]
    if row.same_as is not None:
        yield from _readings_of(measurements, row.same_as, setting)
        return
    ledger = measurements.library.ledgers.get(table.paper)
    if ledger is None:
        return
    for entry in ledger.answers(table.name, row.label):
        if setting is not None and entry.setting != setting:
            continue
        for name, overrides in (entry.alternatives or {}).items():
            try:
                other = measurements.reading(address, overrides)
            except SpecError as error:
                if measurements[
                    address
                ].cell.is_wanted:  # the ledger is about what was printed; another network may lack it
                    continue
                message = f"alternative {name} of {entry.setting}: {error.message}"
                yield SpecError(ledger.file, entry.line, message)
            else:
                if not _is_same(measurements[address], other):
                    yield Reading(entry, name, address, other)


def _counts(reading: Reading) -> bool:
    return reading.entry.status is not Standing.STATED and reading.measurement.kind.is_measured


def _is_same(base: Measurement, other: Measurement) -> bool:
    if base.kind is Kind.RUN and other.kind is Kind.RUN:
        return base.evaluation_id(0) == other.evaluation_id(0)
    if base.kind is Kind.STATIC and other.kind is Kind.STATIC:
        return network_key(base.chain.own) == network_key(other.chain.own)
    return False
