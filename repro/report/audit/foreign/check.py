"""Somebody else's table, audited: its relations, bold numbers and decimals."""

from collections import Counter
from collections.abc import Hashable, Iterator, Sequence
from dataclasses import dataclass, replace

from repro.papers import Address
from repro.report.audit.blame import findings_of
from repro.report.audit.finding import Finding, FindingKind
from repro.report.audit.foreign.candidates import SHARE, Candidate, candidates
from repro.report.audit.foreign.grid import Grid, GridRow
from repro.report.audit.foreign.rules import Rule, Rules
from repro.report.audit.places import Place, Printed, Relation, printed_of
from repro.report.printed import Rounded, number

MOST_COLUMNS, MOST_ROWS = 60, 300
"""Of a table in which relations are looked for; in a larger one they have to be declared."""

FEWEST_DECIMALS = 3
"""Numbers that make it clear what decimals a column has."""


@dataclass(frozen=True)
class Audited:
    """What came of one table.

    Attributes:
        grid: the table.
        likely: relations that were looked for and found; empty where relations are declared.
        findings: what does not fit.
    """

    grid: Grid
    likely: list[Candidate]
    findings: list[Finding]

    def line(self, address: Address) -> int:
        """The line of a cell's row."""
        return next(row.line for row in self.grid.rows if row.label == address.row)


def audit_grid(grid: Grid, rules: Rules | None) -> Audited:
    """Holds a table against its declared relations, or against those that it looks as if it had."""
    same = rules.same if rules else ()
    is_small = len(grid.columns) <= MOST_COLUMNS and len(grid.rows) <= MOST_ROWS
    likely = candidates(grid, printed_grid(grid)) if rules is None and is_small else []
    chosen = rules.rules if rules else tuple(item.rule for item in likely)
    found = [*findings_of(printed_grid(grid, chosen, same)), *_best(grid, dict(rules.best) if rules else {}),
             *_decimals(grid)]  # fmt: skip
    return Audited(grid, likely, found)


def printed_grid(grid: Grid, rules: Sequence[Rule] = (), same: Sequence[Sequence[tuple[str, str]]] = ()) -> Printed:
    """What a table prints, and what relations say of it; cells of `same` are one quantity."""
    places = []
    twins = {Address(grid.name, *cell): Address(grid.name, *cells[0]) for cells in same for cell in cells}
    for row in grid.rows:
        for column, cell in row.cells.items():
            if cell.number is not None:
                address = Address(grid.name, row.label, column)
                quantity: Hashable = twins.get(address, address)
                places.append((quantity, Place(address, cell.text, cell.number, address)))
    relations = (relation for rule in rules for relation in rule.relations(grid))
    return printed_of(places, [_renamed(relation, twins) for relation in relations])


def _renamed(relation: Relation, twins: dict[Address, Address]) -> Relation:
    """The relation with one name for cells that print the same."""
    named: list[tuple[Hashable, float]] = []
    for quantity, factor in relation.terms:
        named.append((twins.get(quantity, quantity) if isinstance(quantity, Address) else quantity, factor))
    return replace(relation, terms=tuple(named))


def _best(grid: Grid, declared: dict[str, bool]) -> Iterator[Finding]:
    """Bold numbers that are not the best of their column, or of the rows between two rules."""
    for column in grid.columns:
        found = grid.numbers(column)
        bold = [(row, value) for row, value in found if row.cells[column].is_bold]
        if not bold:
            continue
        groups = {row.group for row, _ in bold} if len({value.value for _, value in bold}) > 1 else {None}
        parts = [[pair for pair in found if group is None or pair[0].group == group] for group in groups]
        directions = [declared[column]] if column in declared else [True, False]
        wrong = min(([pair for part in parts for pair in _not_best(part, column, highest)] for highest in directions),
                    key=len)  # fmt: skip
        for row, value in wrong:
            part = next(part for part in parts if (row, value) in part)
            yield _bold_finding(grid, column, row, value, part, declared.get(column))


def _not_best(part: Sequence[tuple[GridRow, Rounded]], column: str, highest: bool) -> list[tuple[GridRow, Rounded]]:
    best = (max if highest else min)(value.value for _, value in part)
    return [(row, value) for row, value in part if row.cells[column].is_bold and value.value != best]


def _bold_finding(
    grid: Grid, column: str, row: GridRow, value: Rounded, part: Sequence[tuple[GridRow, Rounded]], highest: bool | None
) -> Finding:
    top = max(part, key=lambda pair: pair[1].value)
    bottom = min(part, key=lambda pair: pair[1].value)
    named = [top] if highest else [bottom] if highest is False else [top, bottom]
    here = Address(grid.name, row.label, column)
    places = (here, *(Address(grid.name, other.label, column) for other, _ in named))
    how = " and ".join(f"{other.label} prints {best}" for other, best in named)
    what = {True: "the highest", False: "the lowest", None: "neither the highest nor the lowest"}[highest]
    printed = f"{value} in bold"
    how = f"it is {'' if highest is None else 'not '}{what}: {how}"
    return Finding(FindingKind.BEST, places, (here,), printed, str(named[0][1]) if highest is not None else "", how)


def _decimals(grid: Grid) -> Iterator[Finding]:
    """Numbers with other decimals than most of their column."""
    for column in grid.columns:
        found = grid.numbers(column)
        usual, count = Counter(value.decimals for _, value in found).most_common(1)[0] if found else (0, 0)
        if count < FEWEST_DECIMALS or count < SHARE * len(found):
            continue
        for row, value in found:
            if value.decimals != usual:
                here = (Address(grid.name, row.label, column),)
                how = f"{value.decimals} decimals in a column of {usual}"
                yield Finding(FindingKind.DECIMALS, here, here, str(value), number(value.value, usual), how)
