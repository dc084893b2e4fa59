"""Places by quantity."""

from repro.report.printed import Rounded
from tests.report.audit.made_places import difference, printed


def test_places_that_print_the_same_are_one_reading() -> None:
    found = printed({"a": ["80.8", "80.8", "80.9"]})
    assert [(str(item.number), len(item.places)) for item in found.readings["a"]] == [("80.8", 2), ("80.9", 1)]


def test_a_change_leaves_the_rest_alone_and_can_be_taken_back() -> None:
    found = printed({"a": ["80.8", "80.8"], "b": ["1.0"]})
    address = found.places["a"][1].address
    moved = found.changed(address, Rounded(70.0, 1))
    assert moved.place(address).number == Rounded(70.0, 1)
    assert moved.place(address).printed == "70.0"
    assert [len(item.places) for item in moved.readings["a"]] == [1, 1]
    assert moved.changed(address, Rounded(80.8, 1)).readings == found.readings
    assert len(found.without(address).places["a"]) == 1


def test_a_relation_counts_once_and_only_where_everything_is_printed() -> None:
    twice = difference("d", "a", "b"), difference("d", "a", "b"), difference("e", "a", "b")
    found = printed({"d": ["5.4"], "a": ["80.8"], "b": ["73.7"]}, *twice)
    assert found.relations == (twice[0],)
    assert found.relations_of["a"] == [twice[0]]
