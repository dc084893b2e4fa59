"""Relations that a table looks as if it had: they hold, to the rounding, for most of what they are said of."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from repro.report.audit.conflicts import holds
from repro.report.audit.foreign.grid import Grid, GridCell
from repro.report.audit.foreign.rules import ABOVE, Difference, Mean, Rule
from repro.report.audit.places import Printed, Reading, Relation
from repro.report.printed import Rounded

FEWEST = 3
"""Differences that have to come out; two may do so by chance."""

FEWEST_MEANS = 2
"""Means of three numbers and more that have to come out."""

FEWEST_PARTS = 3
SHARE = 0.6
"""Of all cells that a relation is said of, those for which it has to hold."""

_NAMES_OF_DIFFERENCES = re.compile(r"Δ|δ|\b(?:gain|diff|difference|improvement|delta|change)\b", re.IGNORECASE)
_NAMES_OF_MEANS = re.compile(r"\b(?:mean|avg|average|overall|miou|m-iou|map)\b", re.IGNORECASE)


@dataclass(frozen=True)
class Candidate:
    """A relation, for how many cells it holds, and of how many it is said."""

    rule: Rule
    holding: int
    said: int

    @property
    def rank(self) -> tuple[int, float]:
        """The one that explains more cells comes first, then the one with fewer exceptions."""
        return self.holding, self.holding / self.said


def candidates(grid: Grid, printed: Printed) -> list[Candidate]:
    """The likely relations of a table; for each column or row that prints one, the likeliest."""
    found = [*_tested(grid, printed, _differences(grid), FEWEST), *_tested(grid, printed, _means(grid), FEWEST_MEANS)]
    best: dict[tuple[str, bool], Candidate] = {}
    for item in found:
        name = (item.rule.name, item.rule.by_row)
        if name not in best or item.rank > best[name].rank:
            best[name] = item
    return _without_mirrors(list(best.values()))


def _tested(grid: Grid, printed: Printed, rules: Iterator[Rule], fewest: int) -> Iterator[Candidate]:
    for rule in rules:
        instances = [found for relation in rule.relations(grid) if (found := _readings(printed, relation))]
        holding = [readings for relation, readings in instances if holds(relation, readings)]
        varied = {readings[0].number.value for readings in holding}
        if len(holding) >= fewest and len(varied) > 1 and len(holding) >= SHARE * len(instances):
            yield Candidate(rule, len(holding), len(instances))


def _readings(printed: Printed, relation: Relation) -> tuple[Relation, tuple[Reading, ...]] | None:
    found = [printed.readings.get(quantity) for quantity, _ in relation.terms]
    if not all(found) or len({name for name, _ in relation.terms}) < len(found):
        return None
    return relation, tuple(readings[0] for readings in found if readings)


def _differences(grid: Grid) -> Iterator[Rule]:
    """Differences are smaller than what they are taken between, on the whole."""
    size = {column: _size([number for _, number in grid.numbers(column)]) for column in grid.columns}
    for name in grid.columns:
        references = [row.label for row in grid.rows if _is_blank(row.cells.get(name))]
        for of in (column for column in grid.columns if size[name] < size[column]):
            for minus in grid.columns:
                if minus not in (name, of) and size[name] < size[minus]:
                    yield Difference(name, of, minus=minus)
            for to in (*references, ABOVE):
                yield Difference(name, of, to=to)
    rows = {row.label: _size([cell.number for cell in row.cells.values() if cell.number]) for row in grid.rows}
    for name in filter(_NAMES_OF_DIFFERENCES.search, rows):
        for of in rows:
            for minus in rows:
                if len({name, of, minus}) == 3 and rows[name] < rows[of]:
                    yield Difference(name, of, minus=minus, by_row=True)


def _means(grid: Grid) -> Iterator[Rule]:
    """Means of neighbouring columns or rows, and of all the others; they stand at an end, or are named so."""
    for names, by_row in ((grid.columns, False), ([row.label for row in grid.rows], True)):
        runs = [tuple(names[start:end]) for start in range(len(names))
                for end in range(start + FEWEST_PARTS, len(names) + 1)]  # fmt: skip
        for name in names:
            if name not in (names[0], names[-1]) and not _NAMES_OF_MEANS.search(name):
                continue
            others = tuple(other for other in names if other != name)
            for run in (others, *sorted(runs, key=len, reverse=True)):
                if name not in run and len(run) >= FEWEST_PARTS:
                    yield Mean(name, run, by_row)


def _is_blank(cell: GridCell | None) -> bool:
    return cell is None or cell.number is None or cell.number.value == 0


def _without_mirrors(found: list[Candidate]) -> list[Candidate]:
    """Of relations that say the same of the same names, such as b = a - d and d = a - b, the likeliest."""
    kept: dict[tuple[bool, frozenset[str]], Candidate] = {}
    for item in found:
        rule = item.rule
        names = (rule.name, *rule.of) if isinstance(rule, Mean) else (rule.name, rule.of, rule.minus or rule.to)
        key = (rule.by_row, frozenset(names))
        if key not in kept or _mean_by_name(item) > _mean_by_name(kept[key]):
            kept[key] = item
    return list(kept.values())


def _mean_by_name(item: Candidate) -> tuple[bool, tuple[int, float]]:
    return bool(_NAMES_OF_MEANS.search(item.rule.name)), item.rank


def _size(numbers: Sequence[Rounded]) -> float:
    return sum(abs(number.value) for number in numbers) / len(numbers) if numbers else 0.0
