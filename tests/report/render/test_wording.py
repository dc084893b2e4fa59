from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from repro.papers import Address, Table
from repro.report.judge.results import TableResult
from repro.report.judge.statistics import Interval
from repro.report.judge.verdicts import Verdict
from repro.report.render.wording import (
    MEANINGS,
    command,
    difference_text,
    hardware,
    is_comparable,
    place,
    sentences_of,
    spans,
)
from tests.report.made_results import measured_small, real_tables, unmeasured


@pytest.fixture(name="small")
def result_of_small(small: Table) -> TableResult:
    return measured_small(small)


def test_a_difference_comes_with_its_interval_where_it_has_one() -> None:
    assert difference_text(None, 1) == "missing"
    assert difference_text(Interval(1, 2.04, None, None, None), 1) == "+2.0"
    assert difference_text(Interval(3, 2.04, 0.3, 1.2, 2.88), 1) == "+2.0 [+1.2, +2.9]"


def test_at_a_scale_of_its_own_a_run_that_deviates_is_not_held_against_the_published_number(small: TableResult) -> None:
    cell = small.cells[Address("made/table1", "Plain", "mIoU")]
    assert not is_comparable(cell, "shapes")
    assert is_comparable(cell, "paper")
    assert is_comparable(replace(cell, deviations=()), "shapes")


def test_every_verdict_that_stands_beside_a_measured_value_has_a_meaning() -> None:
    verdicts = list(Verdict)
    assert set(MEANINGS) == {Verdict.NOT_PRINTED, *verdicts[verdicts.index(Verdict.DEVIATES) :]}


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
