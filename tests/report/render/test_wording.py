from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from repro.papers import Address, Table
from repro.report.judge.results import ClaimResult, TableResult
from repro.report.judge.statistics import Interval
from repro.report.judge.verdicts import ClaimVerdict, Verdict
from repro.report.render.wording import (
    claim_decimals,
    claim_notes,
    claim_state,
    claim_text,
    command,
    difference_text,
    hardware,
    place,
    published_difference,
    sentences_of,
    spans,
)
from tests.report.made_results import measured_small, real_tables, unmeasured


@pytest.fixture(name="small")
def result_of_small(small: Table) -> TableResult:
    return measured_small(small)


def test_a_claim_names_its_column_once_or_both(small: TableResult) -> None:
    claim = small.table.claims[0]
    assert claim_text(claim, small) == "With it > Plain @ mIoU"
    gain = replace(claim, higher=Address("made/table1", "With it", "Gain"))
    assert claim_text(gain, small) == "With it @ Gain > Plain @ mIoU"
    elsewhere = replace(claim, lower=Address("made/table2", "Plain", "mIoU"))
    assert claim_text(elsewhere, small) == "table1: With it @ mIoU > table2: Plain @ mIoU"
    only = replace(small.table, columns={}, rows={label: replace(row, cells={"mIoU": row.cells["mIoU"]})
                                                  for label, row in small.table.rows.items()})  # fmt: skip
    assert claim_text(claim, replace(small, table=only)) == "With it > Plain"


def test_a_claim_that_was_not_judged_says_so(small: TableResult) -> None:
    judged = small.claims[0]
    assert (claim_state(judged), claim_notes(judged)) == ("holds", ["By a little."])
    waiting = ClaimResult(judged.claim, Verdict.NOT_RUN, reason="Plain is not run")
    assert (claim_state(waiting), claim_notes(waiting)) == ("not judged: not run", ["By a little."])
    few = replace(judged, verdict=ClaimVerdict.INCONCLUSIVE, reason="2 of the 3 seeds that a claim needs")
    assert claim_notes(few) == ["By a little.", "2 of the 3 seeds that a claim needs"]


def test_differences_have_the_decimals_of_their_sides(small: TableResult) -> None:
    claim = small.claims[0]
    assert claim_decimals(claim, small) == 1
    assert claim_decimals(replace(claim, published=2.55), small) == 2
    assert published_difference(claim, 1) == "+2.5"
    assert published_difference(replace(claim, published=-0.5), 1) == "−0.5 (reversed)"
    assert published_difference(replace(claim, published=0.0), 1) == "0.0 (equal)"
    assert published_difference(replace(claim, published=None), 1) == ""
    assert difference_text(None, 1) == "missing"
    assert difference_text(Interval(1, 2.04, None, None, None), 1) == "+2.0"
    assert difference_text(claim.difference, 1) == "+2.0 [+1.2, +2.9]"


def test_deviations_are_told_from_what_the_paper_leaves_open(small: TableResult) -> None:
    cell = small.cells[Address("made/table1", "With it", "mIoU")]
    assert sentences_of(cell) == [
        "deviation: crop 128 instead of 513", "deviation: half the steps", "left open by the paper: optimiser: SGD"
    ]  # fmt: skip


def test_the_command_finds_the_folder_of_a_papers_own(small: TableResult) -> None:
    assert place(small) == f"sweeps_folder={small.table.file.parent.parent} table=made/table1 scale=shapes"
    assert command(small) == f"python -m repro.sweep {place(small)} seeds=3 submit=true"
    ours: Table = real_tables()["vortex/table1"]
    assert place(unmeasured(ours, "smoke")) == "table=vortex/table1 scale=smoke"


def test_each_machine_is_named_once(small: TableResult) -> None:
    assert hardware(small) == ["NVIDIA A100"]
    assert hardware(unmeasured(small.table)) == []


def test_neighbouring_numbers_are_drawn_together() -> None:
    assert spans([]) == ""
    assert spans([7, 1, 3, 2, 3]) == "1–3,7"


@given(st.sets(st.integers(1, 30)))
def test_spans_lose_no_number(numbers: set[int]) -> None:
    found = set()
    for part in filter(None, spans(numbers).split(",")):
        first, _, last = part.partition("–")
        found |= set(range(int(first), int(last or first) + 1))
    assert found == numbers
