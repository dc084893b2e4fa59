import pytest

from repro.experiments.chain import NOTHING, Chain, Link
from repro.experiments.measurement import Kind, Measurement
from repro.papers import Address, Cell, Metric, RowKind
from repro.report.judge.verdicts import Verdict
from tests.composed import composed

HERE, THERE = Address("small/table1", "better", "mIoU"), Address("small/table1", "plain", "mIoU")


@pytest.mark.parametrize("row_kind", [kind for kind in RowKind if kind is not RowKind.OWN])
def test_a_row_that_is_not_run_says_what_becomes_of_its_cells(row_kind):
    assert Kind(row_kind) == row_kind
    assert not Kind(row_kind).is_measured


@pytest.mark.parametrize("kind", [kind for kind in Kind if not kind.is_measured])
def test_a_cell_that_is_not_measured_has_its_kind_for_a_verdict(kind):
    assert Verdict(kind) == kind


def test_what_is_run_or_worked_out_is_measured_and_nothing_else():
    assert {kind for kind in Kind if kind.is_measured} == {Kind.RUN, Kind.STATIC}


def test_a_measurement_is_its_cells_own_training_with_a_seed():
    cell = Cell(HERE, 5.5, Metric("delta", reference=THERE, of=Metric("miou")))
    item = Measurement(cell, "paper", Kind.RUN, chain=Chain((Link("", composed("head=fcn")),)))
    assert (item.address, item.reference, item.metric.base) == (HERE, THERE, Metric("miou"))
    assert item.run_id(3) == composed("head=fcn", "seed=3").run_id
    assert item.evaluation_id(3) == composed("head=fcn", "seed=3").evaluation_id
    assert item.configuration(3).overrides == ("head=fcn", "seed=3")


def test_a_cell_that_is_not_run_has_no_configuration():
    item = Measurement(Cell(HERE, 5.5, Metric("miou")), "paper", Kind.CITED)
    assert item.chain is NOTHING
    with pytest.raises(AssertionError, match="better @ mIoU is not run"):
        item.run_id(0)
