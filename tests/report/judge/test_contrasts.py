"""Sums and differences of measured quantities: what cancels, what is paired, and what decides nothing."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from repro.report.judge.contrasts import Contrast, Term

quick = settings(max_examples=30, deadline=None)
BY_SEED = st.dictionaries(st.integers(0, 9), st.floats(0, 100), min_size=3)


def measured(run, *values, evaluation="plain", first=0):
    return Contrast((Term(1.0, run, f"{run} {evaluation}", dict(enumerate(values, first))),))


def cited(value, half=0.05):
    return Contrast(constant=value, cited=(1.0,), half=half)


OURS, BASE = measured("a", 71.0, 75.0, 73.0), measured("b", 68.0, 72.1, 69.9)


def test_a_quantity_cancels_against_itself():
    other = measured("c", 70.0, 70.5, 71.5)
    gains = OURS.plus(BASE, -1).plus(other.plus(BASE, -1), -1)
    assert [term.run for term in gains.terms] == ["a", "c"]
    assert gains.shared == pytest.approx({0: 1.0, 1: 4.5, 2: 1.5})
    assert OURS.plus(OURS, -1).terms == ()


def test_shared_seeds_are_paired_although_the_runs_are_two():
    difference = OURS.plus(BASE, -1)
    assert difference.is_paired(3)
    expected = stats.ttest_rel([71, 75, 73], [68, 72.1, 69.9]).pvalue
    assert float(difference.mean(3).outside(0, 0)) == pytest.approx(expected)


def test_disjoint_seeds_are_compared_by_welchs_test():
    difference = OURS.plus(measured("b", 68.0, 72.1, 69.9, first=3), -1)
    assert not difference.is_paired(3)
    assert difference.hindrance(3) == ""
    expected = stats.ttest_ind([71, 75, 73], [68, 72.1, 69.9], equal_var=False).pvalue
    assert float(difference.mean(3).outside(0, 0)) == pytest.approx(expected)
    found = difference.interval(3)
    assert (found.n, found.mean) == (3, pytest.approx(3.0))
    assert found.spread == pytest.approx(np.sqrt(np.var([71, 75, 73], ddof=1) + np.var([68, 72.1, 69.9], ddof=1)))


def test_too_few_shared_seeds_are_not_paired():
    difference = OURS.plus(measured("b", 68.0, 72.1, 69.9, first=1), -1)
    assert not difference.is_paired(3)
    assert difference.mean(3).n == 3


def test_evaluations_of_one_run_are_paired_however_few_there_are():
    flipped = measured("a", 71.3, 75.2, evaluation="flip")
    difference = flipped.plus(OURS, -1)
    assert difference.is_paired(3)
    assert difference.hindrance(3) == "2 of the 3 seeds that a comparison needs"
    assert difference.interval(3).mean == pytest.approx(0.25)


def test_what_does_not_depend_on_its_seed_decides_nothing():
    constant = measured("b", 7.6, 7.6, 7.6)
    assert "no spread over 3 seeds" in constant.hindrance(2)
    assert "no spread over 3 seeds" in OURS.plus(constant, -1).hindrance(3)
    shifted = measured("a", 71.5, 75.5, 73.5, evaluation="flip").plus(OURS, -1)
    assert "no spread" in shifted.hindrance(3)


def test_one_seed_decides_nothing():
    assert measured("a", 70.0).hindrance(2) == "1 of the 2 seeds that a comparison needs"
    assert measured("a", 70.0).interval(2).low is None
    apart = measured("a", 70.0).plus(measured("b", 69.0, first=1), -1)
    assert (apart.interval(2).n, apart.interval(2).mean, apart.interval(2).low) == (1, 1.0, None)


def test_runs_that_lack_each_others_evaluations_give_nothing():
    apart = measured("a", 71.3, 75.2, evaluation="flip", first=7).plus(OURS, -1)
    assert apart.interval(3) is None


def test_one_more_run_of_ours_by_hand():
    found = OURS.against_one()
    # sd 2: 2 * sqrt(1 + 1/3) = 2.309401
    assert float(found.error) == pytest.approx(2.309401, abs=1e-6)
    assert float(found.degrees) == 2


def test_a_printed_gain_has_the_scatter_of_two_runs_that_share_no_seed():
    found = OURS.plus(BASE, -1).against_one()
    variances = np.var([71, 75, 73], ddof=1), np.var([68, 72.1, 69.9], ddof=1)
    assert float(found.error) == pytest.approx(np.sqrt(sum(variances) * 4 / 3))


def test_a_gain_of_one_run_is_printed_of_one_run():
    flipped = measured("a", 71.3, 75.2, 73.4, evaluation="flip")
    found = flipped.plus(OURS, -1).against_one()
    assert float(found.error) == pytest.approx(np.std([0.3, 0.2, 0.4], ddof=1) * np.sqrt(4 / 3))


def test_a_cited_number_has_the_scatter_of_one_run_of_ours():
    difference = OURS.plus(cited(70.0), -1)
    assert float(difference.against_one().error) == pytest.approx(2.309401, abs=1e-6)
    assert float(difference.against_one().mean) == pytest.approx(3.0)
    assert difference.half == 0.05
    gain = OURS.plus(BASE, -1).plus(cited(1.0), -1)
    variances = np.var([71, 75, 73], ddof=1), np.var([68, 72.1, 69.9], ddof=1)
    assert float(gain.against_one().error) == pytest.approx(np.sqrt(sum(variances) * (1 / 3 + 1 / 2)))


@quick
@given(BY_SEED, BY_SEED)
def test_a_difference_turned_round_is_its_negative(first, second):
    one, other = (Contrast((Term(1.0, name, name, values),)) for name, values in (("a", first), ("b", second)))
    there, back = one.plus(other, -1), other.plus(one, -1)
    assert there.hindrance(3) == back.hindrance(3)
    assert there.interval(3).mean == pytest.approx(-back.interval(3).mean, abs=1e-9)
    if not there.hindrance(3):
        p_values = float(there.mean(3).above(0)), float(back.mean(3).below(0))
        assert p_values[0] == pytest.approx(p_values[1])
