"""Whom the audit blames: the one without which all the others agree, and nobody where two would do."""

import pytest

from repro.report.audit.blame import findings_of
from repro.report.audit.finding import FindingKind
from tests.report.audit.made_places import difference, mean, names, printed, rising

GAIN = difference("d", "a", "b")


@pytest.mark.parametrize(
    ("numbers", "blamed"),
    [
        ({"a": ["80.8", "80.9"]}, []),
        ({"a": ["80.8", "80.9", "80.8"]}, ["a1"]),
        ({"a": ["80.8", "80.9", "81.0"]}, []),
        ({"a": ["80.8", "80.9", "80.8", "80.9"]}, []),
        ({"a": ["80.8", "80.9", "80.8", "80.9", "80.8"]}, ["a1", "a3"]),
    ],
)
def test_of_three_places_the_odd_one_is_blamed_and_of_two_none(
    numbers: dict[str, list[str]], blamed: list[str]
) -> None:
    (found,) = findings_of(printed(numbers))
    assert names(found.blamed) == blamed
    assert sorted(names(found.places)) == [f"a{number}" for number in range(len(numbers["a"]))]


def test_a_gain_in_the_text_and_the_rows_outvote_the_tables_difference() -> None:
    """The fault: the text's 7.1 was blamed for the table's 5.4, although 80.8 - 73.7 is 7.1."""
    (found,) = findings_of(printed({"d": ["5.4", "7.1"], "a": ["80.8"], "b": ["73.7"]}, GAIN))
    assert names(found.blamed) == ["d0"]
    assert (found.printed, found.expected) == ("5.4", "7.1")
    assert sorted(names(found.places)) == ["a0", "b0", "d0", "d1"]


def test_a_difference_and_its_sides_printed_once_each_leave_it_undecided() -> None:
    (found,) = findings_of(printed({"d": ["5.4"], "a": ["80.8"], "b": ["73.7"]}, GAIN))
    assert found.blamed == ()
    assert (found.kind, found.expected) == (FindingKind.DIFFERENCE, "")
    assert sorted(names(found.places)) == ["a0", "b0", "d0"]
    assert "80.8 − 73.7 is 7.1 and not 5.4" in found.how


def test_sides_that_are_printed_elsewhere_too_leave_the_difference_as_the_wrong_one() -> None:
    (found,) = findings_of(printed({"d": ["5.4"], "a": ["80.8"] * 2, "b": ["73.7"] * 3}, GAIN))
    assert names(found.blamed) == ["d0"]
    assert found.expected == "7.1"
    assert found.suspects == ()


def test_undecided_is_only_what_one_slip_would_explain() -> None:
    (found,) = findings_of(printed({"d": ["5.4"], "a": ["80.8"], "b": ["73.7"] * 3}, GAIN))
    assert found.blamed == ()
    assert names(found.suspects) == ["d0", "a0"]
    assert len(found.places) == 5


def test_a_side_that_another_difference_bears_out_is_not_blamed() -> None:
    other = difference("e", "a", "c")
    numbers = {"d": ["5.4"], "a": ["79.5"], "b": ["73.7"], "e": ["2.3"], "c": ["77.2"]}
    (found,) = findings_of(printed(numbers, GAIN, other))
    assert "a0" in names(found.places)
    assert found.blamed == ()
    (found,) = findings_of(printed({**numbers, "b": ["73.7", "73.7"]}, GAIN, other))
    assert names(found.blamed) == ["d0"]


def test_two_differences_of_one_row_are_one_witness() -> None:
    """They may be copied from another table together, so that they do not outvote the score."""
    other = difference("e", "a", "c")
    numbers = {"d": ["5.2"], "a": ["80.2"], "b": ["73.7"] * 2, "e": ["2.7"], "c": ["76.2"] * 2}
    (found,) = findings_of(printed(numbers, GAIN, other, together="de"))
    assert found.blamed == ()
    assert {"a0", "d0", "e0"} < set(names(found.places))
    (found,) = findings_of(printed(numbers, GAIN, other))
    assert names(found.blamed) == ["a0"]


def test_a_number_that_spoils_a_mean_and_an_order_is_the_wrong_one() -> None:
    numbers = {"m": ["50.0"], "x": ["60.0"], "y": ["45.0"], "z": ["42.0"]}
    (found,) = findings_of(printed({**numbers, "x": ["50.0"], "z": ["50.0"], "y": ["55.0"], "n": ["52.0"]},
                                   mean("m", "xyz"), rising("n", "y")))  # fmt: skip
    assert names(found.blamed) == ["y0"]
    assert found.expected == "50.00"


def test_a_mean_alone_names_every_part_and_blames_none() -> None:
    (found,) = findings_of(printed({"m": ["51.0"], "x": ["50.0"], "y": ["50.4"]}, mean("m", "xy")))
    assert found.blamed == ()
    assert names(found.places) == ["m0", "x0", "y0"]
    assert "50.20" in found.how


def test_one_relation_said_in_two_ways_is_one_finding() -> None:
    again = difference("b", "a", "d")
    other = difference("e", "a", "c")
    numbers = {"d": ["5.4"], "a": ["79.5"], "b": ["73.7"], "e": ["2.3"], "c": ["77.2"]}
    assert len(findings_of(printed(numbers, GAIN, again, other))) == 1


def test_two_slips_that_share_a_row_are_two_findings() -> None:
    other = difference("e", "c", "b")
    numbers = {"d": ["5.4", "7.1"], "a": ["80.8"], "b": ["73.7"] * 3, "e": ["1.0", "2.0"], "c": ["75.7"]}
    found = findings_of(printed(numbers, GAIN, other))
    assert [names(item.blamed) for item in found] == [["d0"], ["e0"]]


def test_what_agrees_is_no_finding() -> None:
    numbers = {"d": ["7.1", "7"], "a": ["80.8", "80.80", "81"], "b": ["73.7"]}
    assert findings_of(printed(numbers, GAIN)) == []


def test_a_knot_of_very_many_ways_is_left_undecided_in_finite_time() -> None:
    numbers = {f"q{number}": ["1.0", "2.0"] for number in range(40)}
    relations = [rising(f"q{number + 1}", f"q{number}") for number in range(39)]
    found = findings_of(printed(numbers, *relations))
    assert found
    assert all(item.blamed == () for item in found)
