"""A table's result as plain text parts, before any markup: what Markdown and LaTeX have in common."""

from collections.abc import Iterator
from dataclasses import dataclass, field, replace

from repro.papers import Address, Cell, Column, Row, Table, TableKind
from repro.report.judge.results import CellResult, TableResult
from repro.report.judge.verdicts import Verdict
from repro.report.printed import measured_decimals, number, published_text, signed
from repro.report.render.best import best_measured, best_published
from repro.report.render.claims import LaidClaim, laid_claims, p_text
from repro.report.render.wording import INTERVAL, MEANINGS, is_comparable, sentences_of

SYMBOLS = {
    Verdict.REPRODUCED: "≈",
    Verdict.ABOVE: "▲",
    Verdict.BELOW: "▼",
    Verdict.INCONCLUSIVE: "?",
    Verdict.DEVIATES: "≠",
    Verdict.NOT_PRINTED: "∅",
}
"""Signs of the verdicts on measured cells, for tables too wide for words."""

WIDE = 3
"""From so many measured columns on, measured values stand below the published ones instead of beside them."""

PANEL = 7
"""A table with more measured columns than this is split into parts of at most so many columns."""


@dataclass(frozen=True)
class Figure:
    """One cell in words: the published text, and the measured value with its parts.

    Attributes:
        published: as the paper prints it; empty where it prints nothing.
        best: whether it is the best published value of its column.
        marked: whether the cell carries a check mark.
        verdict: None where nothing is to be measured.
        mean: measured mean, empty if nothing was measured; `half` is half its 95 % t-interval.
        n: number of seeds.
        difference: measured minus published, with its sign; empty where the two are not to be compared.
        one_seed: whether the value rests on a single seed although seeds matter.
        measured_best: whether it is the best measured value of its column.
        notes: numbers of the footnotes.
        server: score and date, where a test server returned one.
    """

    published: str = ""
    best: bool = False
    marked: bool = False
    verdict: Verdict | None = None
    mean: str = ""
    half: str = ""
    n: int = 0
    difference: str = ""
    one_seed: bool = False
    measured_best: bool = False
    notes: tuple[int, ...] = ()
    server: str = ""

    @property
    def state(self) -> str:
        """What to say where no value of ours stands, such as `cited` or `missing: not run`."""
        if self.verdict is None:
            return ""
        if self.server:
            return f"{self.verdict}: {self.server}"
        return f"missing: {self.verdict}" if self.verdict.is_missing else self.verdict


@dataclass(frozen=True)
class LaidRow:
    """One row: label, figures by column head, footnotes, the state that all figures share, and the place of prose."""

    label: str
    figures: dict[str, Figure]
    notes: tuple[int, ...] = ()
    shared_state: str = ""
    place: str = ""


@dataclass
class Layout:
    """A table ready for markup.

    Attributes:
        columns: the printed columns in order.
        panels: heads of the columns of each part; one part unless the table is wide.
        rows: in printed order.
        common: sentences that hold for every measured cell.
        notes: numbered footnotes, number 1 first.
        warned: some measured cells are not to be held against the published ones.
        claims: what the paper argues.
    """

    columns: dict[str, Column]
    panels: list[list[str]]
    measured: set[str]
    rows: list[LaidRow] = field(default_factory=list)
    common: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    warned: bool = False
    claims: list[LaidClaim] = field(default_factory=list)

    @property
    def wide(self) -> bool:
        """Whether measured values stand below the published ones."""
        return len(self.measured) >= WIDE

    @property
    def placed(self) -> bool:
        """Whether the rows stand at places of their own, as numbers in the text do."""
        return any(row.place for row in self.rows)

    @property
    def any_measured(self) -> bool:
        """Whether any cell has a measured value."""
        return any(figure.mean for figure in self.figures())

    def figures(self) -> Iterator[Figure]:
        """All cells, row by row."""
        return (figure for row in self.rows for figure in row.figures.values())

    def number(self, sentence: str) -> int:
        """The number of a footnote; the same sentence has one number."""
        if sentence not in self.notes:
            self.notes.append(sentence)
        return self.notes.index(sentence) + 1


def layout(result: TableResult) -> Layout:
    """Lays out a table."""
    table = result.table
    measured = {cell.address.column for cell in table.cells() if not cell.metric.is_setting}
    made = Layout(table.columns, _panels(table, measured), measured)
    made.common = _common(result)
    made.warned = any(cell.measured is not None and not is_comparable(cell, result.scale)
                      for cell in result.cells.values())  # fmt: skip
    made.claims = laid_claims(result)
    best, measured_best = set[Address](), set[Address]()
    if table.kind is not TableKind.PROSE:
        best, measured_best = best_published(table), best_measured(result)
    for row in table.rows.values():
        notes = _row_notes(made, row)
        figures = {
            head: _figure(made, result, row, cell, cell.address in best, cell.address in measured_best)
            for head, cell in row.cells.items()
        }
        made.rows.append(_laid(row, figures, notes))
    return made


