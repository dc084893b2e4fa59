"""The sides of comparisons as sums of what runs measure, on the small paper of the reports."""

import dataclasses

import pytest

from repro.papers import Address, Gain, Operator, Part
from repro.store.runs_csv import recorded
from repro.sweep.plan.run_sums import RunSum
from tests.report.made_runs import Made, write_papers


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return write_papers(tmp_path_factory.mktemp("run_sums"))


@pytest.fixture
def made(folder):
    return Made(folder, "paper")


def at(row, column="mIoU"):
    return Address("small/table1", row, column)


def run_sum(made, left, right):
    return RunSum(Part(left, Operator.GREATER, right), made.found)


def test_two_rows_are_two_terms(made):
    found = run_sum(made, at("Rates"), at("Plain"))
    assert sorted(found.counts.values()) == [-1.0, 1.0]
    assert len(found.by_run()) == 2
    assert not found.obstacle


def test_what_both_sides_have_cancels(made):
    gains = run_sum(made, at("Rates", "Gain"), at("Rates, smaller", "Gain"))
    assert sorted(gains.counts.values()) == [-1.0, 1.0]
    same = run_sum(made, at("Rates", "Gain"), Gain(at("Rates"), at("Plain")))
    assert same.obstacle == "both sides are one run at this scale"


def test_a_class_that_the_images_do_not_have_is_not_judged(made):
    cell = made.cell("Rates")
    for name, obstacle in (("strip", ""), ("sofa", "shapes has no class sofa")):
        metric = dataclasses.replace(cell.metric, class_name=name)
        found = dataclasses.replace(cell, cell=dataclasses.replace(cell.cell, metric=metric))
        cells = {at("Rates"): found, at("Plain"): made.cell("Plain")}
        assert RunSum(Part(at("Rates"), Operator.GREATER, at("Plain")), cells).obstacle == obstacle


def test_a_number_of_others_counts_at_the_papers_scale_alone(made, folder):
    found = run_sum(made, at("Rates"), at("Someone [1]"))
    assert found.cited == [-1.0]
    assert not found.obstacle
    assert run_sum(Made(folder, "short"), at("Rates"), at("Someone [1]")).obstacle == "Someone [1] is cited"
    assert run_sum(made, at("Someone [1]"), at("Someone [1]")).obstacle == "both sides are cited"


def test_what_is_not_run_is_an_obstacle(made, folder):
    assert run_sum(made, at("Deeper"), at("Plain")).obstacle == "Deeper is not built"
    merged = run_sum(Made(folder, "merged"), at("Rates"), at("Rates, smaller"))
    assert merged.obstacle == "both sides are one run at this scale"


def test_what_the_network_decides_depends_on_no_seed(made):
    found = run_sum(made, at("Plain", "Parameters"), 11.0)
    assert found.is_exact
    assert not found.counts
    assert not found.obstacle


def test_values_are_those_of_all_seeds_that_are_known(made):
    found = run_sum(made, at("Rates"), at("Plain"))
    lines = [recorded(made.record("Rates", seed, 70.0 + seed)) for seed in (0, 2)]
    known = {line.evaluation_id: line for line in lines}
    values = [term.values(known) for term in found.terms.values()]
    assert values == [{0: 70.0, 2: 72.0}, {}]
