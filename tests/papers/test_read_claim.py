import pytest

from repro.papers import Address, Amount, Gain, Margin, Operator
from tests.papers.small_paper import CLAIM_LINE, claim_of, library_with_claim

TABLE = "small/table1"


def at(row, column="mIoU"):
    return Address(TABLE, row, column)


def pairs(claim):
    return [(part.left, str(part.operator), part.right) for part in claim.parts]


def test_a_chain_compares_neighbours(tmp_path):
    claim = claim_of(tmp_path, '{claim: [best, ">", better, ">=", plain], place: section 1, says: In order.}')
    assert pairs(claim) == [(at("best"), ">", at("better")), (at("better"), ">=", at("plain"))]
    assert (claim.place, claim.says, claim.line) == ("section 1", "In order.", CLAIM_LINE)


def test_every_cell_of_one_side_is_compared_with_every_one_of_the_other(tmp_path):
    claim = claim_of(tmp_path, '{claim: [[best, better], ">", [plain, "theirs [1]"]], place: section 1}')
    found = [(part.left.row, part.right.row) for part in claim.parts]
    assert found == [("best", "plain"), ("best", "theirs [1]"), ("better", "plain"), ("better", "theirs [1]")]


def test_the_rest_are_the_other_own_rows_of_the_column(tmp_path):
    claim = claim_of(tmp_path, '{claim: [best, ">", rest], place: section 1}')
    assert [part.right for part in claim.parts] == [at("plain"), at("better")]
    claim = claim_of(tmp_path, '{claim: [best, ">", better, ">", rest], place: section 1}')
    assert [part.right for part in claim.parts] == [at("better"), at("plain")]


def test_sides_are_cells_differences_and_numbers(tmp_path):
    claim = claim_of(tmp_path, '{claim: [{gain: [best, plain]}, ">", better @ gain, ">", 3], place: section 1}')
    gain = Gain(at("best"), at("plain"))
    assert pairs(claim) == [(gain, ">", at("better", "gain")), (at("better", "gain"), ">", 3.0)]


@pytest.mark.parametrize(
    ("by", "amount"),
    [("10.0", Amount(10, 10)), ("[1.5, 2.0]", Amount(1.5, 2)), ("12 %", Amount(0.12, 0.12, is_share=True)),
     ("[250 %, 350 %]", Amount(2.5, 3.5, is_share=True))],
)  # fmt: skip
def test_an_amount_is_a_number_a_share_or_a_range(tmp_path, by, amount):
    assert claim_of(tmp_path, f'{{claim: [best, ">", plain], by: {by}, place: section 1}}').by == amount


def test_a_margin_has_its_reason(tmp_path):
    words = "within: 2 %, reason: about as good"
    claim = claim_of(tmp_path, f'{{claim: [best, "=", better], {words}, place: section 1}}')
    assert claim.within == Margin(0.02, is_share=True, reason="about as good")


def test_pairs_are_compared_one_by_one(tmp_path):
    words = "pairs: [[best, better], [better, plain], [best, plain]], most: true, over: three steps"
    claim = claim_of(tmp_path, f'{{claim: [more, ">", less], {words}, place: section 1}}')
    assert claim.operators == (Operator.GREATER,)
    assert [(part.left.row, part.right.row) for part in claim.parts] == [
        ("best", "better"), ("better", "plain"), ("best", "plain"),
    ]  # fmt: skip
    assert (claim.is_paired, claim.most, claim.over, claim.sides) == (True, True, "three steps", (("more",), ("less",)))


def test_a_claim_may_rest_on_what_was_never_printed(tmp_path):
    wanted = ('gain: {value: 5.5, printed: "5.5 ↑"}', "gain: not printed")
    claim = claim_of(tmp_path, '{claim: [best @ gain, ">", better @ gain], place: section 1}', wanted)
    assert pairs(claim) == [(at("best", "gain"), ">", at("better", "gain"))]


@pytest.mark.parametrize(
    ("claim", "sentence"),
    [
        ('{claim: [best, ">", plain]}', "a claim lacks the key place"),
        ('{claim: [best, ">", plain], place: here, where: there}', "a claim has the unknown key where"),
        ('{claim: [best, ">"], place: here}', "must be [LEFT, OPERATOR, RIGHT], with an operator of >, >=, ="),
        ('{claim: [best, "<", plain], place: here}', "must be [LEFT, OPERATOR, RIGHT]"),
        ('{claim: best > plain, place: here}', "must be [LEFT, OPERATOR, RIGHT]"),
        ('[best, ">", plain]', "a claim must be a mapping"),
        ('{claim: [best, ">", bettr], place: here}', "has no row bettr; did you mean better?"),
        ('{claim: [best, ">", {gain: [plain]}], place: here}', "a side is a cell, a number or {gain: [A, B]}"),
        ('{claim: [rest, ">", best], place: here}', "rest follows a side that names cells"),
        ('{claim: [best, ">", plain], by: much, place: here}', "by must be a number, a share such as 12 %"),
        ('{claim: [best, ">", plain], by: [2, 1], place: here}', "a range of two from low to high"),
        ('{claim: [best, ">", plain], by: [2, 3 %], place: here}', "by must be a number"),
        ('{claim: [best, ">=", plain], within: 0.3, place: here}', "and has its reason"),
        ('{claim: [a, ">", b], pairs: [[best]], place: here}', "pairs must be a list of [LEFT, RIGHT]"),
        ('{claim: [a, ">", b, ">", c], pairs: [[best, plain]], place: here}', "a claim over pairs has one operator"),
    ],
)  # fmt: skip
def test_a_mistake_is_a_sentence_with_file_and_line(tmp_path, claim, sentence):
    (problem,) = library_with_claim(tmp_path, claim).problems
    assert sentence in problem.message
    assert str(problem).startswith(f"{tmp_path / 'small' / 'table1.yaml'}:{problem.line}: ")
    assert problem.line in (CLAIM_LINE - 1, CLAIM_LINE)
