import pytest

from repro.papers import Address, Claim, Operator, Part
from repro.report.judge.results import ClaimResult, Robustness
from repro.report.judge.verdicts import ClaimVerdict, Verdict

SIDES = (Address("a/table1", "Ours", "mIoU"), Address("a/table1", "Theirs", "mIoU"))
CLAIM = Claim(tuple((side,) for side in SIDES), (Operator.GREATER,), (Part(SIDES[0], Operator.GREATER, SIDES[1]),), "1")


@pytest.mark.parametrize("verdict", [*ClaimVerdict, Verdict.NOT_RUN, Verdict.CITED])
def test_a_claim_is_judged_if_it_has_a_verdict_of_its_own(verdict):
    assert ClaimResult(CLAIM, verdict).is_judged == isinstance(verdict, ClaimVerdict)


def test_the_readings_of_a_claim_are_counted_with_ours():
    assert Robustness(holds=9, reversed=1, undecided=1).readings == 11
