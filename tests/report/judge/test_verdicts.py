"""Verdicts at, inside and beyond the tolerance, for cells and for claims."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from repro.papers import Address, Metric
from repro.report.judge.results import Interval
from repro.report.judge.statistics import interval
from repro.report.judge.verdicts import JUDGED, VERDICTS, Tolerance, claim_verdict, judged


def lying(low, high):
    return Interval(3, (low + high) / 2, 1.0, low, high)


@pytest.mark.parametrize(
    ("low", "high", "verdict"),
    [
        (74.6, 75.4, "reproduced"),
        (74.5, 75.5, "reproduced"),  # just as wide as the tolerance
        (75.5, 75.5, "reproduced"),
        (75.51, 76.0, "above"),
        (74.0, 74.49, "below"),
        (75.4, 75.6, "inconclusive"),  # reaches beyond one side
        (74.4, 75.0, "inconclusive"),
        (70.0, 80.0, "inconclusive"),  # too wide to say anything
    ],
)
def test_interval_against_published_and_tolerance(low, high, verdict):
    assert judged(lying(low, high), 75.0, 0.5) == verdict


def test_one_seed_decides_nothing():
    assert judged(interval([75.0]), 75.0, 0.5) == "inconclusive"
    assert judged(interval([10.0]), 75.0, 0.5) == "inconclusive"


def test_a_value_without_seeds_decides_by_itself():
    assert judged(interval([75.0]), 75.0, 0.5, exact=True) == "reproduced"
    assert judged(interval([76.0]), 75.0, 0.5, exact=True) == "above"


def test_numbers_that_are_equal_in_decimal_are_inside():
    assert judged(lying(75.9, 75.9), 75.4, 0.5) == "reproduced"  # in binary the difference is 0.5000000000000071


@given(st.floats(0, 100), st.floats(0, 20), st.floats(0, 100), st.floats(0, 5))
def test_every_interval_has_one_verdict_and_mirrors(low, width, published, tolerance):
    verdict = judged(lying(low, low + width), published, tolerance)
    mirrored = judged(lying(-low - width, -low), -published, tolerance)
    assert verdict in JUDGED
    assert mirrored == {"above": "below", "below": "above"}.get(verdict, verdict)


@given(st.floats(0, 100), st.floats(0, 20), st.floats(0, 100), st.floats(0, 5), st.floats(0, 5))
def test_a_wider_tolerance_never_takes_a_reproduction_away(low, width, published, tolerance, more):
    if judged(lying(low, low + width), published, tolerance) == "reproduced":
        assert judged(lying(low, low + width), published, tolerance + more) == "reproduced"


def test_tolerance_is_in_points_for_scores_and_a_share_for_the_rest():
    tolerance = Tolerance(0.5, 0.02)
    reference = Address("a/b", "c", "d")
    assert tolerance.of(Metric("miou"), 75.0, 0.05) == 0.5
    assert tolerance.of(Metric("delta", reference=reference, of=Metric("iou", "road")), 2.0, 0.05) == 0.5
    assert tolerance.of(Metric("parameters"), 60.0, 0.05) == pytest.approx(1.2)
    assert tolerance.of(Metric("parameters"), -60.0, 0.05) == pytest.approx(1.2)


def test_tolerance_is_never_finer_than_the_printed_number():
    reference = Address("a/b", "c", "d")
    assert Tolerance(0.5, 0.02).of(Metric("delta", reference=reference, of=Metric("parameters")), 0.4, 0.05) == 0.05
    assert Tolerance(0.0, 0.0).of(Metric("miou"), 75.0, 0.05) == 0.05


@pytest.mark.parametrize(
    ("differences", "verdict"),
    [
        ([1.0, 1.1, 0.9], "holds"),
        ([-1.0, -1.1, -0.9], "reversed"),
        ([3.0, -1.0, 1.0], "inconclusive"),
        ([0.0, 0.0, 0.0], "inconclusive"),
        ([1.0, 1.0], "inconclusive"),
        ([5.0], "inconclusive"),
    ],
)
def test_claim_by_its_paired_differences(differences, verdict):
    found, difference, reason = claim_verdict(dict(enumerate(differences)))
    assert found == verdict
    assert difference.n == len(differences)
    assert bool(reason) == (len(differences) < 3)


def test_claim_without_a_common_seed_is_not_run():
    assert claim_verdict({})[0] == "not run"


def test_claim_on_values_without_seeds_needs_one():
    assert claim_verdict({0: 0.2}, exact=True)[0] == "holds"
    assert claim_verdict({0: -0.2}, exact=True)[0] == "reversed"
    assert claim_verdict({0: 0.0}, exact=True)[0] == "inconclusive"


@given(st.dictionaries(st.integers(0, 9), st.floats(-5, 5), min_size=1))
def test_a_claim_turned_round_has_the_opposite_verdict(differences):
    verdict = claim_verdict(differences)[0]
    turned = claim_verdict({seed: -value for seed, value in differences.items()})[0]
    assert turned == {"holds": "reversed", "reversed": "holds"}.get(verdict, verdict)


def test_order_of_precedence():
    order = ("cited", "server only", "cannot be run", "not built", "not at this scale", "not run", "deviates", *JUDGED)
    places = [VERDICTS.index(name) for name in order]
    assert places == sorted(places)
