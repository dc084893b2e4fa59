import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from repro.report.judge.power import (
    MOST_SEEDS,
    WANTED_POWER,
    Band,
    Comparison,
    PlannedClaim,
    at_least,
    powers,
    seeds_needed,
    smallest_effects,
)


def claim(*comparisons, needed=None):
    return PlannedClaim(comparisons, len(comparisons), needed or len(comparisons))


@pytest.mark.parametrize("seeds", [3, 5, 12, 60])
@pytest.mark.parametrize("effect", [0.1, 0.7, 3.0])
@pytest.mark.parametrize("level", [0.05, 0.004])
def test_the_power_is_that_of_the_noncentral_t(seeds, effect, level):
    expected = stats.nct.sf(stats.t.isf(level / 2, seeds - 1), seeds - 1, effect * math.sqrt(seeds))
    assert Comparison(effect, 1.0).power(seeds, level) == pytest.approx(expected, abs=2e-3)
    assert Comparison(-effect, 1.0).power(seeds, level) == pytest.approx(expected, abs=2e-3)


def shown(effect, spread, seeds, one_more=0.0, tables=200_000):
    """Mean and standard error of simulated differences."""
    random = np.random.default_rng(1)
    mean = effect + random.standard_normal(tables) * spread / math.sqrt(seeds)
    ratio = np.sqrt(random.chisquare(seeds - 1, tables) / (seeds - 1))
    mean += random.standard_normal(tables) * one_more
    return mean, ratio * math.sqrt(spread**2 / seeds + one_more**2)


@pytest.mark.parametrize(("effect", "spread", "one_more"), [(0.2, 0.5, 0.0), (0.0, 0.3, 0.3), (1.8, 0.4, 0.0)])
def test_the_power_of_a_margin_is_that_of_two_one_sided_tests(effect, spread, one_more):
    seeds, band = 6, Band(-1.0, 1.0)
    mean, error = shown(effect, spread, seeds, one_more)
    found = Comparison(effect, spread, band, one_more).power(seeds, 0.05)
    if effect < 1:
        reach = stats.t.isf(0.05, seeds - 1) * error
        expected = np.mean((mean - reach > -1) & (mean + reach < 1))
    else:
        expected = np.mean(mean - stats.t.isf(0.025, seeds - 1) * error > 1)
    assert found == pytest.approx(expected, abs=4e-3)


def test_what_is_true_of_nothing_is_never_decided():
    assert Comparison(0.0, 0.5).power(100, 0.05) == 0.0
    assert Comparison(5.0, 0.5).power(2, 0.05) == 0.0
    assert Comparison(5.0, 0.0).power(3, 0.05) == 1.0
    assert seeds_needed([claim(Comparison(0.0, 0.5))]) == [None]


def test_a_chain_holds_if_all_parts_do_and_is_reversed_by_one():
    strong, weak, wrong = Comparison(2.0, 0.5), Comparison(0.4, 0.5), Comparison(-2.0, 0.5)
    both = strong.power(5, 0.05) * weak.power(5, 0.05)
    assert claim(strong, weak).power(5, 0.05) == pytest.approx(both)
    assert claim(strong, wrong).power(5, 0.05) == pytest.approx(wrong.power(5, 0.025))
    assert claim(strong, weak, wrong, needed=2).power(5, 0.05) > claim(strong, weak).power(5, 0.025) - 1e-9


def test_a_part_that_cannot_be_judged_hinders_that_all_hold():
    assert PlannedClaim((Comparison(9.0, 0.1),), parts=2, needed=2).power(5, 0.05) == 0.0
    assert PlannedClaim((Comparison(-9.0, 0.1),), parts=2, needed=2).power(5, 0.05) > 0.99


def test_at_least_so_many_of_independent_things():
    assert at_least(2, [0.5, 0.5, 0.5]) == pytest.approx(0.5)
    assert at_least(1, [0.2, 0.3]) == pytest.approx(0.44)
    assert at_least(3, [1.0, 1.0]) == 0.0


def holm_decides(p_values, level):
    """Which of the last axis Holm rejects."""
    order = np.argsort(p_values, axis=-1)
    size = p_values.shape[-1]
    passed = np.take_along_axis(p_values, order, -1) * np.arange(size, 0, -1) <= level
    decided = np.empty_like(passed)
    np.put_along_axis(decided, order, np.logical_and.accumulate(passed, axis=-1), -1)
    return decided


@pytest.mark.parametrize("seeds", [5, 8, 15])
def test_the_power_under_holm_is_that_of_simulated_tables(seeds):
    scores, pairs = np.array([0.0, 0.2, 0.7, 0.2, 0.4, 1.2]), [(1, 0), (5, 2), (2, 0), (5, 0), (2, 3), (5, 3)]
    random = np.random.default_rng(2)
    values = scores[:, None] + 0.5 * random.standard_normal((20_000, len(scores), seeds))
    first, second = np.transpose(pairs)
    differences = values[:, first] - values[:, second]
    t = differences.mean(-1) / (differences.std(-1, ddof=1) / math.sqrt(seeds))
    expected = holm_decides(2 * stats.t.sf(np.abs(t), seeds - 1), 0.05).mean(0)
    planned = [claim(Comparison(scores[one] - scores[other], 0.5 * math.sqrt(2))) for one, other in pairs]
    assert powers(planned, seeds) == pytest.approx(expected, abs=0.04)


EFFECTS = st.lists(st.floats(-3, 3), min_size=1, max_size=6)


@given(EFFECTS, st.floats(0.1, 2), st.integers(3, 40), st.integers(0, 3), st.booleans())
@settings(max_examples=60, deadline=None)
def test_more_seeds_never_decide_less(effects, spread, seeds, others, is_margin):
    band = Band(-1.0, 1.0) if is_margin else Band(0.0, is_open=True)
    planned = [claim(Comparison(effect, spread, band)) for effect in effects]
    fewer, more = (powers(planned, number, others=others) for number in (seeds, seeds + 1))
    assert all(0 <= one <= other + 1e-3 <= 1.0011 for one, other in zip(fewer, more, strict=True))


@given(st.floats(0.2, 3), st.floats(0.3, 1.5), st.integers(1, 5))
@settings(max_examples=20, deadline=None)
def test_the_seeds_needed_are_the_first_that_are_enough(effect, spread, claims):
    planned = [claim(Comparison(effect, spread))] * claims
    needed = seeds_needed(planned)[0]
    assert needed is None or powers(planned, needed)[0] >= WANTED_POWER
    before = MOST_SEEDS if needed is None else needed - 1
    assert powers(planned, before)[0] < WANTED_POWER


def test_the_smallest_effect_is_decided_and_a_smaller_one_is_not():
    planned = [claim(Comparison(0.0, 0.7)), claim(Comparison(0.0, 0.7), Comparison(0.0, 0.7))]
    for place, effect in enumerate(smallest_effects(planned, 5)):
        assert powers([item.with_effect(effect) for item in planned], 5)[place] >= WANTED_POWER
        assert powers([item.with_effect(0.97 * effect) for item in planned], 5)[place] < WANTED_POWER
    assert smallest_effects(planned, 2) == [math.inf, math.inf]
