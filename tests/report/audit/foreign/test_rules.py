"""Relations of somebody else's table, as words, as entries, and as arithmetic."""

import yaml

from repro.report.audit.foreign.rules import ABOVE, Difference, Mean
from tests.report.audit.foreign.made_grids import GAINS, grid

TABLE = grid(GAINS)


def rows_of(rule: Difference | Mean) -> list[list[str]]:
    return [[f"{name.row}/{name.column}" for name, _ in relation.terms] for relation in rule.relations(TABLE)]


def test_a_difference_to_a_row_is_one_relation_for_every_other_row() -> None:
    found = rows_of(Difference("gain", "mIoU", to="base"))
    assert found[0] == ["one/gain", "one/mIoU", "base/mIoU"]
    assert len(found) == 4


def test_a_difference_to_the_row_above() -> None:
    assert rows_of(Difference("gain", "mIoU", to=ABOVE))[1] == ["two/gain", "two/mIoU", "one/mIoU"]


def test_differences_and_means_of_columns_and_of_rows() -> None:
    assert rows_of(Difference("gain", "mIoU", minus="x"))[0] == ["base/gain", "base/mIoU", "base/x"]
    assert rows_of(Difference("one", "two", minus="base", by_row=True))[0] == ["one/mIoU", "two/mIoU", "base/mIoU"]
    assert rows_of(Mean("four", ("one", "two"), by_row=True))[0] == ["four/mIoU", "one/mIoU", "two/mIoU"]
    assert rows_of(Mean("mIoU", ("gain", "x")))[0] == ["base/mIoU", "base/gain", "base/x"]


def test_an_entry_is_yaml_that_says_the_same() -> None:
    assert yaml.safe_load(Difference("Δ", "mIoU (%)", to="FCN").entry()) == {
        "column": "Δ",
        "of": "mIoU (%)",
        "to": "FCN",
    }
    assert yaml.safe_load(Mean("m", ("a", "b"), by_row=True).entry()) == {"row": "m", "of": ["a", "b"]}
    assert yaml.safe_load(Difference('a "b"', "c", minus="d\\").entry()) == {
        "column": 'a "b"',
        "of": "c",
        "minus": "d\\",
    }


def test_rules_in_words() -> None:
    assert str(Difference("gain", "mIoU", to="base")) == "gain is mIoU minus that of base"
    assert str(Mean("m", ("a", "b", "c", "d"))) == "m is the mean of a to d (4)"
