"""Statistics against numbers worked out by hand, against scipy, and their properties."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from repro.report.judge.statistics import estimate, has_spread, holm, interval, paired, so_many, t_quantile

quick = settings(max_examples=30, deadline=None)
SCORES = st.floats(0, 100)
SAMPLES = st.lists(SCORES, min_size=2, max_size=12)
SPREAD = SAMPLES.filter(lambda values: np.ptp(values) > 1e-3)
P_VALUES = st.lists(st.floats(0, 1), min_size=1, max_size=8)
BOUNDS = st.floats(-20, 120)


def test_three_values_by_hand():
    found = interval([70.0, 71.0, 72.0])
    # sd = sqrt((1 + 0 + 1) / 2) = 1; half = 4.302653 / sqrt(3) = 2.484138
    assert (found.n, found.mean, found.spread) == (3, 71.0, 1.0)
    assert found.low == pytest.approx(68.515862, abs=1e-5)
    assert found.high == pytest.approx(73.484138, abs=1e-5)


def test_two_values_by_hand():
    found = interval([1.0, 3.0])
    # sd = sqrt(2); half = 12.7062 * sqrt(2) / sqrt(2)
    assert found.spread == pytest.approx(math.sqrt(2))
    assert found.high - found.mean == pytest.approx(12.706205, abs=1e-5)


def test_one_value_has_neither_spread_nor_interval():
    found = interval([70.0])
    assert (found.n, found.mean, found.spread, found.low, found.high) == (1, 70.0, None, None, None)


def test_no_value_gives_nothing():
    assert interval([]) is None


def test_equal_values_have_no_spread_whatever_rounding_makes_of_them():
    assert not has_spread([70.0, 70.0, 70.0])
    assert not has_spread([0.1 + 0.2, 0.3])
    assert has_spread([70.0, 70.001])


def test_differences_are_paired_by_seed():
    assert paired({0: 3.0, 2: 5.0, 1: 4.0}, {2: 1.0, 0: 1.0, 7: 9.0}) == {0: 2.0, 2: 4.0}


@quick
@given(SPREAD)
def test_interval_is_that_of_scipy_and_of_an_estimate(values):
    found = interval(values)
    assert found.mean == pytest.approx(np.mean(values))
    low, high = stats.t.interval(0.95, len(values) - 1, np.mean(values), stats.sem(values))
    assert (found.low, found.high) == (pytest.approx(low), pytest.approx(high))
    other = estimate([values]).interval(found.spread)
    assert (other.n, other.low, other.high) == (found.n, pytest.approx(low), pytest.approx(high))


@quick
@given(SAMPLES, st.randoms())
def test_order_does_not_matter(values, random):
    shuffled = random.sample(values, len(values))
    a, b = interval(values), interval(shuffled)
    assert (a.mean, a.low, a.high) == (pytest.approx(b.mean), pytest.approx(b.low), pytest.approx(b.high))


@quick
@given(st.dictionaries(st.integers(0, 9), SCORES), st.dictionaries(st.integers(0, 9), SCORES))
def test_pairing_is_antisymmetric(first, second):
    ahead, behind = paired(first, second), paired(second, first)
    assert ahead == {seed: -value for seed, value in behind.items()}


def test_quantile_approaches_that_of_the_normal_distribution():
    assert t_quantile(10**6) == pytest.approx(1.959966, abs=1e-5)
    assert t_quantile(1) > t_quantile(2) > t_quantile(30)


@quick
@given(SPREAD, BOUNDS)
def test_one_sided_tests_are_those_of_scipy(values, bound):
    found = estimate([values])
    for ours, theirs in ((found.above, "greater"), (found.below, "less")):
        expected = stats.ttest_1samp(values, bound, alternative=theirs).pvalue
        assert float(ours(bound)) == pytest.approx(expected, abs=1e-12)
    two_sided = stats.ttest_1samp(values, bound).pvalue
    assert float(found.outside(bound, bound)) == pytest.approx(two_sided, abs=1e-12)


@quick
@given(SPREAD, SPREAD)
def test_two_kinds_of_runs_are_welchs_test(first, second):
    found = estimate([first, [-value for value in second]])
    expected = stats.ttest_ind(first, second, equal_var=False)
    assert float(found.degrees) == pytest.approx(expected.df)
    assert float(found.outside(0, 0)) == pytest.approx(expected.pvalue, abs=1e-12)


def test_against_one_more_run_by_hand():
    found = estimate([[70.0, 71.0, 72.0]], one_more=[1.0])
    # sd = 1, so that the error is sqrt(1 + 1/3) and 75 lies 4 / 1.154701 = 3.464102 errors away: two-sided p of t(2)
    assert float(found.error) == pytest.approx(1.154701, abs=1e-6)
    assert float(found.outside(75, 75)) == pytest.approx(2 * stats.t.sf(3.4641016, 2))
    assert float(found.degrees) == 2


def test_two_one_sided_tests_agree_with_the_interval_of_ninety_per_cent():
    values = [74.6, 75.1, 75.3, 74.9, 75.2]
    low, high = stats.t.interval(0.9, 4, np.mean(values), stats.sem(values))
    for edge, expected in ((1e-6, True), (-1e-6, False)):
        assert bool(estimate([values]).inside(low - edge, high + edge) <= 0.05) is expected


def test_what_holds_for_one_case_holds_for_arrays():
    generator = np.random.default_rng(0)
    first, second = generator.normal(70, 1, (4, 3, 5)), generator.normal(71, 2, (4, 3, 8))
    many = estimate([first, -second])
    for place in np.ndindex(4, 3):
        one = estimate([list(first[place]), list(-second[place])])
        assert float(many.degrees[place]) == pytest.approx(float(one.degrees))
        for name in ("inside", "outside"):
            p_values = getattr(many, name)(-1.5, 0.5), getattr(one, name)(-1.5, 0.5)
            assert float(p_values[0][place]) == pytest.approx(float(p_values[1]))


def test_without_an_error_there_is_a_distance_or_none():
    found = estimate([[70.0, 70.0, 70.0]])
    assert (float(found.above(69)), float(found.above(70)), float(found.below(71))) == (0.0, 1.0, 0.0)


def test_more_seeds_at_the_same_spread():
    found = estimate([[70.0, 71.0, 72.0]]).with_seeds(np.array([3, 12]))
    assert found.error == pytest.approx([1 / math.sqrt(3), 1 / math.sqrt(12)])
    assert found.degrees == pytest.approx([2, 11])


def test_an_interval_covers_the_mean_as_often_as_it_says():
    generator = np.random.default_rng(0)
    samples = generator.normal(50, 2, size=(4000, 4))
    hits = sum(found.low <= 50 <= found.high for found in (interval(list(row)) for row in samples))
    assert 0.94 < hits / 4000 < 0.96


def test_holm_by_hand():
    # sorted 0.01, 0.02, 0.04 times 3, 2, 1 = 0.03, 0.04, 0.04
    assert holm([0.04, 0.01, 0.02])([0.04, 0.01, 0.02]) == pytest.approx([0.04, 0.03, 0.04])
    assert holm([0.03, 0.02])([0.03, 0.02]) == pytest.approx([0.04, 0.04])
    assert holm([])([]).size == 0


@quick
@given(P_VALUES)
def test_holm_is_the_definition(p_values):
    ranked = sorted(range(len(p_values)), key=p_values.__getitem__)
    expected, reached = {}, 0.0
    for rank, place in enumerate(ranked):
        reached = max(reached, min(1.0, (len(p_values) - rank) * p_values[place]))
        expected[place] = reached
    assert holm(p_values)(p_values) == pytest.approx([expected[place] for place in range(len(p_values))])


@quick
@given(P_VALUES, st.floats(0, 1), st.floats(0, 1))
def test_measuring_more_takes_no_verdict_away(p_values, one, other):
    smaller, larger = sorted((one, other))
    before, after = ([*p_values, p_value] for p_value in (larger, smaller))
    assert np.all(holm(after)(after)[:-1] <= holm(before)(before)[:-1] + 1e-12)


@quick
@given(P_VALUES)
def test_a_larger_family_makes_nothing_more_significant(p_values):
    larger = [*p_values, 1.0]
    assert np.all(holm(larger)(larger)[:-1] >= holm(p_values)(p_values) - 1e-12)


def test_holm_works_along_the_last_axis():
    p_values = np.random.default_rng(0).uniform(size=(5, 4))
    rows = [holm(row)(row) for row in p_values]
    assert np.allclose(holm(p_values)(p_values), rows)


def test_so_many_of_several_by_hand():
    p_values = [0.01, 0.2, 0.03]
    assert float(so_many(p_values, 3)) == 0.2
    assert float(so_many(p_values, 2)) == pytest.approx(2 * 0.03)
    assert float(so_many(p_values, 1)) == pytest.approx(3 * 0.01)
    assert float(so_many(p_values, 4)) == 1.0
