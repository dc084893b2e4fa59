"""What may hold in somebody else's table: differences, means, best numbers, cells that print the same."""

import json
from collections.abc import Hashable, Iterator
from dataclasses import dataclass

from repro.papers import Address
from repro.report.audit.finding import FindingKind
from repro.report.audit.foreign.grid import Grid
from repro.report.audit.places import Relation

ABOVE = "the row above"
"""As the row that a difference is taken to: each row's own predecessor."""


@dataclass(frozen=True)
class Difference:
    """A column (or row) that prints `of` minus `minus`, or what `of` has more than it has in the row `to`."""

    name: str
    of: str
    minus: str = ""
    to: str = ""
    by_row: bool = False

    def relations(self, grid: Grid) -> Iterator[Relation]:
        """One relation for every cell that prints a difference."""
        if self.by_row:
            for column in grid.columns:
                yield _difference(grid, (self.name, column), (self.of, column), (self.minus, column))
            return
        for above, row in zip([None, *grid.rows], grid.rows, strict=False):
            if self.minus:
                yield _difference(grid, (row.label, self.name), (row.label, self.of), (row.label, self.minus))
            elif self.to == ABOVE and above is not None:
                yield _difference(grid, (row.label, self.name), (row.label, self.of), (above.label, self.of))
            elif self.to not in (ABOVE, row.label):
                yield _difference(grid, (row.label, self.name), (row.label, self.of), (self.to, self.of))

    def __str__(self) -> str:
        if self.by_row:
            return f"the row {self.name} is {self.of} minus {self.minus}"
        if self.minus:
            return f"{self.name} is {self.of} minus {self.minus}"
        return f"{self.name} is {self.of} minus that of {self.to}"

    def entry(self) -> str:
        """The same as a line of a file of relations."""
        kind = "row" if self.by_row else "column"
        rest = f"minus: {_quoted(self.minus)}" if self.minus else f"to: {_quoted(self.to)}"
        return f"{{{kind}: {_quoted(self.name)}, of: {_quoted(self.of)}, {rest}}}"


@dataclass(frozen=True)
class Mean:
    """A column (or row) that prints the mean of others."""

    name: str
    of: tuple[str, ...]
    by_row: bool = False

    def relations(self, grid: Grid) -> Iterator[Relation]:
        """One relation for every cell that prints a mean."""
        for other in grid.columns if self.by_row else [row.label for row in grid.rows]:
            cells = [(name, other) if self.by_row else (other, name) for name in (self.name, *self.of)]
            mean, *parts = (_key(grid, *cell) for cell in cells)
            terms = ((mean, float(len(parts))), *((part, -1.0) for part in parts))
            yield Relation(FindingKind.MEAN, terms)

    def __str__(self) -> str:
        shown = ", ".join(self.of) if len(self.of) < 4 else f"{self.of[0]} to {self.of[-1]} ({len(self.of)})"
        return f"{'the row ' if self.by_row else ''}{self.name} is the mean of {shown}"

    def entry(self) -> str:
        """The same as a line of a file of relations."""
        parts = ", ".join(map(_quoted, self.of))
        return f"{{{'row' if self.by_row else 'column'}: {_quoted(self.name)}, of: [{parts}]}}"


Rule = Difference | Mean


@dataclass(frozen=True)
class Rules:
    """All that is declared of a table.

    Attributes:
        rules: differences and means.
        best: column to whether the highest of it is the best (else the lowest).
        same: row and column of cells that print one quantity.
    """

    rules: tuple[Rule, ...] = ()
    best: tuple[tuple[str, bool], ...] = ()
    same: tuple[tuple[tuple[str, str], ...], ...] = ()


def _quoted(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)  # a JSON text is a YAML one


def _difference(grid: Grid, of: tuple[str, str], left: tuple[str, str], right: tuple[str, str]) -> Relation:
    terms = ((_key(grid, *of), 1.0), (_key(grid, *left), -1.0), (_key(grid, *right), 1.0))
    return Relation(FindingKind.DIFFERENCE, terms)


def _key(grid: Grid, row: str, column: str) -> Hashable:
    return Address(grid.name, row, column)
