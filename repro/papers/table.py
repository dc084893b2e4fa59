"""What a printed table is: columns with metrics, rows with published cells."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path

from repro.papers.address import Address
from repro.papers.claim import Claim
from repro.papers.metrics import DELTA, METRICS, SETTING, MetricKind

Overrides = tuple[str, ...]


class TableKind(StrEnum):
    """What a table is for; prose are the results that a paper gives in its text."""

    ABLATION = "ablation"
    COMPARISON = "comparison"
    PROSE = "prose"


class RowKind(StrEnum):
    """Whose experiment a row is, and whether it can be made anew."""

    OWN = "own"
    CITED = "cited"
    SERVER_ONLY = "server only"
    CANNOT_BE_RUN = "cannot be run"


@dataclass(frozen=True)
class Metric:
    """What a cell measures.

    Attributes:
        name: one of `repro.papers.metrics.METRICS`.
        class_name: of `iou` and of `boundary_f`; None for the mean over classes.
        pixels: tolerance of `boundary_f`.
        reference: for a difference or a ratio, the cell that it is taken against.
        of: for a difference, the metric of both sides.
    """

    name: str
    class_name: str | None = None
    pixels: int | None = None
    reference: Address | None = None
    of: "Metric | None" = None

    @property
    def kind(self) -> MetricKind:
        """What is known of it."""
        return METRICS[self.name]

    @property
    def base(self) -> "Metric":
        """The metric of both sides of a difference, else the metric itself."""
        return self.of or self

    @property
    def is_setting(self) -> bool:
        """Whether it says what was set instead of what was measured."""
        return self.kind is SETTING

    @property
    def is_difference(self) -> bool:
        """Whether it is the difference of two cells."""
        return self.kind is DELTA

    def __str__(self) -> str:
        if self.reference:
            return f"{self.name}({self.reference}{f', {self.of}' if self.of else ''})"
        return ".".join(str(part) for part in (self.name, self.pixels, self.class_name) if part is not None)


@dataclass(frozen=True)
class Column:
    """One printed column but the labels: its head, metric, unit, printed decimals and overrides of its own."""

    head: str
    metric: str
    unit: str = ""
    decimals: int | None = None
    marks: bool = False
    lower_is_better: bool = False
    run: Overrides = ()
    evaluation: Overrides = ()


@dataclass(frozen=True)
class Cell:
    """One cell: the published value (None if there is none), its raw form if it is more, and what it measures.

    A cell that `is_wanted` was never printed and is measured all the same, because a claim of the paper rests on it.
    """

    address: Address
    published: float | str | None
    metric: Metric
    printed: str | None = None
    line: int = 0
    is_wanted: bool = False

    @property
    def is_result(self) -> bool:
        """Whether it prints a result, not a setting or nothing."""
        return not self.metric.is_setting and self.published is not None

    @property
    def signed(self) -> float | None:
        """The published number, negative where an arrow downwards is printed beside it; None if it is none."""
        if isinstance(self.published, str) or self.published is None:
            return None
        return -self.published if self.printed and "↓" in self.printed else self.published


@dataclass(frozen=True)
class Row:
    """One printed row.

    Attributes:
        label: as printed, or made from the marks where no label is printed.
        kind: whose experiment it is.
        reason: why the row is not run, or whose number it is.
        note: what a reader must know about the row.
        place: where the number stands, for rows of prose.
        marks: heads of the mark columns that are checked.
        marks_from: place in the paper that settles the marks, or `inferred`.
        cells: head of the column to cell, for every column.
        run: overrides of the training.
        evaluation: overrides of the evaluation.
        after: stage of the table that the training starts from.
        drop: prefixes of weights that are not taken over from that stage.
        same_as: the cell that this row prints once more.
        line: in the file.
    """

    label: str
    kind: RowKind = RowKind.OWN
    reason: str = ""
    note: str = ""
    place: str = ""
    marks: tuple[str, ...] = ()
    marks_from: str = ""
    cells: dict[str, Cell] = field(default_factory=dict)
    run: Overrides = ()
    evaluation: Overrides = ()
    after: str | None = None
    drop: tuple[str, ...] = ()
    same_as: Address | None = None
    line: int = 0


@dataclass(frozen=True)
class Stage:
    """An earlier training that a row starts from: overrides on top of the row's own, and its own upstream."""

    name: str
    run: Overrides
    after: str | None = None
    drop: tuple[str, ...] = ()


@dataclass(frozen=True)
class Table:
    """One printed table, or the results that a paper gives in prose; `key` is such as vortex/table1.

    `tolerance` is how far from its printed scores still counts as reproduced, in points; None: as in other tables.
    """

    key: str
    title: str
    place: str
    kind: TableKind
    evaluated_on: str
    label_column: str
    varies: tuple[str, ...]
    columns: dict[str, Column]
    rows: dict[str, Row]
    claims: tuple[Claim, ...]
    stages: dict[str, Stage]
    run: Overrides
    evaluation: Overrides
    file: Path
    tolerance: float | None = None

    @property
    def paper(self) -> str:
        """Name of the paper's folder."""
        return self.key.partition("/")[0]

    @property
    def name(self) -> str:
        """Name of the table's file, such as table1a."""
        return self.key.partition("/")[2]

    def cells(self) -> Iterator[Cell]:
        """Every cell, row by row."""
        for row in self.rows.values():
            yield from row.cells.values()
