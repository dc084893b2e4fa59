"""Sides of a comparison: measured, cited, differences, numbers, or absent."""

import pytest

from repro.papers import Address, Gain
from repro.report.judge.evidence import Evidence
from repro.report.judge.sides import is_deviating, sides_of
from repro.report.judge.verdicts import Verdict
from tests.report.judge.made_claims import a_claim


def at(row, column="mIoU"):
    return Address("small/table1", row, column)


def sides(made, left, right, *lines):
    known = {key: line for group in lines for key, line in group.items()}
    part = a_claim(left, ">", right).parts[0]
    return sides_of(part, made.found.__getitem__, made.found, Evidence(made.found, known)), part


def test_a_measured_side_and_a_cited_one(as_printed):
    found, part = sides(as_printed, at("Rates"), at("Someone [1]"), as_printed.lines("Rates", [71.0, 72.0]))
    assert found.cited == (at("Someone [1]"),)
    assert (found.of(part.right).constant, found.of(part.right).half) == (75.0, 0.05)
    assert found.of(part.left).shared == {0: 71.0, 1: 72.0}
    assert (found.verdict, found.exact, len(found.own)) == (None, False, 1)
    assert not is_deviating(found, as_printed.found.__getitem__, Evidence(as_printed.found, {}))


def test_why_there_is_nothing(as_printed):
    found, _ = sides(as_printed, at("Deeper"), at("Server"))
    assert found.verdict is Verdict.SERVER_ONLY
    assert found.reason.startswith("Deeper is not built: ")
    assert found.reason.endswith("; Server is server only: Only the server has the labels.")


def test_a_run_that_deviates_says_so_before_it_is_made(shortened):
    found, _ = sides(shortened, at("Rates"), at("Plain"))
    assert found.verdict is Verdict.NOT_RUN
    assert is_deviating(found, shortened.found.__getitem__, Evidence(shortened.found, {}))


def test_a_difference_of_two_cells_and_a_number(as_printed):
    lines = as_printed.lines("Rates", [71.0, 72.0]), as_printed.lines("Plain", [70.0, 70.5])
    found, part = sides(as_printed, Gain(at("Rates"), at("Plain")), 0.5, *lines)
    assert found.of(part.left).shared == {0: 1.0, 1: 1.5}
    assert found.of(part.right).constant == 0.5


def test_what_the_network_alone_decides_has_no_seeds(as_printed):
    found, part = sides(as_printed, at("Rates", "Parameters"), at("Plain", "Parameters"))
    assert found.absent[at("Rates", "Parameters")].verdict is Verdict.BLANK
    found, part = sides(as_printed, at("Plain", "Parameters"), 12.0)
    assert found.exact
    assert found.of(part.left).constant == pytest.approx(13.5, abs=1.5)
