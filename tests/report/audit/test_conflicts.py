"""What cannot all be right."""

from repro.report.audit.conflicts import Interval, conflicts_of, interval_of
from tests.report.audit.made_places import difference, printed


def test_a_relation_puts_a_quantity_between_the_roundings_of_the_others() -> None:
    found = printed({"d": ["5.4"], "a": ["80.8"], "b": ["73.7"]}, difference("d", "a", "b"))
    readings = tuple(found.readings[name][0] for name in "dab")
    inside = interval_of(found.relations[0], "d", readings)
    assert round(inside.low, 6) == 7.0
    assert round(inside.high, 6) == 7.2


def test_intervals_meet_where_they_share_a_number() -> None:
    assert Interval(1, 2).meets(Interval(2, 3))
    assert not Interval(1, 2).meets(Interval(2.1, 3))


def test_roundings_that_only_touch_do_not_agree_and_those_of_other_decimals_may() -> None:
    assert len(conflicts_of(printed({"a": ["80.8", "80.9"]}))) == 1
    assert conflicts_of(printed({"a": ["80.8", "80.84"]})) == []
    assert conflicts_of(printed({"a": ["80.8", "80.85"]})) == []
    assert len(conflicts_of(printed({"a": ["80.8", "80.86"]}))) == 1


def test_what_two_relations_imply_leaves_out_the_quantity_that_they_share() -> None:
    relations = difference("d", "a", "b"), difference("e", "a", "c")
    numbers = {"d": ["5.4"], "a": ["79.5"], "b": ["73.7"], "e": ["2.3"], "c": ["77.2"]}
    implied = [item for item in conflicts_of(printed(numbers, *relations)) if item.implied_by]
    assert [{reading.quantity for reading in item.readings} for item in implied] == [{"d", "b", "e", "c"}]
