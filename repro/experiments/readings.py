"""Other readings of what a paper leaves open: the cells that they change, each with its other configuration."""

from collections.abc import Iterator
from dataclasses import dataclass

from repro.experiments.measurement import Measurement
from repro.experiments.measurements import Measurements
from repro.papers import Address, Entry, SpecError


@dataclass(frozen=True)
class Alternative:
    """One cell under another reading.

    Attributes:
        entry: the ledger's entry that answers for the cell's row.
        name: of the alternative in that entry.
        base: the cell as the ledger's own value reads it.
        measurement: how it is measured under the alternative.
    """

    entry: Entry
    name: str
    base: Address
    measurement: Measurement


def alternatives(measurements: Measurements, setting: str | None = None) -> list[Alternative]:
    """Every alternative of every own cell that can be measured, in printed order, for one setting or for all.

    Those that cannot be composed are left out; `mistaken_alternatives` tells them. So are those that are no other
    experiment: the setting has no effect on the cell, or the scale fixes it.
    """
    return [found for found in _readings(measurements, setting) if isinstance(found, Alternative)]


def mistaken_alternatives(measurements: Measurements, setting: str | None = None) -> list[SpecError]:
    """Alternatives that cannot be composed for some cell, each with its place in the ledger, each once."""
    mistakes = (found for found in _readings(measurements, setting) if isinstance(found, SpecError))
    return list({str(mistake): mistake for mistake in mistakes}.values())


def _readings(measurements: Measurements, setting: str | None) -> Iterator[Alternative | SpecError]:
    for address, measurement in measurements.items():
        table = measurements.library.tables[address.table]
        row = table.rows[address.row]
        ledger = measurements.library.ledgers.get(table.paper)
        if ledger is None or measurement.kind not in ("run", "static") or row.same_as is not None:
            continue
        for entry in ledger.answers(table.name, row.label):
            if setting is not None and entry.setting != setting:
                continue
            for name, overrides in (entry.alternatives or {}).items():
                try:
                    other = measurements.alternative(address, overrides)
                except SpecError as error:
                    message = f"alternative {name} of {entry.setting}: {error.message}"
                    yield SpecError(ledger.file, entry.line, message)
                else:
                    if not _is_same(measurement, other):
                        yield Alternative(entry, name, address, other)


def _is_same(base: Measurement, other: Measurement) -> bool:
    if base.kind != "run" or other.kind != "run":
        return False
    return base.evaluation_id(0) == other.evaluation_id(0)
