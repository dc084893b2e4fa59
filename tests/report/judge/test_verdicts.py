"""Verdicts on cells: two one-sided tests within the tolerance, the prediction interval beyond, and neither."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from repro.experiments.measurement import Kind
from repro.papers import Address, Metric, RowKind
from repro.report.judge.statistics import estimate
from repro.report.judge.verdicts import (
    MOST_SEEDS,
    Tolerance,
    Verdict,
    more_seeds,
    seeds_that_decide,
    try_cell,
    verdict_without_seeds,
)

quick = settings(max_examples=30, deadline=None)
JUDGED = (Verdict.REPRODUCED, Verdict.ABOVE, Verdict.BELOW, Verdict.INCONCLUSIVE)
SAMPLES = st.lists(st.floats(0, 100), min_size=2, max_size=8).filter(lambda values: np.ptp(values) > 1e-3)


def verdict_of(values, published, tolerance=1.0, half=0.05, family=1):
    test = try_cell(estimate([values]), estimate([values], [1.0]), published, tolerance, half)
    return str(test.verdicts(np.minimum(1, family * test.away)))


@pytest.mark.parametrize(
    ("values", "verdict"),
    [
        # sd 0.5, n = 5: the 90 % interval is the mean ± 2.131847 * 0.5 / sqrt(5) = 0.4767
        ([74.5, 74.75, 75.0, 75.25, 75.8], "reproduced"),
        # the same 0.9 higher reaches to 76.44, beyond 76.1; one more run scatters by 2.776 * 0.5 * sqrt(1.2) = 1.52
        ([75.4, 75.65, 75.9, 76.15, 76.7], "inconclusive"),
        ([77.4, 77.65, 77.9, 78.15, 78.7], "above"),
        ([71.4, 71.65, 71.9, 72.15, 72.7], "below"),
    ],
)
def test_a_cell_by_hand(values, verdict):
    assert verdict_of(values, 75.1) == verdict


def test_two_one_sided_tests_at_their_edge():
    values = np.array([-0.5, 0.0, 0.5])  # sd 0.5: half of the 90 % interval is 2.919986 * 0.5 / sqrt(3) = 0.842927
    assert verdict_of(values + 75.157, 75.0) == "reproduced"
    assert verdict_of(values + 75.158, 75.0) == "inconclusive"


def test_the_prediction_interval_at_its_edge_with_the_rounding_of_print():
    values = np.array([-0.5, 0.0, 0.5])  # 4.302653 * 0.5 * sqrt(1 + 1/3) = 2.484138, and 0.05 more
    assert verdict_of(values + 77.534, 75.0) == "inconclusive"
    assert verdict_of(values + 77.535, 75.0) == "above"
    assert verdict_of(values + 77.535, 75.0, half=0.5) == "inconclusive"
    assert verdict_of(values + 77.535, 75.0, family=2) == "inconclusive"


def test_a_published_run_that_is_one_of_ours_is_not_above_or_below():
    values = [74.0, 75.0, 76.0]
    for published in values:
        assert verdict_of(values, published) in ("reproduced", "inconclusive")


@quick
@given(SAMPLES, st.floats(0, 100), st.floats(0.01, 5))
def test_every_cell_has_one_verdict_and_mirrors(values, published, tolerance):
    verdict = verdict_of(values, published, tolerance)
    mirrored = verdict_of([-value for value in values], -published, tolerance)
    assert verdict in JUDGED
    assert mirrored == {"above": "below", "below": "above"}.get(verdict, verdict)


@quick
@given(SAMPLES, st.floats(0, 100), st.sampled_from([0.25, 4.0]), st.integers(1, 4))
def test_the_unit_does_not_matter(values, published, unit, digits):
    half = 2.0**-digits
    one = verdict_of(values, published, 1.0, half)
    other = verdict_of([unit * value for value in values], unit * published, unit * 1.0, unit * half)
    assert one == other


@quick
@given(SAMPLES, st.floats(0, 100), st.floats(0.01, 5), st.floats(0, 5))
def test_a_wider_tolerance_never_takes_a_reproduction_away(values, published, tolerance, more):
    if verdict_of(values, published, tolerance) == "reproduced":
        assert verdict_of(values, published, tolerance + more) == "reproduced"


@quick
@given(SAMPLES, st.floats(0, 100), st.integers(1, 40))
def test_a_larger_family_decides_no_more(values, published, family):
    if verdict_of(values, published, family=family) in ("above", "below"):
        assert verdict_of(values, published) in ("above", "below")


def test_cells_at_once_are_judged_as_one_by_one():
    generator = np.random.default_rng(0)
    values, published = generator.normal(75, 1, (20, 6, 3)), generator.normal(76, 2, (20, 6))
    test = try_cell(estimate([values]), estimate([values], [1.0] ), published, 1.0, 0.05)
    words = test.verdicts(np.minimum(1, 6 * test.away))
    assert {str(word) for word in words.flat} >= {"below", "inconclusive"}
    for place in np.ndindex(20, 6):
        assert words[place] == verdict_of(values[place], published[place], family=6)


def test_a_value_without_seeds_has_the_printed_digits_or_not():
    assert verdict_without_seeds(12.449, 12.4, 0.05) == "reproduced"
    assert verdict_without_seeds(75.45, 75.4, 0.05) == "reproduced"  # in binary 0.04999999999999716 and the like
    assert verdict_without_seeds(12.46, 12.4, 0.05) == "above"
    assert verdict_without_seeds(12.2, 12.4, 0.05) == "below"  # although within 2 %


def test_seeds_that_decide():
    assert list(more_seeds(3))[:2] == [4, 5]
    assert len(more_seeds(3)) == MOST_SEEDS - 3
    assert len(more_seeds(MOST_SEEDS + 7)) == 1
    decided = more_seeds(3) >= 9
    assert seeds_that_decide(3, decided) == 9
    assert seeds_that_decide(3, np.zeros_like(decided)) is None


def test_tolerance_is_in_points_for_scores_and_a_share_for_the_rest():
    tolerance = Tolerance(1.0, 0.02)
    reference = Address("a/b", "c", "d")
    assert tolerance.of(Metric("miou"), 75.0, 0.05) == 1.0
    assert tolerance.of(Metric("delta", reference=reference, of=Metric("iou", "road")), 3.0, 0.05) == 1.0
    assert tolerance.of(Metric("delta", reference=reference, of=Metric("iou", "road")), 0.6, 0.05) == 0.3
    assert tolerance.of(Metric("parameters"), 60.0, 0.05) == pytest.approx(1.2)
    assert tolerance.of(Metric("parameters"), -60.0, 0.05) == pytest.approx(1.2)


def test_tolerance_is_never_finer_than_the_printed_number():
    reference = Address("a/b", "c", "d")
    assert Tolerance(0.5, 0.02).of(Metric("delta", reference=reference, of=Metric("parameters")), 0.4, 0.05) == 0.05
    assert Tolerance(0.0, 0.0).of(Metric("miou"), 75.0, 0.05) == 0.05


def test_order_of_precedence():
    order = (
        "cited",
        "server only",
        "cannot be run",
        "not built",
        "not at this scale",
        "same as",
        "not run",
        "deviates",
    )
    places = [Verdict(name).precedence for name in (*order, *JUDGED)]
    assert places == sorted(places)


def test_every_cell_that_is_not_measured_has_the_verdict_of_its_kind():
    for kind in Kind:
        if not kind.is_measured:
            assert Verdict(kind) == kind
    for kind in RowKind:
        if kind is not RowKind.OWN:
            assert not Verdict(kind).is_runnable


def test_what_is_missing_is_neither_silent_nor_measured():
    silent = {verdict for verdict in Verdict if verdict.is_silent}
    missing = {verdict for verdict in Verdict if verdict.is_missing}
    assert silent == {"setting", "blank"}
    assert missing == {"not run", "not built", "not at this scale"}
    assert not missing & {*silent, *JUDGED, Verdict.DEVIATES}
    assert all(verdict.is_runnable for verdict in (*JUDGED, Verdict.DEVIATES, Verdict.NOT_RUN, Verdict.SAME_AS))
