"""The cells that a request asks for, with those that they are a difference to."""

import difflib
from collections.abc import Iterator, Sequence

from repro.errors import ConfigError
from repro.experiments import Measurements, measurements
from repro.experiments.readings import alternatives
from repro.papers import Library, Table
from repro.sweep.plan.plan import Wanted
from repro.sweep.request import Request


def wanted_cells(request: Request, library: Library, tables: Sequence[Table]) -> tuple[list[Wanted], Measurements]:
    """The cells asked for, with those that they are a difference to; and where they come from."""
    found = measurements(library, tables, library.scale(request.scale), request.conf_folder)
    if request.ledger is None:
        wanted = [Wanted(item) for item in found.values()]
    else:
        wanted = list(_readings(request, found, library))
    return [*wanted, *_references(wanted, found)], found


def _readings(request: Request, found: Measurements, library: Library) -> Iterator[Wanted]:
    """Cells that another reading of the paper would change, as we read them and in every other way."""
    settings = library.ledgers[request.ledger or ""].settings
    if request.setting is not None and request.setting not in settings:
        near = difflib.get_close_matches(request.setting, settings, n=1)
        hint = f"did you mean {near[0]}?" if near else f"it has {', '.join(settings)}"
        raise ConfigError(f"the ledger of {request.ledger} has no setting {request.setting}; {hint}")
    others = alternatives(found, request.setting)
    if not others:
        what = f"setting {request.setting}" if request.setting else "ledger"
        raise ConfigError(f"the {what} of {request.ledger} offers no other reading for the tables chosen")
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
