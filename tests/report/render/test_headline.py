from dataclasses import replace
from pathlib import Path

import pytest

from repro.papers import Address, Table
from repro.report.judge.results import ClaimResult, TableResult
from repro.report.judge.tables import Tables
from repro.report.judge.verdicts import ClaimVerdict, Tolerance, Verdict
from repro.report.render.headline import Tally, headline, sentences
from repro.store.runs_csv import Recorded
from tests.report.made_results import claim_of, measured_small, real_tables, unmeasured
from tests.report.made_runs import Made

TOLERANCE = Tolerance(0.5, 0.02)


def at_scale(made: Made, *rows: tuple[str, float]) -> TableResult:
    """The result of the small paper with three runs of some rows, of a mean and a spread of 0.1."""
    lines: dict[str, Recorded] = {}
    for row, score in rows:
        lines |= made.lines(row, (score - 0.1, score, score + 0.1))
    return Tables(made.found, lines, TOLERANCE).result(made.table)


def test_a_cell_and_the_difference_taken_from_it_are_one(as_printed: Made) -> None:
    found = headline([at_scale(as_printed, ("Plain", 70.0), ("Rates", 73.0))])
    assert found.trained is not None
    assert (found.trained.runnable, found.trained.measured) == (3, 2)
    assert found.closed_form.runnable == found.closed_form.measured == 1
    assert found.toys == {}


def test_printing_a_table_again_changes_nothing(as_printed: Made) -> None:
    result = at_scale(as_printed, ("Plain", 70.0), ("Rates", 73.0))
    twice = replace(result, claims=())
    assert headline([result, twice]) == headline([result])


def test_records_of_a_smoke_sweep_change_nothing(as_printed: Made, papers: Path) -> None:
    paper = at_scale(as_printed, ("Plain", 70.0))
    smoke = at_scale(Made(papers, "smoke"), ("Plain", 7.6), ("Rates", 7.6))
    assert sum(cell.measured is not None for cell in smoke.cells.values()) > 2
    assert headline([paper, smoke]) == headline([paper])
    assert sentences(headline([smoke])) == []


def test_toy_scales_stand_apart(as_printed: Made, shortened: Made) -> None:
    toy = at_scale(shortened, ("Plain", 70.0), ("Rates", 73.0))
    found = headline([at_scale(as_printed), toy])
    assert found.trained is not None
    assert (found.trained.measured, found.trained.judged) == (0, 0)
    assert found.closed_form == headline([at_scale(as_printed)]).closed_form
    assert found.toys["short"].measured == 2
    first, closed, apart = sentences(found)
    assert first == "at the papers' scale 0 of 3 trained cells are measured, 0 reproduced"
    assert closed.startswith("of 1 printed closed forms ")
    assert apart.startswith("apart, at scale short 2 trained cells are measured")


def test_without_the_papers_scale_only_toys_are_told(shortened: Made) -> None:
    found = headline([at_scale(shortened)])
    assert found.trained is None
    assert sentences(found) == ["apart, at scale short 0 trained cells are measured"]


@pytest.mark.parametrize(
    ("verdicts", "reproduced"),
    [
        ((Verdict.REPRODUCED, Verdict.REPRODUCED), 1),
        ((Verdict.REPRODUCED, Verdict.BELOW), 0),  # two printed numbers, of which one is not reproduced
        ((Verdict.REPRODUCED, Verdict.DEVIATES), 0),
    ],
)
def test_a_cell_is_reproduced_if_it_is_wherever_it_is_printed(
    small: Table, verdicts: tuple[Verdict, ...], reproduced: int
) -> None:
    result = measured_small(small)
    addresses = [Address("made/table1", row, "mIoU") for row in ("Plain", "With it")]
    for address, verdict in zip(addresses, verdicts, strict=True):
        result.cells[address] = replace(result.cells[address], verdict=verdict)
    same = replace(result, scale="paper", claims=(), identities=dict.fromkeys(addresses, ("one",)))
    trained = headline([same]).trained
    assert trained is not None
    assert (trained.measured, trained.reproduced) == (1, reproduced)


def test_a_difference_decides_only_where_its_own_side_is_not_printed(as_printed: Made) -> None:
    result = at_scale(as_printed, ("Plain", 70.0), ("Rates", 73.0))
    gain, rates = (Address("small/table1", "Rates", column) for column in ("Gain", "mIoU"))

    def reproduced(**verdicts: Verdict) -> int:
        cells = {address: replace(cell, verdict=verdicts.get(address.column, Verdict.BELOW))
                 for address, cell in result.cells.items() if address in (gain, rates)}  # fmt: skip
        trained = headline([replace(result, cells=cells)]).trained
        assert trained is not None
        return trained.reproduced

    assert reproduced(mIoU=Verdict.REPRODUCED, Gain=Verdict.INCONCLUSIVE) == 1
    assert reproduced(mIoU=Verdict.INCONCLUSIVE, Gain=Verdict.REPRODUCED) == 0


def test_claims_on_closed_forms_are_counted_with_those() -> None:
    table = real_tables()["vortex/prose"]
    result = unmeasured(table)
    held: tuple[ClaimResult, ...] = tuple(
        claim_of(table, claim, *[ClaimVerdict.HOLDS] * len(claim.parts)) for claim in table.claims
    )
    found = headline([replace(result, claims=held)])
    closed = [claim for claim in table.claims
              if all(not table.rows[cell.row].cells[cell.column].metric.base.kind.has_seeds
                     for part in claim.parts for cell in part.addresses() if cell.table == table.key)]  # fmt: skip
    assert found.closed_form.judged == found.closed_form.holding == len(closed) > 0
    assert found.trained is not None
    assert found.trained.judged == len(held) - len(closed)


def test_nothing_is_counted_of_nothing() -> None:
    found = headline([])
    assert (found.trained, found.closed_form, found.toys) == (None, Tally(), {})
    assert sentences(found) == []
