"""Findings in words."""

from repro.report.audit.blame import findings_of
from repro.report.audit.finding import FindingKind
from repro.report.audit.places import Relation
from tests.report.audit.made_places import difference, mean, names, printed, rising


def test_an_order_says_what_the_number_must_be_at_least() -> None:
    (found,) = findings_of(printed({"a": ["50.0"], "b": ["52.0", "52.0"]}, rising("a", "b")))
    assert names(found.blamed) == ["a0"]
    assert found.expected == "at least 52.0"
    (found,) = findings_of(printed({"a": ["50.0", "50.0"], "b": ["52.0"]}, rising("a", "b")))
    assert found.expected == "at most 50.0"


def test_a_mean_with_a_class_missing_says_what_that_one_would_have() -> None:
    relation = Relation(FindingKind.MEAN, (("m", 3.0), ("x", -1.0), ("y", -1.0)), high=100.0)
    (found,) = findings_of(printed({"m": ["90.0"] * 2, "x": ["50.0"] * 2, "y": ["40.0"] * 2}, relation))
    assert found.how == "2 of 3 numbers are printed; the missing one would have 180.0"


def test_a_mean_is_told_with_one_decimal_more() -> None:
    (found,) = findings_of(printed({"m": ["51.0"], "x": ["50.0"] * 2, "y": ["50.5"] * 2}, mean("m", "xy")))
    assert (found.printed, found.expected) == ("51.0", "50.25")
    assert found.how == "the 2 printed numbers have the mean 50.25 and not 51.0"


def test_places_that_print_the_same_are_counted_in_the_sentence_and_named_in_the_finding() -> None:
    (found,) = findings_of(printed({"d": ["5.4"], "a": ["80.8"] * 2, "b": ["73.7"] * 3}, difference("d", "a", "b")))
    assert "a0 @ mIoU (and 1 more) and made/table1: b0 @ mIoU (and 2 more)" in found.how
    assert len(found.places) == 6
    assert found.places[0] == found.blamed[0]
