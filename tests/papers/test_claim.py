import pytest

from repro.papers import Address, Claim, Gain, Operator, Part, Shape
from tests.papers.small_paper import claim_of

TABLE = "small/table1"
COSTS = ("Width: {metric: setting}", "Width: {metric: parameters}")


@pytest.mark.parametrize(
    ("claim", "shape"),
    [
        ('[best, ">", plain]', Shape.GREATER),
        ('[[best, better], ">", plain]', Shape.GREATER),
        ('[best, ">=", plain]', Shape.NOT_WORSE),
        ('[best, "=", better]', Shape.EQUAL),
        ('[best, "=", 60.0]', Shape.AMOUNT),
        ('[best, ">", plain], by: 10.0', Shape.AMOUNT),
        ('[best, ">", plain], by: [9.0, 11.0]', Shape.RANGE),
        ('[best, ">", better, ">", plain]', Shape.CHAIN),
        ('[best, ">", rest]', Shape.BEST_OF),
        ('[best, ">", [better, plain]]', Shape.BEST_OF),
        ('[best, "=", better, ">", plain]', Shape.SATURATES),
        ('[{gain: [better, plain]}, ">", {gain: [best, better]}]', Shape.SATURATES),
        ('[{gain: [better, plain]}, ">", {gain: [best, plain]}]', Shape.GREATER),
        ('[more, ">", less], pairs: [[best, better], [better, plain]]', Shape.IN_ALL),
        ('[more, ">", less], pairs: [[best, better], [better, plain], [best, plain]], most: true', Shape.IN_MOST),
    ],
)
def test_the_shape_follows_from_what_is_compared(tmp_path, claim, shape):
    found = claim_of(tmp_path, f"{{claim: {claim}, place: section 1}}")
    assert found.shape is shape
    assert not found.is_cost


def test_what_compares_costs_alone_is_a_cost(tmp_path):
    found = claim_of(tmp_path, '{claim: [best @ Width, ">=", plain @ Width], place: section 1}', COSTS)
    assert (found.is_cost, found.shape) == (True, Shape.COST)


def test_every_shape_can_be_told():
    assert len(Shape) == 11


def test_a_part_knows_the_cells_that_it_rests_on():
    a, b, c = (Address(TABLE, row, "mIoU") for row in "abc")
    assert list(Part(a, Operator.GREATER, Gain(b, c)).addresses()) == [a, b, c]
    assert list(Part(a, Operator.GREATER, 3.0).addresses()) == [a]
    assert str(Gain(b, c)) == "(small/table1: b @ mIoU minus small/table1: c @ mIoU)"


def test_steps_diminish_where_one_begins_at_the_end_of_the_other():
    a, b, c = (Address(TABLE, row, "mIoU") for row in "abc")
    assert Part(Gain(b, a), Operator.GREATER, Gain(c, b)).is_diminishing
    assert not Part(Gain(c, b), Operator.GREATER, Gain(b, a)).is_diminishing
    assert not Part(a, Operator.GREATER, b).is_diminishing


def test_a_claim_is_plain_until_something_else_is_said():
    a, b = (Address(TABLE, row, "mIoU") for row in "ab")
    claim = Claim(((a,), (b,)), (Operator.GREATER,), (Part(a, Operator.GREATER, b),), "section 1")
    assert (claim.shape, claim.most, claim.by, claim.within) == (Shape.GREATER, False, None, None)
