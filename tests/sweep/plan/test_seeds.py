"""What so many seeds decide, in words."""

from repro.papers import PAPER_SCALE, Claim, Scale
from repro.report.judge.power import Comparison, PlannedClaim, powers, seeds_needed
from repro.sweep.plan.questions import Question, Questions
from repro.sweep.plan.seeds import seed_lines
from repro.sweep.plan.spread import Spread
from repro.sweep.plan.words import WIDTH
from repro.sweep.request import Assumptions

PAPER, SHAPES = Scale(PAPER_SCALE, "", planned_seeds=5), Scale("shapes", "", planned_seeds=5)
PLANNED = 0.03
"""The level of the number that a scale has fixed beforehand."""


def asked(*effects, spread=0.5, lacking=0, is_unsized=False, more=()):
    claims = [Question(Claim(((),), (), (), "", says=f"number {place}"),
                       PlannedClaim((Comparison(effect, spread),), 1, 1), "", is_unsized)
              for place, effect in enumerate(effects)]  # fmt: skip
    return Questions(Spread(spread), None, (*claims, *more), lacking)


def text_of(found, seeds=5, scale=PAPER, **assumed):
    lines = list(seed_lines(found, seeds, scale, Assumptions(**assumed)))
    assert all(len(line) <= WIDTH for line in lines)
    return " ".join(" ".join(lines).split())


def test_the_claims_that_are_decided_are_counted_and_what_others_take():
    found = asked(3.0, 0.9, 0.3, 0.0)
    text = text_of(found)
    assert text.startswith("claims 5 seeds decide 1 of 4 with 80 % at their printed sizes, at 3.0 % fixed")
    first, second, third, _ = seeds_needed(found.planned, PLANNED)
    assert f"the first takes {first} seeds, half of them {second}, 1 more than 100, or no number is enough" in text
    assert third > second
    assert text.endswith("spread 0.5 points (assumed) over seeds")
    one = asked(3.0)
    assert (
        f"half of them {seeds_needed(one.planned, PLANNED)[0]}, all {seeds_needed(one.planned, PLANNED)[0]} spread"
        in text_of(one)
    )


def test_each_look_has_its_number_and_its_level():
    assert text_of(asked(3.0, 1.2), None).startswith("claims 3, 5, 8, 12 seeds decide 0, 2, 2, 2 of 2 with 80 %")


def test_a_number_that_the_scale_has_not_fixed_is_judged_more_carefully():
    text = text_of(asked(3.0), 8)
    assert "at 0.7 % scale paper has planned_seeds: 5, which is judged at 3.0 %" in text


def test_off_the_papers_scale_the_size_is_assumed_or_asked_for():
    assert "5 seeds decide 1 of 1 with 80 % at differences of 3, at 3.0 %" in text_of(
        asked(3.0), scale=SHAPES, effect=3.0
    )
    text = text_of(asked(0.0, is_unsized=True), scale=SHAPES)
    assert text.startswith("claims 5 seeds decide with 80 % differences of ")
    assert "planning.effect=1.0, in points, says how many are decided" in text
    assert "2 seeds decide none, however large its difference" in text_of(asked(0.0, is_unsized=True), 2, SHAPES)


def test_where_no_spread_is_known_the_plan_says_what_to_give():
    unknown = Question(Claim(((),), (), (), ""), None)
    found = Questions(None, None, (unknown,), 1)
    text = text_of(found)
    assert text.startswith("claims 1 rest on a spread over seeds that is not known at this scale: planning.spread=0.5")
    some = text_of(asked(3.0, lacking=1, more=(unknown,)))
    assert "5 seeds decide 1 of 1" in some
    assert "1 rest on a spread over seeds that is not known at this scale: planning.paired_spread=0.1" in some


def test_what_is_not_judged_is_counted():
    silent = Question(Claim(((),), (), (), ""), None, "A is cited")
    assert "1 of 2 are not judged at this scale" in text_of(asked(3.0, more=(silent,)))
    assert text_of(Questions(None, None, (silent,), 0)).startswith("claims none is left to chance at this scale")


def test_each_claim_is_shown_with_its_power_and_its_seeds():
    found = asked(3.0, -0.9, more=(Question(Claim(((),), (), (), "", says="last"), None, "A is cited"),))
    lines = list(seed_lines(found, 5, PAPER, Assumptions(shows_claims=True)))[-4:]
    chances, needed = powers(found.planned, 5, PLANNED), seeds_needed(found.planned, PLANNED)
    assert lines[0].split() == ["claim", "size", "with", "5", "seeds", "for", "it"]
    assert lines[1].split() == ["number", "0", "3.0", f"{100 * chances[0]:.0f}", "%", str(needed[0])]
    assert lines[2].split() == ["number", "1", "-0.9", f"{100 * chances[1]:.0f}", "%", str(needed[1])]
    assert lines[3].split() == ["last", "A", "is", "cited"]
