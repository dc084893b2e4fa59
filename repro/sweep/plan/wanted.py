"""The cells that a request asks for, with those that they are a difference to."""

from collections.abc import Iterator, Sequence

from repro.errors import ConfigError, hint
from repro.experiments.measurements import Measurements
from repro.experiments.readings import open_readings
from repro.papers import Ledger, Library, Table
from repro.sweep.plan.job import Wanted
from repro.sweep.request import Request


def wanted_cells(request: Request, library: Library, tables: Sequence[Table]) -> tuple[list[Wanted], Measurements]:
    """The cells asked for, with those that they are a difference to; and where they come from."""
    found = Measurements(library, tables, library.scale(request.scale), request.selection.conf_folder)
    if request.ledger is None:
        wanted = [Wanted(item) for item in found.values()]
    else:
        wanted = list(_readings(library.ledgers[request.ledger], request.setting, found))
    return [*wanted, *_references(wanted, found)], found


def _readings(ledger: Ledger, setting: str | None, found: Measurements) -> Iterator[Wanted]:
    """Cells that another reading of the paper would change, as we read them and in every other way."""
    if setting is not None and setting not in ledger.settings:
        right = hint(setting, ledger.settings, otherwise=f"it has {', '.join(ledger.settings)}")
        raise ConfigError(f"the ledger of {ledger.paper} has no setting {setting}{right}")
    others = open_readings(found, setting)
    if not others:
        what = f"setting {setting}" if setting else "ledger"
        raise ConfigError(f"the {what} of {ledger.paper} offers no other reading for the tables chosen")
    seen = set()
    for item in others:
        if item.base not in seen:
            seen.add(item.base)
            yield Wanted(found[item.base])
        yield Wanted(item.measurement, f"{item.entry.setting}: {item.name}")


def _references(wanted: Sequence[Wanted], found: Measurements) -> Iterator[Wanted]:
    seen = {item.measurement.address for item in wanted}
    for item in wanted:
        reference = item.measurement.reference
        if item.needs_training and reference is not None and reference not in seen:
            seen.add(reference)
            other = Wanted(found[reference], is_reference=True)
            if other.needs_training:
                yield other
