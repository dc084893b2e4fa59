"""Claims under other readings of what a paper leaves open."""

import dataclasses

import pytest

from repro.experiments.readings import open_readings
from repro.papers import Address
from repro.report.judge.evidence import Evidence
from repro.report.judge.results import Robustness
from repro.report.judge.robustness import with_robustness
from repro.report.judge.tables import Tables
from repro.report.judge.verdicts import Tolerance
from repro.store.runs_csv import recorded
from tests.report.judge.made_claims import a_claim
from tests.report.made_runs import record_of

TOLERANCE = Tolerance(1.0, 0.02)
OURS = {"Rates": [73.0, 74.0, 75.2], "Plain": [70.0, 71.1, 72.0]}


def at(row, column="mIoU"):
    return Address("small/table1", row, column)


@pytest.fixture(scope="module")
def readings(as_printed):
    return open_readings(as_printed.found)


def robustness(made, readings, others, left=at("Rates"), right=at("Plain")):
    known = {}
    for row, values in OURS.items():
        known |= made.lines(row, values)
        for reading in readings:
            if reading.base == at(row):
                for seed, value in enumerate(others.get(row, ())):
                    line = recorded(record_of(reading.measurement, seed, value))
                    known[line.evaluation_id] = line
    table = dataclasses.replace(made.table, claims=(a_claim(left, ">", right),))
    result = Tables(made.found, known, TOLERANCE).result(table)
    found = with_robustness(result, readings, made.found, Evidence(made.found, known), TOLERANCE)
    assert found.claims[0].verdict == "holds"
    return found.claims[0].robustness


@pytest.mark.parametrize(
    ("values", "counts"),
    [
        ([72.9, 74.0, 75.0], Robustness(2, 0, 0)),
        ([67.0, 68.0, 69.2], Robustness(1, 1, 0)),
        ([60.0, 75.0, 72.2], Robustness(1, 0, 1)),
    ],
)
def test_a_claim_under_another_reading_of_both_sides(as_printed, readings, values, counts):
    assert robustness(as_printed, readings, {"Rates": values, "Plain": [70.1, 71.0, 72.1]}) == counts


def test_a_reading_counts_only_if_all_that_it_changes_is_measured(as_printed, readings):
    assert robustness(as_printed, readings, {}) is None
    assert robustness(as_printed, readings, {"Rates": [73.0, 74.0, 75.0]}) is None


def test_the_other_side_of_a_difference_is_read_in_the_same_way(as_printed, readings):
    gain = at("Rates", "Gain")
    others = {"Rates": [62.9, 64.0, 65.0], "Plain": [60.1, 61.0, 62.1]}  # 2.9 above, although both are 10 lower
    assert robustness(as_printed, readings, others, left=gain, right=0.0) == Robustness(2, 0, 0)
