"""Statistics against numbers worked out by hand, and their properties."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from repro.report.judge.statistics import interval, paired, t_quantile

SCORES = st.floats(0, 100)
SAMPLES = st.lists(SCORES, min_size=2, max_size=12)


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


def test_equal_values_have_an_interval_of_no_width():
    found = interval([70.0, 70.0, 70.0])
    assert (found.spread, found.low, found.high) == (0.0, 70.0, 70.0)


def test_differences_are_paired_by_seed():
    assert paired({0: 3.0, 2: 5.0, 1: 4.0}, {2: 1.0, 0: 1.0, 7: 9.0}) == {0: 2.0, 2: 4.0}


@given(SAMPLES)
def test_interval_is_that_of_scipy(values):
    found = interval(values)
    assert found.mean == pytest.approx(np.mean(values))
    if found.spread > 1e-6:
        low, high = stats.t.interval(0.95, len(values) - 1, np.mean(values), stats.sem(values))
        assert (found.low, found.high) == (pytest.approx(low), pytest.approx(high))


@given(SAMPLES, st.randoms())
def test_order_does_not_matter(values, random):
    shuffled = random.sample(values, len(values))
    a, b = interval(values), interval(shuffled)
    assert (a.mean, a.low, a.high) == (pytest.approx(b.mean), pytest.approx(b.low), pytest.approx(b.high))


@given(SAMPLES, st.floats(-50, 50))
def test_a_shift_moves_the_interval_along(values, shift):
    a, b = interval(values), interval([value + shift for value in values])
    assert b.mean == pytest.approx(a.mean + shift, abs=1e-6)
    assert b.high - b.low == pytest.approx(a.high - a.low, abs=1e-6)


@given(st.dictionaries(st.integers(0, 9), SCORES), st.dictionaries(st.integers(0, 9), SCORES))
def test_pairing_is_antisymmetric(first, second):
    ahead, behind = paired(first, second), paired(second, first)
    assert ahead == {seed: -value for seed, value in behind.items()}


def test_quantile_approaches_that_of_the_normal_distribution():
    assert t_quantile(10**6) == pytest.approx(1.959966, abs=1e-5)
    assert t_quantile(1) > t_quantile(2) > t_quantile(30)


def test_an_interval_covers_the_mean_as_often_as_it_says():
    generator = np.random.default_rng(0)
    samples = generator.normal(50, 2, size=(4000, 4))
    hits = sum(found.low <= 50 <= found.high for found in (interval(list(row)) for row in samples))
    assert 0.94 < hits / 4000 < 0.96
