"""Cells of the small table: two one-sided tests, the prediction interval after Holm, and what decides nothing."""

import dataclasses

import pytest
from scipy import stats

from repro.papers import Address
from repro.report.judge.cells import MANY, NEVER, ONE_SEED, WITHIN, Cells
from repro.report.judge.evidence import Evidence
from repro.report.judge.verdicts import Tolerance

FAMILY = 5
"""Cells of the small table that can be judged: three scores and two gains."""

CLOSE = [-0.1, 0.0, 0.1]  # about a mean, so that half of the 90 % interval over three seeds is 0.1686


def cells(made, *lines, tolerance=1.0):
    known = {key: line for group in lines for key, line in group.items()}
    results = Cells(made.found, Evidence(made.found, known), Tolerance(tolerance, 0.02)).results(made.table)
    return lambda row, column="mIoU": results[Address("small/table1", row, column)]


def about(mean, values=CLOSE):
    return [mean + offset for offset in values]


@pytest.mark.parametrize(
    ("mean", "verdict"), [(73.8, "reproduced"), (77.0, "above"), (69.0, "below"), (73.9, "inconclusive")]
)
def test_judged_at_the_papers_scale(as_printed, mean, verdict):
    found = cells(as_printed, as_printed.lines("Rates", about(mean)))("Rates")
    assert (found.verdict, found.margin, found.measured.n) == (verdict, 1.0, 3)
    assert found.difference == pytest.approx(mean - 73.0)
    assert found.deviations == ()
    assert found.left_open == ("batch size (schedule.batch_size = 8)",)
    assert len(found.evidence) == 3


def test_a_table_may_have_a_tolerance_of_its_own(as_printed):
    lines = as_printed.lines("Rates", about(73.4))
    assert cells(as_printed, lines)("Rates").verdict == "reproduced"
    strict = dataclasses.replace(as_printed.table, tolerance=0.3)
    judge = Cells(as_printed.found, Evidence(as_printed.found, lines), Tolerance(1.0, 0.02))
    found = judge.results(strict)[Address("small/table1", "Rates", "mIoU")]
    assert (found.verdict, found.margin) == ("inconclusive", 0.3)


def test_raw_and_adjusted_p_values(as_printed):
    found = cells(as_printed, as_printed.lines("Rates", about(75.0)))("Rates")
    # sd 0.1: (2.0 - 0.05) / (0.1 * sqrt(4/3)) = 16.887495 errors
    assert found.p_value == pytest.approx(2 * stats.t.sf(16.887495, 2), rel=1e-5)
    assert found.adjusted == pytest.approx(FAMILY * found.p_value)


def test_measuring_more_takes_no_verdict_away(as_printed):
    one = as_printed.lines("Rates", about(75.0))
    alone, joined = cells(as_printed, one), cells(as_printed, one, as_printed.lines("Plain", about(70.0)))
    assert alone("Rates").verdict == joined("Rates").verdict == "above"
    assert joined("Rates").adjusted <= alone("Rates").adjusted


def test_what_is_never_printed_is_in_no_family_before_it_is_run(as_printed):
    class Unprinted:
        """The cells of the small table, but that nothing is printed of one row."""

        def __getattr__(self, name):
            return getattr(as_printed.found, name)

        def __getitem__(self, address):
            found = as_printed.found[address]
            if address.row != "Rates, smaller":
                return found
            return dataclasses.replace(found, cell=dataclasses.replace(found.cell, published=None))

    measurements, lines = Unprinted(), as_printed.lines("Rates", about(75.0))
    judge = Cells(measurements, Evidence(measurements, lines), Tolerance(1.0, 0.02))
    found = judge.results(as_printed.table)[Address("small/table1", "Rates", "mIoU")]
    assert found.adjusted == pytest.approx((FAMILY - 2) * found.p_value)  # without its score and its gain


