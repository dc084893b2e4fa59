"""Comparisons as regions, and their tests: direction, margins, amounts, shares, cited numbers, no seeds."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from repro.papers import Address, Amount, Claim, Gain, Margin, Operator, Part
from repro.report.judge.comparisons import (
    UPWARDS,
    Bound,
    Region,
    compare,
    compare_exactly,
    compared,
    direction_of,
    is_about_size,
    region_of,
)
from repro.report.judge.contrasts import Contrast, Term
from repro.report.judge.statistics import estimate
from repro.report.judge.verdicts import Tolerance
from tests.report.judge.made_claims import a_claim

quick = settings(max_examples=30, deadline=None)
TOLERANCE = Tolerance(1.0, 0.02)
RATES, PLAIN = (Address("small/table1", row, "mIoU") for row in ("Rates", "Plain"))
PARAMETERS = Address("small/table1", "Plain", "Parameters")
SAMPLES = st.lists(st.floats(-5, 5), min_size=3, max_size=8).filter(lambda values: np.ptp(values) > 1e-3)


def region(made, operator=">", left=RATES, right=PLAIN, *, is_exact=False, **words):
    claim = a_claim(left, operator, right, **words)
    return region_of(made.library, claim, claim.parts[0], TOLERANCE, is_exact=is_exact)


def side(run, *values, first=0):
    return Contrast((Term(1.0, run, run, dict(enumerate(values, first))),))


def verdict(values, where):
    found = compare(side("a", *values), Contrast(), where)
    return "holds" if found.holds <= 0.05 else "reversed" if found.reversed <= 0.05 else "inconclusive"


def test_shapes_as_regions(as_printed):
    points, share = Margin(0.3, False, "why"), Margin(0.02, True, "why")
    assert region(as_printed) == UPWARDS
    assert region(as_printed, ">=", within=points) == Region(Bound(1, -0.3), None)
    assert region(as_printed, "=", within=points) == Region(Bound(1, -0.3), Bound(1, 0.3))
    assert region(as_printed, "=", within=share) == Region(Bound(0.98, 0), Bound(1.02, 0))


def test_without_a_margin_it_is_the_rounding_of_print(as_printed):
    assert region(as_printed, ">=") == Region(Bound(1, -0.05), None)
    assert region(as_printed, "=") == Region(Bound(1, -0.05), Bound(1, 0.05))


@pytest.mark.parametrize(
    ("amount", "low", "high"),
    [
        (Amount(3.0, 3.0), 2.0, 4.0),  # the tolerance of 1.0, which is less than the half of 3
        (Amount(0.7, 0.7), 0.35, 1.05),  # never more than half of it, so that no gain at all does not do
        (Amount(1.5, 2.0), 0.75, 2.75),
        (Amount(0.1, 0.1), 0.05, 0.15),
    ],
)
def test_amounts_with_their_margin(as_printed, amount, low, high):
    found = region(as_printed, by=amount)
    assert (found.low.times, found.high.times) == (1, 1)
    assert (found.low.more, found.high.more) == (pytest.approx(low), pytest.approx(high))


def test_an_amount_in_per_cent_is_a_multiple_of_the_right_side(as_printed):
    found = region(as_printed, by=Amount(0.12, 0.12, is_share=True))
    assert (found.low.times, found.high.times) == (pytest.approx(1.10), pytest.approx(1.14))
    assert (found.low.more, found.high.more) == (0, 0)


def test_an_amount_of_what_has_no_seeds_is_met_to_its_digits(as_printed):
    found = region(as_printed, by=Amount(3.0, 3.0), left=PARAMETERS, right=PARAMETERS, is_exact=True)
    assert (found.low.more, found.high.more) == (2.5, 3.5)
    found = region(as_printed, by=Amount(3.2, 3.2), left=PARAMETERS, right=PARAMETERS, is_exact=True)
    assert (found.low.more, found.high.more) == (pytest.approx(3.15), pytest.approx(3.25))


@pytest.mark.parametrize(
    ("words", "is_size", "direction"),
    [
        ({}, False, UPWARDS),
        ({"operator": ">="}, True, UPWARDS),
        ({"operator": ">=", "within": Margin(0.02, True, "why")}, False, UPWARDS),
        ({"operator": "=", "within": Margin(0.5, False, "why")}, True, None),
        ({"by": Amount(0.7, 0.7)}, True, UPWARDS),
        ({"right": 75.0}, True, None),
        ({"left": Gain(RATES, PLAIN), "right": 0.0}, False, UPWARDS),
    ],
)
def test_what_is_left_where_sizes_do_not_count(words, is_size, direction):
    claim = a_claim(words.pop("left", RATES), words.pop("operator", ">"), words.pop("right", PLAIN), **words)
    assert is_about_size(claim, claim.parts[0]) is is_size
    assert direction_of(claim, claim.parts[0]) == direction


@pytest.mark.parametrize(
    ("values", "verdicts"),
    [
        # > , >= -0.5 , = within 0.5
        ([1.0, 1.1, 0.9], ("holds", "holds", "reversed")),
        ([-1.0, -1.1, -0.9], ("reversed", "reversed", "reversed")),
        ([0.05, -0.05, 0.0], ("inconclusive", "holds", "holds")),
        ([0.3, 0.4, 0.35], ("holds", "holds", "holds")),
        ([-0.3, -0.4, -0.35], ("reversed", "holds", "holds")),
        ([3.0, -1.0, 1.0], ("inconclusive", "inconclusive", "inconclusive")),
    ],
)
def test_a_comparison_by_its_paired_differences(values, verdicts):
    places = (UPWARDS, Region(Bound(1, -0.5), None), Region(Bound(1, -0.5), Bound(1, 0.5)))
    assert tuple(verdict(values, where) for where in places) == verdicts


def test_a_direction_is_two_sided_and_a_margin_one_sided():
    values = [0.2, 0.5, 0.9]
    one_sided = stats.ttest_1samp(values, 0, alternative="greater").pvalue
    found = compare(side("a", *values), Contrast(), UPWARDS)
    assert float(found.holds) == pytest.approx(2 * one_sided)
    found = compare(side("a", *values), Contrast(), Region(Bound(1, 0), None))
    assert float(found.holds) == pytest.approx(one_sided)
    assert float(found.reversed) == pytest.approx(1 - one_sided)


def test_a_share_is_tested_without_dividing():
    left, right = [112.5, 114.0, 113.0, 114.4], [100.0, 101.0, 100.5, 101.2]
    where = Region(Bound(1.10, 0), Bound(1.14, 0))
    found = compare(side("a", *left), side("b", *right), where)
    low = stats.ttest_1samp(np.subtract(left, np.multiply(1.10, right)), 0, alternative="greater").pvalue
    high = stats.ttest_1samp(np.subtract(left, np.multiply(1.14, right)), 0, alternative="less").pvalue
    assert float(found.holds) == pytest.approx(max(low, high))


def test_a_cited_number_by_hand():
    # sd 1: error 1.154701; 76 against 70.05 (as large as it may have been) is 5.95 / 1.154701 = 5.152849 errors above
    cited = Contrast(constant=70.0, cited=(1.0,), half=0.05)
    found = compare(side("a", 75.0, 76.0, 77.0), cited, UPWARDS)
    assert float(found.holds) == pytest.approx(2 * stats.t.sf(5.152849, 2), abs=1e-6)
    turned = compare(cited, side("a", 75.0, 76.0, 77.0), UPWARDS)
    assert float(turned.reversed) == pytest.approx(float(found.holds))


def test_a_gain_over_the_same_base_is_compared_without_it():
    base = side("base", 60.0, 70.0, 50.0)
    gains = [side(name, *values).plus(base, -1) for name, values in (("a", (71, 72, 73.5)), ("b", (70, 71.2, 72)))]
    found = compare(*gains, UPWARDS)
    assert float(found.holds) == pytest.approx(stats.ttest_rel([71, 72, 73.5], [70, 71.2, 72]).pvalue)


@quick
@given(SAMPLES, SAMPLES)
def test_a_claim_turned_round_has_the_opposite_verdict(first, second):
    left, right = side("a", *first), side("b", *second)
    if left.plus(right, -1).hindrance(3):
        return
    there, back = compare(left, right, UPWARDS), compare(right, left, UPWARDS)
    assert float(there.holds) == pytest.approx(float(back.reversed))
    equal = Region(Bound(1, -0.5), Bound(1, 0.5))
    there, back = compare(left, right, equal), compare(right, left, equal)
    assert float(there.holds) == pytest.approx(float(back.holds))
    assert float(there.reversed) == pytest.approx(float(back.reversed))


@quick
@given(SAMPLES, st.sampled_from([0.25, 4.0]))
def test_the_unit_does_not_matter(values, unit):
    for where in (UPWARDS, Region(Bound(1, -0.5), Bound(1, 0.5))):
        bounds = [bound and Bound(bound.times, unit * bound.more) for bound in (where.low, where.high)]
        one = compare(side("a", *values), Contrast(), where)
        other = compare(side("a", *(unit * value for value in values)), Contrast(), Region(*bounds, where.is_open))
        assert float(one.holds) == pytest.approx(float(other.holds))


def test_comparisons_at_once_are_those_one_by_one():
    differences = np.random.default_rng(0).normal(0.5, 1, (30, 4))
    many = compared(estimate([differences]), None, is_open=True)
    for place, row in enumerate(differences):
        one = compare(side("a", *row), Contrast(), UPWARDS)
        assert float(many.holds[place]) == pytest.approx(float(one.holds))
        assert float(many.reversed[place]) == pytest.approx(float(one.reversed))


def test_with_more_seeds_a_difference_is_clearer():
    left = side("a", 0.2, 0.9, 0.4)
    found = compare(left, Contrast(), UPWARDS, np.array([3, 6, 12]))
    assert float(found.holds[0]) == pytest.approx(float(compare(left, Contrast(), UPWARDS).holds))
    assert np.all(np.diff(found.holds) < 0)


@pytest.mark.parametrize(
    ("left", "region_", "p_values"),
    [
        (12.5, UPWARDS, (0, 1)),
        (12.0, UPWARDS, (1, 1)),
        (11.5, UPWARDS, (1, 0)),
        (12.0, Region(Bound(1, 0), None), (0, 1)),
        (12.1, Region(Bound(1, -0.1), Bound(1, 0.1)), (0, 1)),
        (12.11, Region(Bound(1, -0.1), Bound(1, 0.1)), (1, 0)),
    ],
)
def test_numbers_without_seeds_decide_by_themselves(left, region_, p_values):
    found = compare_exactly(left, 12.0, region_)
    assert (float(found.holds), float(found.reversed)) == p_values


def test_a_part_of_a_chain_has_its_own_operator(as_printed):
    claim = Claim((), (Operator.GREATER, Operator.EQUAL), (Part(RATES, Operator.EQUAL, PLAIN),), "1")
    assert region_of(as_printed.library, claim, claim.parts[0], TOLERANCE, is_exact=False).high is not None
