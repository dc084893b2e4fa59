"""Claims of a small paper as questions of chance."""

import math

import pytest

from repro.papers import PAPER_SCALE
from repro.report.judge.power import UPWARDS, Band
from repro.sweep.plan.questions import UNSIZED, is_left_to_chance, questions, sentence_of
from repro.sweep.request import Assumptions
from tests.report.made_runs import TABLE, Made, write_papers

CLAIMS = """\
claims:
  - {claim: ["Rates", ">", "Plain"], place: section 1}
  - {claim: ["Rates", ">", "Rates, smaller", ">", "Plain"], place: section 1}
  - {claim: ["Rates", "=", "Rates, smaller"], within: 2, reason: It says so., place: section 1}
  - {claim: ["Rates", ">", "Plain"], by: 3, place: section 1}
  - {claim: ["Rates", ">", "Someone [1]"], place: section 1}
  - {claim: ["Deeper", ">", "Plain"], place: section 1}
  - {claim: ["Plain @ Parameters", ">", 11], place: section 1}
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = write_papers(tmp_path_factory.mktemp("questions"))
    (folder / "small" / "table1.yaml").write_text(TABLE[: TABLE.index("claims:")] + CLAIMS)
    return folder


def asked(folder, scale=PAPER_SCALE, known=None, **assumed):
    made = Made(folder, scale)
    return questions(made.table, made.found, known or {}, Assumptions(**assumed))


def test_at_the_papers_scale_the_printed_sizes_count(folder):
    found = asked(folder, spread=0.5)
    assert (found.lacking, [bool(item.obstacle) for item in found.asked]) == (0, [False] * 5 + [True] * 2)
    plain, chain, equal, amount, cited = found.planned
    assert [item.effect for item in plain.comparisons] == [3.0]
    assert plain.comparisons[0].spread == pytest.approx(0.5 * math.sqrt(2))
    assert [item.effect for item in chain.comparisons] == [1.0, 2.0]
    assert (chain.parts, chain.needed) == (2, 2)
    assert equal.comparisons[0].band == Band(-2.0, 2.0)
    assert amount.comparisons[0].band == Band(2.0, 4.0)
    assert (cited.comparisons[0].effect, cited.comparisons[0].spread, cited.comparisons[0].one_more) == (-2.0, 0.5, 0.5)
    assert cited.comparisons[0].is_false


def test_at_other_scales_the_direction_alone_counts_and_its_size_is_assumed(folder):
    found = asked(folder, "short", spread=0.5)
    assert all(item.is_unsized for item in found.asked if item.planned)
    plain, chain, amount = found.planned
    assert amount == plain
    assert {item.band for item in (*plain.comparisons, *chain.comparisons)} == {UPWARDS}
    sized = asked(folder, "short", spread=0.5, effect=1.5)
    assert not any(item.is_unsized for item in sized.asked)
    assert {item.effect for claim in sized.planned for item in claim.comparisons} == {1.5}


def test_why_a_claim_is_not_planned_for(folder):
    found = asked(folder, "short", spread=0.5).asked
    assert [item.obstacle for item in found if item.obstacle] == [
        UNSIZED, "Someone [1] is cited", "Deeper is not built", UNSIZED
    ]  # fmt: skip
    assert asked(folder, spread=0.5).asked[6].obstacle == "no seed has an influence"


def test_the_spread_is_measured_if_none_is_assumed(folder):
    assert asked(folder).lacking == 5
    made = Made(folder, PAPER_SCALE)
    known = made.lines("Rates", [70.0, 71.0, 72.0])
    found = asked(folder, known=known)
    assert (found.spread.points, found.spread.rows, found.lacking) == (1.0, 1, 0)
    assert asked(folder, known=known, spread=0.3).spread.points == 0.3


def test_what_no_seed_has_an_influence_on_is_not_left_to_chance(folder):
    made = Made(folder, PAPER_SCALE)
    found = [is_left_to_chance(claim, made.found) for claim in made.table.claims]
    assert found == [True] * 5 + [False] * 2


def test_a_claim_is_named_by_its_rows(folder):
    claims = Made(folder, PAPER_SCALE).table.claims
    assert sentence_of(claims[1]) == "Rates > Rates, smaller > Plain"
    assert sentence_of(claims[6]) == "Plain > 11.0"
