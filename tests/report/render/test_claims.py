from dataclasses import replace
from pathlib import Path

import pytest

from repro.papers import Table
from repro.report.judge.results import ClaimResult, Method, Robustness, TableResult
from repro.report.judge.statistics import Interval
from repro.report.judge.verdicts import ClaimVerdict, Verdict
from repro.report.render.claims import LaidClaim, claims_legend, laid_claims, p_text, robustness_text
from tests.report.made_results import claim_of, small_table, unmeasured

BEST = '{claim: ["With it", ">", [Plain, "Behind the server"]], says: It is the best., place: section 1}'
EQUAL = '{claim: ["With it", "=", Plain], within: 0.3, reason: the text calls 0.3 nothing, place: section 2}'
PAIRS = '{claim: [these, ">", those], pairs: [["With it", Plain], ["Behind the server", Plain]], place: section 3}'
CHAIN = '{claim: ["Behind the server", ">", "With it", ">", Plain], place: section 4}'


@pytest.fixture(scope="module", name="table")
def with_claims(tmp_path_factory: pytest.TempPathFactory) -> Table:
    return small_table(tmp_path_factory.mktemp("papers"), BEST, EQUAL, PAIRS, CHAIN)


def laid(table: Table, *claims: ClaimResult) -> list[LaidClaim]:
    return laid_claims(replace(unmeasured(table), claims=claims))


def judged(table: Table, place: int, *verdicts: ClaimVerdict, **more: object) -> LaidClaim:
    (found,) = laid(table, claim_of(table, table.claims[place], *verdicts, **more))
    return found


def test_a_claim_that_was_not_run_says_what_the_print_says_and_no_more(table: Table) -> None:
    best, equal, pairs, chain = laid_claims(unmeasured(table))
    assert (best.number, best.says, best.comparison, best.place) == (
        "1", "It is the best.", "With it > Plain, Behind the server @ mIoU", "section 1"
    )  # fmt: skip
    assert (best.measured, best.how, best.verdict, best.is_judged) == ("missing", "", "not judged: not run", False)
    assert best.printed == "reversed (1 of 2: −8.5 to +2.5)"
    assert chain.printed == "holds (both: +2.5 to +8.5)"
    assert equal.printed == "reversed (+2.5)"
    assert equal.notes == ("margin: the text calls 0.3 nothing",)
    assert "Measured" not in claims_legend([best, equal, pairs, chain])
    assert claims_legend([]) == ""


def test_parts_are_told_where_they_say_more_than_the_claim(table: Table) -> None:
    best, equal, pairs, chain = laid_claims(unmeasured(table))
    assert [(part.number, part.comparison, part.printed) for part in best.parts] == [
        ("1.1", "With it > Plain @ mIoU", "holds (+2.5)"),
        ("1.2", "With it > Behind the server @ mIoU", "reversed (−8.5)"),
    ]
    assert len(pairs.parts) == 2  # the sides of the claim name no cell
    assert equal.parts == ()  # one comparison is the claim
    assert chain.parts == ()  # nothing measured, and the print bears all of it out
    assert len(judged(table, 3, ClaimVerdict.HOLDS, ClaimVerdict.HOLDS).parts) == 2


def test_a_measured_comparison_says_how_it_was_made(table: Table) -> None:
    found = judged(table, 1, ClaimVerdict.INCONCLUSIVE)
    assert found.measured == "+1.3 [+0.5, +2.1]"
    assert found.how == f"3 seeds; {Method.PAIRED}; p = 0.013, adjusted 0.052; 12 seeds would decide"
    assert (found.verdict, found.is_judged) == ("inconclusive", True)
    legend = claims_legend([found])
    assert "95 % t-interval" in legend
    assert "Holm" in legend
    assert "irection only" not in legend
    assert "one more run" not in legend
    (part,) = claim_of(table, table.claims[1], ClaimVerdict.HOLDS).parts
    against = replace(part, difference=Interval(3, 1.0, 0.2, 0.5, 1.5), method=Method.PREDICTION)
    cited = laid(table, replace(claim_of(table, table.claims[1], ClaimVerdict.HOLDS), parts=(against,)))
    assert "the mean minus one more run" in claims_legend(cited)


def test_several_comparisons_are_counted_by_what_came_out(table: Table) -> None:
    found = judged(table, 0, ClaimVerdict.REVERSED, ClaimVerdict.HOLDS)
    assert (found.measured, found.verdict, found.how) == ("of 2: 1 holds, 1 reversed", "reversed", "")
    assert [part.verdict for part in found.parts] == ["reversed", "holds"]
    corrected = judged(table, 0, ClaimVerdict.REVERSED, ClaimVerdict.HOLDS, p_value=0.004, adjusted=0.03)
    assert corrected.how == "p = 0.004, adjusted 0.030"


def test_a_verdict_on_the_direction_alone_says_so(table: Table) -> None:
    found = judged(table, 1, ClaimVerdict.HOLDS, is_direction_only=True)
    assert found.verdict == "holds, direction only"
    assert "amounts and margins are not judged" in claims_legend([found])
    (waiting,) = laid(table, replace(claim_of(table, table.claims[1]), is_direction_only=True))
    assert waiting.verdict == "not judged: not run"


def test_robustness_counts_readings() -> None:
    assert robustness_text(None) == ""
    assert robustness_text(Robustness(11, 0, 0)) == "holds under 11 of 11 readings"
    assert robustness_text(Robustness(8, 1, 2)) == "holds under 8 of 11 readings, reversed under 1, undecided under 2"


def test_p_values_are_rounded_but_never_to_nothing() -> None:
    assert p_text(0.2, None) == "p = 0.20"
    assert p_text(0.0004, 0.0021) == "p < 0.001, adjusted 0.002"
    assert p_text(0.00001, 0.0001) == "p < 0.001, adjusted < 0.001"


def test_a_reason_is_told_once_and_only_with_a_verdict(table: Table) -> None:
    few = claim_of(table, table.claims[1], ClaimVerdict.INCONCLUSIVE)
    reason = "2 of the 3 seeds that a claim needs"
    part = replace(few.parts[0], reason=reason)
    (found,) = laid(table, replace(few, parts=(part,), reason=reason))
    assert found.how.endswith(f"; {reason}")
    assert reason not in found.notes
    (other,) = laid(table, replace(few, reason="no spread"))
    assert other.notes[-1] == "no spread"
    (silent,) = laid(table, replace(few, verdict=Verdict.NOT_RUN, reason="no spread"))
    assert "no spread" not in silent.notes


def test_the_same_input_gives_the_same_parts(table: Table, tmp_path: Path) -> None:
    again: TableResult = unmeasured(small_table(tmp_path, BEST, EQUAL, PAIRS, CHAIN))
    assert laid_claims(again) == laid_claims(unmeasured(table))
