import pytest

from repro.papers import Address, Claim
from repro.report.judge.results import ClaimResult, PrintedSay
from repro.report.judge.verdicts import ClaimVerdict

CLAIM = Claim(Address("a/table1", "Ours", "mIoU"), Address("a/table1", "Theirs", "mIoU"), "section 1")


@pytest.mark.parametrize(
    ("published", "printed"),
    [
        (None, PrintedSay.NOTHING),
        (0.0, PrintedSay.EQUAL),
        (-0.0, PrintedSay.EQUAL),
        (0.1, PrintedSay.HOLDS),
        (-2.0, PrintedSay.REVERSED),
    ],
)
def test_what_the_printed_numbers_say_of_a_claim_whatever_was_measured(published, printed):
    for verdict in ClaimVerdict:
        assert ClaimResult(CLAIM, verdict, published=published).printed is printed
