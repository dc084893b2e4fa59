"""The arithmetic of the published tables, done once more from the numbers that they print.

Every check takes into account that a printed number is rounded: a finding is a contradiction that rounding does not
explain. What is checked follows from the metrics of the cells and from how the papers' files say they are made.
"""

from collections.abc import Iterator

from repro.papers import Library, TableKind
from repro.report.audit.blame import findings_of
from repro.report.audit.claims import contradicted_claims
from repro.report.audit.finding import Finding, FindingKind
from repro.report.audit.places import Printed, printed_of
from repro.report.audit.quantities import Quantities
from repro.report.audit.relations import relations_of
from repro.report.printed import number, own_decimals, printed, printed_decimals


def audit(library: Library) -> list[Finding]:
    """All contradictions among the published numbers, by kind and in printed order."""
    found = [*findings_of(printed_by(library)), *_decimals(library), *contradicted_claims(library)]
    tables = list(library.tables)
    order = {
        cell.address: place for place, cell in enumerate(cell for key in tables for cell in library.tables[key].cells())
    }
    return sorted(found, key=lambda item: (list(FindingKind).index(item.kind), order[item.places[0]]))


def printed_by(library: Library) -> Printed:
    """Everything that the papers print, as quantities and relations."""
    quantities = Quantities(library)
    return printed_of(quantities.places(), relations_of(quantities))


def _decimals(library: Library) -> Iterator[Finding]:
    """Numbers with more or fewer decimals than their column; prose has no columns."""
    for table in library.tables.values():
        for cell in table.cells():
            decimals = table.columns[cell.address.column].decimals
            if table.kind is TableKind.PROSE or decimals is None or cell.signed is None or cell.metric.is_setting:
                continue
            raw, own = printed_decimals(cell), own_decimals(abs(cell.signed))
            found = raw if raw is not None else max(own, decimals)
            if found != decimals:
                how = f"{found} decimals in a column of {decimals}"
                here = (cell.address,)
                fitting = number(cell.signed, decimals)
                yield Finding(FindingKind.DECIMALS, here, here, printed(library, cell), fitting, how)
