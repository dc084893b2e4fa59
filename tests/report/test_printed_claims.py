"""What a paper's printed numbers say about its claims, on the small paper: plain 50.0, better 55.5, best 60.0."""

import pytest

from repro.papers import Address
from repro.report.printed_claims import NOT_PRINTED, PrintedSay, printed_claim, printed_part, quantity
from tests.papers.small_paper import library_with_claim


def said(folder, claim, *changes):
    library = library_with_claim(folder, f"{{claim: {claim}, place: section 1}}", *changes)
    assert library.problems == []
    (found,) = library.tables["small/table1"].claims
    return printed_claim(library, found)


@pytest.mark.parametrize(
    ("claim", "say"),
    [
        ('[best, ">", plain]', "holds"),
        ('[plain, ">", best]', "reversed"),
        ('[best, ">", 60.0]', "equal"),
        ('[best, ">", better, ">", plain]', "holds"),
        ('[best, ">", plain, ">", better]', "reversed"),
        ('[best, ">", rest]', "holds"),
        ('[better, ">", rest]', "reversed"),
        ('[best, ">=", plain]', "holds"),
        ('[plain, ">=", better]', "reversed"),
        ('[better, ">=", best], within: 4.5, reason: why', "holds"),
        ('[better, ">=", best], within: 4.4, reason: why', "reversed"),
        ('[better, ">=", best], within: 10 %, reason: why', "holds"),
        ('[best, "=", 60.04]', "holds"),
        ('[best, "=", 60.1]', "reversed"),
        ('[best, "=", better], within: 4.5, reason: why', "holds"),
        ('[best, ">", better], by: 4.5', "holds"),
        ('[best, ">", better], by: 4.6', "reversed"),
        ('[best, ">", better], by: 4', "holds"),
        ('[best, ">", better], by: [4.6, 5.0]', "reversed"),
        ('[best, ">", better], by: [3.0, 4.5]', "holds"),
        ('[best, ">", plain], by: 20 %', "holds"),
        ('[best, ">", plain], by: 21 %', "reversed"),
        ('[{gain: [better, plain]}, ">", {gain: [best, better]}]', "holds"),
        ('[{gain: [best, better]}, ">", {gain: [better, plain]}]', "reversed"),
        ('[a, ">", b], pairs: [[best, better], [better, plain], [plain, best]]', "reversed"),
        ('[a, ">", b], pairs: [[best, better], [better, plain], [plain, best]], most: true', "holds"),
        ('[a, ">", b], pairs: [[better, best], [better, plain], [plain, best]], most: true', "reversed"),
    ],
)
def test_the_printed_verdict(tmp_path, claim, say):
    assert said(tmp_path, claim) == PrintedSay(say)


def test_what_is_wanted_says_nothing_and_a_contradiction_beside_it_does(tmp_path):
    wanted = ("mIoU: 55.5", "mIoU: not printed")
    assert said(tmp_path / "a", '[best, ">", better]', wanted) is PrintedSay.NOTHING
    assert said(tmp_path / "b", '[best, ">", better, ">", plain]', wanted) is PrintedSay.NOTHING
    assert said(tmp_path / "c", '[plain, ">", [better, best]]', wanted) is PrintedSay.REVERSED
    pairs = "pairs: [[best, plain], [best, better], [plain, better]], most: true"
    assert said(tmp_path / "d", f'[a, ">", b], {pairs}', wanted) is PrintedSay.HOLDS


def test_a_part_has_the_printed_difference(tmp_path):
    library = library_with_claim(tmp_path, '{claim: [best, ">", plain, ">", 3], place: section 1}')
    (claim,) = library.tables["small/table1"].claims
    found = [printed_part(library, claim, part) for part in claim.parts]
    assert [str(item.difference) for item in found] == ["10.0", "47.0"]


def test_a_side_has_the_decimals_of_its_print(tmp_path):
    library = library_with_claim(tmp_path, '{claim: [best, ">", plain], place: section 1}')
    assert str(quantity(library, Address("small/table1", "best", "mIoU"))) == "60.0"
    assert str(quantity(library, 0.25)) == "0.25"
    assert quantity(library, Address("small/table1", "plain", "gain")) is None
    assert NOT_PRINTED.difference is None
