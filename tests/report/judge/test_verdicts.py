"""Verdicts at, inside and beyond the tolerance, for cells and for claims."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from repro.experiments.measurement import Kind
from repro.papers import Address, Metric, RowKind
from repro.report.judge.statistics import Interval, interval
from repro.report.judge.verdicts import Tolerance, Verdict, judge, judge_claim

JUDGED = (Verdict.REPRODUCED, Verdict.ABOVE, Verdict.BELOW, Verdict.INCONCLUSIVE)


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
    assert judge(lying(low, high), 75.0, 0.5) == verdict


def test_one_seed_decides_nothing():
    assert judge(interval([75.0]), 75.0, 0.5) == "inconclusive"
    assert judge(interval([10.0]), 75.0, 0.5) == "inconclusive"


def test_a_value_without_seeds_decides_by_itself():
    assert judge(interval([75.0]), 75.0, 0.5, exact=True) == "reproduced"
    assert judge(interval([76.0]), 75.0, 0.5, exact=True) == "above"


def test_numbers_that_are_equal_in_decimal_are_inside():
    assert judge(lying(75.9, 75.9), 75.4, 0.5) == "reproduced"  # in binary the difference is 0.5000000000000071


@given(st.floats(0, 100), st.floats(0, 20), st.floats(0, 100), st.floats(0, 5))
def test_every_interval_has_one_verdict_and_mirrors(low, width, published, tolerance):
    verdict = judge(lying(low, low + width), published, tolerance)
    mirrored = judge(lying(-low - width, -low), -published, tolerance)
    assert verdict in JUDGED
    assert mirrored == {"above": "below", "below": "above"}.get(verdict, verdict)


@given(st.floats(0, 100), st.floats(0, 20), st.floats(0, 100), st.floats(0, 5), st.floats(0, 5))
def test_a_wider_tolerance_never_takes_a_reproduction_away(low, width, published, tolerance, more):
    if judge(lying(low, low + width), published, tolerance) == "reproduced":
        assert judge(lying(low, low + width), published, tolerance + more) == "reproduced"


def test_tolerance_is_in_points_for_scores_and_a_share_for_the_rest():
    tolerance = Tolerance(0.5, 0.02)
    reference = Address("a/b", "c", "d")
    assert tolerance.of(Metric("miou"), 75.0, 0.05) == 0.5
    assert tolerance.of(Metric("delta", reference=reference, of=Metric("iou", "road")), 2.0, 0.05) == 0.5
    assert tolerance.of(Metric("delta", reference=reference, of=Metric("iou", "road")), 0.6, 0.05) == 0.3
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
    found, difference, reason = judge_claim(dict(enumerate(differences)))
    assert found == verdict
    assert difference.n == len(differences)
    assert bool(reason) == (len(differences) < 3)


def test_claim_without_a_common_seed_is_not_run():
    assert judge_claim({})[0] == "not run"


def test_claim_on_values_without_seeds_needs_one():
    assert judge_claim({0: 0.2}, exact=True)[0] == "holds"
    assert judge_claim({0: -0.2}, exact=True)[0] == "reversed"
    assert judge_claim({0: 0.0}, exact=True)[0] == "inconclusive"


@given(st.dictionaries(st.integers(0, 9), st.floats(-5, 5), min_size=1))
def test_a_claim_turned_round_has_the_opposite_verdict(differences):
    verdict = judge_claim(differences)[0]
    turned = judge_claim({seed: -value for seed, value in differences.items()})[0]
    assert turned == {"holds": "reversed", "reversed": "holds"}.get(verdict, verdict)


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
