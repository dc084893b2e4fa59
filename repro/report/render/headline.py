"""What a report says first: distinct trained cells at the papers' scale, closed forms and toy scales apart."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from repro.papers import PAPER_SCALE, SMOKE_SCALE, Address, Cell
from repro.report.judge.results import CellResult, ClaimResult, TableResult
from repro.report.judge.verdicts import ClaimVerdict, Verdict


@dataclass(frozen=True)
class Tally:
    """Distinct cells that can be measured, and claims that rest on them.

    Attributes:
        runnable: cells that can be measured here; cells of one run, evaluation and metric are one.
        measured: those that are.
        reproduced: those that are reproduced wherever they are printed.
        judged: claims with a verdict; `holding` and `turned` are those that hold and that are reversed.
    """

    runnable: int = 0
    measured: int = 0
    reproduced: int = 0
    judged: int = 0
    holding: int = 0
    turned: int = 0


@dataclass(frozen=True)
class Headline:
    """The counts of a report.

    Attributes:
        trained: of cells that a training decides, at the papers' scale; None if the report does not have that scale.
        closed_form: of cells that the network alone decides.
        toys: name of each other scale to its trained cells; `smoke`, which shows nothing but that all works, is none.
    """

    trained: Tally | None
    closed_form: Tally
    toys: dict[str, Tally]


def headline(results: Sequence[TableResult]) -> Headline:
    """Counts what some results say."""
    scales = dict.fromkeys(result.scale for result in results)
    chosen = {scale: [result for result in results if result.scale == scale] for scale in scales}
    paper = chosen.pop(PAPER_SCALE, None)
    chosen.pop(SMOKE_SCALE, None)
    toys = {scale: _tally(of_scale, closed=False) for scale, of_scale in chosen.items()}
    return Headline(
        None if paper is None else _tally(paper, closed=False), _tally(paper or (), closed=True), toys
    )  # fmt: skip


def sentences(found: Headline) -> list[str]:
    """The headline in words, each sentence without its capital and its stop."""
    own = found.trained
    if own is None:
        return sentences_apart(found)
    first = (f"at the papers' scale {own.measured:,} of {own.runnable:,} trained cells are measured, "
             f"{own.reproduced:,} reproduced{_claims(own)}")  # fmt: skip
    return [first, *sentences_apart(found)]


def sentences_apart(found: Headline) -> list[str]:
    """What is counted apart: closed forms, and each toy scale."""
    closed = found.closed_form
    claims = _claims(closed, " on closed forms alone")
    parts = [f"of {closed.runnable:,} printed closed forms {closed.reproduced:,} are reproduced{claims}"]
    toys = [f"apart, at scale {scale} {toy.measured:,} trained cells are measured{_claims(toy)}"
            for scale, toy in found.toys.items()]  # fmt: skip
    return (parts if closed.runnable else []) + toys


def is_closed_form(cell: Cell) -> bool:
    """Whether no training decides a cell."""
    return not cell.metric.base.kind.has_seeds


def rests_on_closed_forms(item: ClaimResult, cells: dict[Address, Cell]) -> bool:
    """Whether no training decides a claim; a cell that is not at hand counts as trained.

    Args:
        item: the claim.
        cells: of the tables at hand.
    """
    addresses = [address for part in item.claim.parts for address in part.addresses()]
    return all(address in cells and is_closed_form(cells[address]) for address in addresses)


def cells_of(results: Iterable[TableResult]) -> dict[Address, Cell]:
    """The printed cells of some results' tables."""
    return {cell.address: cell for result in results for cell in result.table.cells()}


def _claims(tally: Tally, what: str = "") -> str:
    if not tally.judged:
        return ""
    return f", of {tally.judged:,} judged claims{what} {tally.holding:,} hold and {tally.turned:,} are reversed"


def _tally(results: Sequence[TableResult], *, closed: bool) -> Tally:
    cells = cells_of(results)
    groups: dict[object, list[tuple[Cell, CellResult]]] = defaultdict(list)
    for result in results:
        for address, found in result.cells.items():
            cell = cells[address]
            if cell.is_result and found.verdict.is_runnable and is_closed_form(cell) is closed:
                groups[result.identities.get(address, address)].append((cell, found))
    judged = [item.verdict for result in results for item in result.claims
              if item.is_judged and rests_on_closed_forms(item, cells) is closed]  # fmt: skip
    return Tally(
        runnable=len(groups),
        measured=sum(any(found.measured is not None for _, found in group) for group in groups.values()),
        reproduced=sum(map(_is_reproduced, groups.values())),
        judged=len(judged),
        holding=judged.count(ClaimVerdict.HOLDS),
        turned=judged.count(ClaimVerdict.REVERSED),
    )


def _is_reproduced(group: Sequence[tuple[Cell, CellResult]]) -> bool:
    """Whether a cell is reproduced wherever it is printed; differences taken from it count where it is not itself."""
    own = [found for cell, found in group if not cell.metric.is_difference] or [found for _, found in group]
    measured = [found for found in own if found.measured is not None]
    return bool(measured) and all(found.verdict is Verdict.REPRODUCED for found in measured)