def cells_legend(made: Layout) -> list[str]:
    """Sentences on what a measured cell shows, and what the verdicts mean that are given."""
    if not made.any_measured:
        return []
    shown = [figure for figure in made.figures() if figure.mean]
    difference = ["measured minus published"] if any(figure.difference for figure in shown) else []
    parts = ["the verdict", "and (the number of seeds)"]
    where = "below the published value" if made.wide else "beside the published one"
    given = [verdict for verdict in MEANINGS if any(figure.verdict is verdict for figure in shown)]
    meanings = "; ".join(f"{verdict}: {MEANINGS[verdict]}" for verdict in given)
    return [f"Measured, {where}: {', '.join([INTERVAL, *difference, *parts])}.", *([f"{meanings}."] if given else [])]


def _laid(row: Row, figures: dict[str, Figure], notes: tuple[int, ...]) -> LaidRow:
    telling = [figure for figure in figures.values() if figure.verdict is not None]
    states = {figure.state for figure in telling}
    untouched = not any(figure.mean for figure in telling)
    shared = states.pop() if untouched and len(states) == 1 else ""
    if telling and (shared or len(telling) > 1) and len({figure.notes for figure in telling}) == 1:
        notes += telling[0].notes  # what holds for the whole row is said once
        figures = {head: replace(figure, notes=()) for head, figure in figures.items()}
    return LaidRow(row.label, figures, notes, shared, row.place)


def _panels(table: Table, measured: set[str]) -> list[list[str]]:
    heads = list(table.columns)
    if len(measured) <= PANEL:
        return [heads]
    parts = -(-len(heads) // PANEL)
    size = -(-len(heads) // parts)
    return [heads[start : start + size] for start in range(0, len(heads), size)]


def _figure(made: Layout, result: TableResult, row: Row, cell: Cell, best: bool, measured_best: bool) -> Figure:
    column = result.table.columns[cell.address.column]
    published = published_text(column, cell)
    found = result.cells.get(cell.address)
    marked = column.marks and column.head in row.marks
    if found is None or found.verdict.is_silent or not (cell.is_result or _is_to_measure(cell, found)):
        return Figure(published, best, marked)
    notes = _cell_notes(made, row, found)
    if found.measured is None:
        server = f"{found.server.score} on {found.server.date}" if found.server else ""
        return Figure(published, best, marked, found.verdict, notes=notes, server=server)
    places = measured_decimals(column, cell)
    interval = found.measured
    half = "" if interval.low is None or interval.high is None else f"{(interval.high - interval.low) / 2:.{places}f}"
    return Figure(
        published, best, marked, found.verdict,
        mean=number(interval.mean, places), half=half, n=interval.n,
        difference=_difference(found, result.scale, places),
        one_seed=interval.n == 1 and cell.metric.base.kind.has_seeds, measured_best=measured_best, notes=notes,
    )  # fmt: skip


def _is_to_measure(cell: Cell, found: CellResult) -> bool:
    """Whether a cell in which nothing is printed has, or could have, a value of our own."""
    return not cell.metric.is_setting and found.verdict.is_runnable


def _difference(found: CellResult, scale: str, places: int) -> str:
    return signed(found.difference, places) if found.difference is not None and is_comparable(found, scale) else ""


def _cell_notes(made: Layout, row: Row, found: CellResult) -> tuple[int, ...]:
    told = found.reason and found.reason != row.reason
    sentences = [f"{found.verdict}: {found.reason}"] if told else []
    sentences += _statistics(found) + sentences_of(found)
    return tuple(made.number(sentence) for sentence in sentences if sentence not in made.common)


def _statistics(found: CellResult) -> list[str]:
    """How sure a verdict is that rests on seeds: p-values of a difference, seeds that would decide."""
    if found.verdict in (Verdict.ABOVE, Verdict.BELOW) and found.p_value is not None:
        return [f"{found.verdict}: {p_text(found.p_value, found.adjusted)}"]
    if found.verdict is Verdict.INCONCLUSIVE and found.seeds_needed:
        return [f"{found.verdict}: {found.seeds_needed} seeds would decide"]
    return []


def _row_notes(made: Layout, row: Row) -> tuple[int, ...]:
    sentences = [f"{row.kind}: {row.reason}"] if row.reason else []
    sentences += [row.note] if row.note else []
    if row.marks_from:
        inferred = row.marks_from == "inferred"
        sentences.append("check marks inferred, not legible" if inferred else f"check marks after {row.marks_from}")
    return tuple(made.number(sentence) for sentence in sentences)


def _common(result: TableResult) -> list[str]:
    cells = [cell for cell in result.cells.values() if cell.measured is not None]
    if len(cells) < 2:
        return []
    others = [set(sentences_of(cell)) for cell in cells[1:]]
    return [sentence for sentence in sentences_of(cells[0]) if all(sentence in other for other in others)]
