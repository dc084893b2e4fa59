"""Claims out of their comparisons: all, most, chains, and Holm over the claims of a table."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from repro.papers import Address, Claim, Operator, Part
from repro.report.judge.comparisons import PValues
from repro.report.judge.compounds import EQUAL, NEVER, WAITING, Compared, compound, judged
from repro.report.judge.results import PartResult
from repro.report.judge.statistics import Interval
from repro.report.judge.verdicts import ClaimVerdict, Verdict, more_seeds
from repro.report.printed_claims import PrintedSay

PART = Part(Address("a/b", "Ours", "mIoU"), Operator.GREATER, Address("a/b", "Theirs", "mIoU"))
CHANCES = st.floats(1e-6, 1)


def a_claim(parts, *, most=False):
    return Claim((), (), (PART,) * parts, "section 1", most=most)


def comparison(holds, turned=1.0, **words):
    draft = PartResult(PART, ClaimVerdict.INCONCLUSIVE, Interval(3, 0.5, 0.1, 0.2, 0.8))
    return Compared(draft, PValues(np.asarray(holds), np.asarray(turned)), **words)


def waiting():
    return Compared(PartResult(PART, Verdict.NOT_RUN), WAITING)


def silent(verdict=Verdict.CITED):
    return Compared(PartResult(PART, verdict))


def results(*claims, most=False):
    given_ = [a_claim(len(parts), most=most) for parts in claims]
    return judged(given_, claims, [PrintedSay.HOLDS] * len(claims))


def verdicts(*claims, most=False):
    return [str(found.verdict) for found in results(*claims, most=most)]


def test_holm_over_the_claims_of_a_table():
    claims = [[comparison(0.02)], [comparison(0.03)], [comparison(0.004)]]
    found = results(*claims)
    assert [item.p_value for item in found] == [0.02, 0.03, 0.004]
    assert [item.adjusted for item in found] == pytest.approx([0.04, 0.04, 0.012])
    assert verdicts(*claims) == ["holds"] * 3
    assert verdicts(*claims, [comparison(0.9)]) == ["inconclusive", "inconclusive", "holds", "inconclusive"]


def test_what_waits_for_runs_counts_and_what_cannot_be_judged_does_not():
    claims = [[comparison(0.02)]]
    assert verdicts(*claims, *([[silent()]] * 5)) == ["holds", *["cited"] * 5]
    assert verdicts(*claims, *([[waiting()]] * 2)) == ["inconclusive", "not run", "not run"]


def test_a_chain_holds_if_every_part_does_without_correction_inside():
    (found,) = results([comparison(0.04), comparison(0.03), comparison(0.01)])
    assert (found.verdict, found.p_value, found.adjusted) == ("holds", 0.04, 0.04)
    assert [part.verdict for part in found.parts] == ["holds"] * 3


def test_a_chain_is_reversed_if_one_part_is_after_correction_inside():
    assert verdicts([comparison(0.001), comparison(1.0, 0.02)]) == ["reversed"]
    (found,) = results([comparison(0.001), comparison(1.0, 0.03)])
    assert (found.verdict, found.adjusted) == ("inconclusive", 0.06)
    assert [part.verdict for part in found.parts] == ["holds", "inconclusive"]
    assert [part.adjusted for part in found.parts] == [0.002, 0.06]


def test_a_part_that_is_not_measured_keeps_a_chain_from_holding_and_not_from_being_reversed():
    assert verdicts([comparison(0.001), waiting()]) == ["not run"]
    assert verdicts([comparison(1.0, 0.001), waiting()]) == ["reversed"]
    assert verdicts([comparison(0.001), silent(), silent(Verdict.NOT_BUILT)]) == ["cited"]


def test_most_of_several():
    # two of three hold: twice the second smallest
    assert verdicts([comparison(0.01), comparison(0.024), comparison(0.9)], most=True) == ["holds"]
    assert verdicts([comparison(0.01), comparison(0.026), comparison(0.9)], most=True) == ["inconclusive"]
    assert verdicts([comparison(1.0, 0.01), comparison(1.0, 0.02), comparison(0.001)], most=True) == ["reversed"]
    assert verdicts([comparison(0.001), comparison(0.001), waiting()], most=True) == ["holds"]


def test_what_has_no_seeds_decides_by_itself_and_is_in_no_family():
    exact = [comparison(0.0, 1.0, is_exact=True)]
    found = results(
        [comparison(0.04)], exact, [comparison(1.0, 0.0, is_exact=True)], [comparison(1.0, 1.0, is_exact=True)]
    )
    assert [item.verdict for item in found] == ["holds", "holds", "reversed", "inconclusive"]
    assert [item.p_value for item in found] == [0.04, None, None, None]
    assert found[3].reason == EQUAL
    mixed = results([comparison(0.9), *exact], [comparison(0.9)])[0]
    assert [part.verdict for part in mixed.parts] == ["inconclusive", "holds"]


def test_the_seeds_that_would_decide():
    more = more_seeds(3)
    clearer = PValues(np.where(more >= 7, 0.02, 0.5), np.ones(len(more)))
    assert results([comparison(0.3, more=clearer)])[0].parts[0].seeds_needed == 7
    assert results([comparison(0.3, more=clearer)], [waiting()])[0].parts[0].seeds_needed == 7
    (never, *_) = results([comparison(0.3, more=clearer)], [waiting()], [waiting()])
    assert (never.parts[0].seeds_needed, never.reason) == (None, NEVER)
    assert results([comparison(0.001, more=clearer)])[0].parts[0].seeds_needed is None


def test_the_part_that_decides_a_claim_takes_no_other_with_it():
    # the second claim's step of Holm is 1 once the first is decided, and its second part is not what decided it
    first, second = results([comparison(1.0, 1e-6), comparison(0.5)], [comparison(1.0, 1e-5), comparison(1.0, 0.02)])
    assert [item.verdict for item in (first, second)] == ["reversed", "reversed"]
    assert [part.verdict for part in second.parts] == ["reversed", "inconclusive"]
    assert [part.adjusted for part in second.parts] == pytest.approx([2e-5, 0.08])


def test_the_number_of_seeds_has_its_price():
    found = results([comparison(0.02, planned_seeds=3)], [comparison(0.02, planned_seeds=5)])
    assert [item.p_value for item in found] == [0.02, 0.02]
    assert [item.adjusted for item in found] == pytest.approx([0.02 / 0.6 * 2, 0.02 * 0.05 / (0.02 / 3)])
    assert verdicts([comparison(0.029, planned_seeds=3)]) == ["holds"]
    assert verdicts([comparison(0.031, planned_seeds=3)]) == ["inconclusive"]
    assert verdicts([comparison(0.029, planned_seeds=5)]) == ["inconclusive"]
    more = PValues(np.full(len(more_seeds(3)), 0.02), np.ones(len(more_seeds(3))))
    assert results([comparison(0.3, more=more, planned_seeds=7)])[0].parts[0].seeds_needed == 7


def test_a_direction_alone_is_said_of_the_claim():
    assert results([comparison(0.01, is_direction_only=True)])[0].is_direction_only
    assert not results([comparison(0.01)])[0].is_direction_only


@settings(max_examples=40, deadline=None)
@given(st.lists(st.lists(CHANCES, min_size=1, max_size=3), min_size=1, max_size=5), st.data())
def test_measuring_more_takes_no_verdict_away(chances, data):
    def table(hidden):
        return [
            [
                waiting() if (row, column) in hidden else comparison(holds, 1 - holds)
                for column, holds in enumerate(parts)
            ]
            for row, parts in enumerate(chances)
        ]

    places = [(row, column) for row, parts in enumerate(chances) for column in range(len(parts))]
    hidden = set(data.draw(st.lists(st.sampled_from(places), unique=True)))
    before, after = results(*table(hidden)), results(*table(set()))
    for one, other in zip(before, after, strict=True):
        if one.is_judged and one.verdict is not ClaimVerdict.INCONCLUSIVE:
            assert other.verdict is one.verdict


@settings(max_examples=40, deadline=None)
@given(st.lists(st.tuples(CHANCES, CHANCES), min_size=1, max_size=5), st.booleans())
def test_claims_turned_round_have_the_opposite_verdict(chances, most):
    opposite = {"holds": "reversed", "reversed": "holds", "inconclusive": "inconclusive"}
    there = verdicts(*([comparison(*pair)] for pair in chances), most=most)
    back = verdicts(*([comparison(*reversed(pair))] for pair in chances), most=most)
    if all(min(pair) < 0.5 < max(pair) for pair in chances):
        assert back == [opposite[word] for word in there]


def test_claims_at_once_are_those_one_by_one():
    generator = np.random.default_rng(0)
    tests = PValues(generator.uniform(size=(20, 3)), generator.uniform(size=(20, 3)))
    for needed in (1, 2, 3):
        many = compound(tests, 3, needed)
        for place in range(20):
            one = compound(PValues(tests.holds[place], tests.reversed[place]), 3, needed)
            assert (float(many.holds[place]), float(many.reversed[place])) == (float(one.holds), float(one.reversed))


def test_a_result_keeps_what_was_compared():
    draft = comparison(0.01)
    named = replace(draft, result=replace(draft.result, reason="so it is"))
    assert results([named])[0].reason == "so it is"
