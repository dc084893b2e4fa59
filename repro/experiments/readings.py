"""Open readings: the cells that another reading of what a paper leaves open would change, each with its chain."""

from collections.abc import Iterator
from dataclasses import dataclass

from repro.experiments.measurement import Kind, Measurement
from repro.experiments.measurements import Measurements
from repro.papers import Address, Entry, SpecError


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


def open_readings(measurements: Measurements, setting: str | None = None) -> list[Reading]:
    """Every open reading of every own cell that can be measured, in printed order, for one setting or for all.

    Those that cannot be composed are left out; `mistaken_readings` tells them. So are those that are no other
    experiment: the setting has no effect on the cell, or the scale fixes it.
    """
    return [found for found in _readings(measurements, setting) if isinstance(found, Reading)]


def mistaken_readings(measurements: Measurements, setting: str | None = None) -> list[SpecError]:
    """Open readings that cannot be composed for some cell, each with its place in the ledger, each once."""
    mistakes = (found for found in _readings(measurements, setting) if isinstance(found, SpecError))
    return list({str(mistake): mistake for mistake in mistakes}.values())


def _readings(measurements: Measurements, setting: str | None) -> Iterator[Reading | SpecError]:
    for address, measurement in measurements.items():
        table = measurements.library.tables[address.table]
        row = table.rows[address.row]
        ledger = measurements.library.ledgers.get(table.paper)
        if ledger is None or not measurement.kind.is_measured or row.same_as is not None:
            continue
        for entry in ledger.answers(table.name, row.label):
            if setting is not None and entry.setting != setting:
                continue
            for name, overrides in (entry.alternatives or {}).items():
                try:
                    other = measurements.reading(address, overrides)
                except SpecError as error:
                    if measurement.cell.is_wanted:  # the ledger is about what was printed; another network may lack it
                        continue
                    message = f"alternative {name} of {entry.setting}: {error.message}"
                    yield SpecError(ledger.file, entry.line, message)
                else:
                    if not _is_same(measurement, other):
                        yield Reading(entry, name, address, other)


def _is_same(base: Measurement, other: Measurement) -> bool:
    if base.kind is not Kind.RUN or other.kind is not Kind.RUN:
        return False
    return base.evaluation_id(0) == other.evaluation_id(0)
