"""Numbers as papers print them: how many decimals they have, what rounding hides, how they are written."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from repro.papers import Address, Cell, Column, Library, TableKind
from repro.report.printed import (
    Rounded,
    decimals_of,
    look,
    measured_decimals,
    number,
    own_decimals,
    printed,
    printed_decimals,
    published_text,
    rounded,
    signed,
)
from tests.report.audit.made_tables import MIOU, table_of
from tests.report.made_results import library_of, with_value

ADDRESS = Address("made/table1", "a", "mIoU")


def cell_of(value, raw=None, metric=MIOU):
    return Cell(ADDRESS, value, metric, printed=raw)


def rounded_in(value, raw=None, **table):
    made = table_of("made/table1", {"a": {"mIoU": (70.0, MIOU)}}, **table)
    library = library_of(with_value(made, ADDRESS, value, raw))
    return rounded(library, library.cell(ADDRESS))


@pytest.mark.parametrize(
    ("value", "raw", "decimals"),
    [(70.0, None, 1), (70, None, 1), (70.45, None, 2), (71.0, "71%", 0), (0.6, "0.60 ↓", 2), (1.0, "about 1", 0)],
)
def test_a_number_of_a_column_has_the_decimals_of_its_raw_form_or_of_the_column_or_more(value, raw, decimals):
    assert rounded_in(value, raw).decimals == decimals


@pytest.mark.parametrize(("value", "decimals"), [(4, 0), (4.0, 1), (0.0, 1), (0.25, 2)])
def test_a_number_of_the_prose_has_those_that_the_file_has(value, decimals):
    assert rounded_in(value, kind=TableKind.PROSE).decimals == decimals


def test_an_arrow_downwards_makes_a_number_negative():
    assert rounded_in(0.6, "0.6 ↓") == Rounded(-0.6, 1)
    assert rounded_in(0.6, "0.6 ↑") == Rounded(0.6, 1)


def test_what_is_no_number_is_none():
    library = library_of(table_of("made/table1", {"a": {"mIoU": (None, MIOU)}}))
    assert rounded(library, library.cell(ADDRESS)) is None
    assert rounded(library, None) is None
    assert rounded_in("ResNet-50") is None
    assert look(library, ADDRESS) is library.cell(ADDRESS)
    assert look(library, None) is None
    assert look(Library(), ADDRESS) is None


@given(st.floats(-100, 100), st.integers(0, 3), st.integers(0, 3))
def test_two_roundings_of_one_number_agree(value, first, second):
    one, other = (Rounded(round(value, places), places) for places in (first, second))
    assert other.agrees(one)
    assert abs(one.value - value) <= one.half + 1e-9
    assert one.agrees(other)


def test_numbers_of_equal_decimals_agree_only_if_they_are_equal():
    assert not Rounded(70.0, 1).agrees(Rounded(70.1, 1))
    assert Rounded(70.0, 0).agrees(Rounded(70.4, 1))
    assert not Rounded(70.0, 0).agrees(Rounded(70.6, 1))


def test_a_cell_is_shown_as_printed():
    column = Column("mIoU", "miou", "%", 2)
    assert published_text(column, cell_of(70.4)) == "70.40"
    assert published_text(column, cell_of(70.456)) == "70.456"
    assert published_text(column, cell_of(0.6, "0.6 ↓")) == "0.6 ↓"
    assert published_text(column, cell_of("ResNet-50")) == "ResNet-50"
    assert published_text(column, cell_of(None)) == ""
    library = library_of(table_of("made/table1", {"a": {"mIoU": (70.0, MIOU)}}))
    assert printed(library, library.cell(ADDRESS)) == "70.0"


def test_a_measured_value_has_the_decimals_of_the_published_one_and_at_least_one():
    for decimals, value, shown in ((0, 71.0, 1), (1, 71.5, 1), (1, 71.55, 2), (2, 71.5, 2)):
        assert measured_decimals(Column("mIoU", "miou", "%", decimals), cell_of(value)) == shown
    assert measured_decimals(Column("mIoU", "miou", "%", 1), cell_of(None)) == 1
    assert measured_decimals(Column("mIoU", "miou"), cell_of(None)) == 2


def test_decimals_are_counted_in_decimal():
    assert [own_decimals(value) for value in (70.0, 70.4, 70.45, 0.1 + 0.2, 1e-12)] == [0, 1, 2, 1, 0]
    assert decimals_of(Column("mIoU", "miou", "%", 2), 70.4) == 2
    assert [printed_decimals(cell_of(1.0, raw)) for raw in (None, "1.50 ↑", "none", "3px, 62.25")] == [None, 2, None, 0]


def test_a_minus_is_a_real_one_and_zero_has_no_sign():
    assert [number(value, 1) for value in (-0.04, 0.0, -1.25, 3.14159)] == ["0.0", "0.0", "−1.2", "3.1"]
    assert [signed(value, 1) for value in (-0.04, 0.04, -1.3, 2.0)] == ["0.0", "0.0", "−1.3", "+2.0"]
    assert str(Rounded(-0.6, 2)) == "−0.60"