def test_a_significant_difference_within_the_tolerance_is_told(as_printed):
    found = cells(as_printed, as_printed.lines("Rates", about(73.5, [-0.01, 0.0, 0.01])))("Rates")
    assert (found.verdict, found.reason) == ("reproduced", WITHIN)


def test_one_seed_is_inconclusive_and_says_why(as_printed):
    found = cells(as_printed, as_printed.lines("Rates", [73.0]))("Rates")
    assert (found.verdict, found.reason, found.p_value) == ("inconclusive", ONE_SEED, None)


def test_no_spread_decides_nothing(as_printed):
    found = cells(as_printed, as_printed.lines("Rates", [75.5, 75.5, 75.5]))("Rates")
    assert found.verdict == "inconclusive"
    assert found.reason == "no spread over 3 seeds: what does not depend on its seed decides nothing"


def test_the_seeds_that_would_decide_are_told(as_printed):
    found = cells(as_printed, as_printed.lines("Rates", about(73.0, [-0.7, 0.0, 0.7])))("Rates")
    assert found.verdict == "inconclusive"
    # t(n - 1) * 0.7 / sqrt(n) is 0.823687 for 4 seeds, the first below 1.0
    assert (found.seeds_needed, found.reason) == (4, "")


def test_that_no_seeds_would_decide_is_told(as_printed):
    found = cells(as_printed, as_printed.lines("Rates", about(74.5, [-1.0, 0.0, 1.0])))("Rates")
    assert (found.verdict, found.seeds_needed, found.reason) == ("inconclusive", None, NEVER)


def test_that_very_many_seeds_would_be_needed_is_told(as_printed):
    found = cells(as_printed, as_printed.lines("Rates", about(73.95, [-0.7, 0.0, 0.7])))("Rates")
    # 0.05 is left to the tolerance, and t(99) * 0.7 / sqrt(100) is 0.116
    assert (found.verdict, found.seeds_needed, found.reason) == ("inconclusive", None, MANY)


def test_a_run_that_deviates_is_not_judged(shortened):
    found = cells(shortened, shortened.lines("Rates", about(73.0)))("Rates")
    assert (found.verdict, found.p_value, found.margin) == ("deviates", None, None)
    assert "schedule.length: 200 steps → 20 steps" in found.deviations
    assert found.measured.mean == pytest.approx(73.0)


def test_parameters_have_the_printed_digits_or_not_at_every_scale(as_printed, shortened):
    here, there = (cells(made)("Plain", "Parameters") for made in (as_printed, shortened))
    assert here.verdict == ("reproduced" if abs(here.difference) <= 0.05 else "above")
    assert (here.deviations, here.margin) == ((), 0.05)
    assert dataclasses.replace(here, address=there.address) == there


def test_a_gain_is_paired_by_seed(as_printed):
    lines = as_printed.lines("Rates", [71.0, 75.0, 73.0]), as_printed.lines("Plain", [68.0, 72.1, 69.9])
    found = cells(as_printed, *lines)("Rates", "Gain")
    assert found.measured.mean == pytest.approx(3.0)
    assert found.verdict == "reproduced"  # although the scores themselves are far apart
    assert len(found.evidence) == 6


def test_a_gain_of_disjoint_seeds_is_measured(as_printed):
    plain = dict(list(as_printed.lines("Plain", [0.0, 0.0, 0.0, 68.0, 69.0, 70.0]).items())[3:])
    found = cells(as_printed, as_printed.lines("Rates", [71.0, 72.0, 73.0]), plain)("Rates", "Gain")
    assert (found.verdict, found.by_seed) == ("inconclusive", {})
    assert (found.measured.n, found.measured.mean) == (3, pytest.approx(3.0))


def test_a_gain_that_is_none_is_not_reproduced(as_printed):
    lines = as_printed.lines("Rates", [71.0, 75.0, 73.0]), as_printed.lines("Plain", [71.01, 75.0, 72.98])
    found = cells(as_printed, *lines, tolerance=5.0)("Rates", "Gain")
    assert (found.margin, found.verdict == "reproduced") == (1.5, False)
