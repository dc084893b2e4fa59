import pytest

from repro.papers import Address
from tests.papers.small_paper import ABLATION, small_library

TABLE = "small/table1"


def cell_of(folder, old, new, row="better", column="mIoU"):
    assert old in ABLATION
    text = ABLATION.replace(old, new).partition("claims:")[0]
    library = small_library(folder, ablation=text)
    assert library.problems == []
    return library.cell(Address(TABLE, row, column))


def test_what_was_never_printed_is_wanted_and_prints_nothing(tmp_path):
    cell = cell_of(tmp_path, "mIoU: 55.5", "mIoU: not printed")
    assert (cell.published, cell.signed, cell.is_wanted, cell.is_result) == (None, None, True, False)


def test_what_is_wanted_may_have_another_metric_than_its_column(tmp_path):
    cell = cell_of(tmp_path, "mIoU: 55.5", "mIoU: {value: not printed, metric: iou.disk}")
    assert (cell.is_wanted, str(cell.metric)) == (True, "iou.disk")


@pytest.mark.parametrize(("given", "column"), [("null", "mIoU"), ("54.0", "mIoU")])
def test_blank_and_printed_cells_are_not_wanted(tmp_path, given, column):
    assert not cell_of(tmp_path, "mIoU: 55.5", f"mIoU: {given}", column=column).is_wanted


def test_a_setting_may_say_so_in_words(tmp_path):
    cell = cell_of(tmp_path, "cells: {Width: 16, mIoU: 55.5", "cells: {Width: not printed, mIoU: 55.5", column="Width")
    assert (cell.published, cell.is_wanted) == ("not printed", False)


@pytest.mark.parametrize(
    ("old", "new", "sentence"),
    [
        ("mIoU: 55.5", "mIoU: 610", "is 610 %; a score lies within 0 and 100"),
        ("mIoU: 55.5", "mIoU: -3.5", "is -3.5 %; a score lies within 0 and 100"),
        ("{value: 5.5, ", "{value: 105.5, ", "is 105.5 %; a score lies within -100 and 100"),
        ("delta(plain)", "delta(better)", "better @ gain is a difference to its own row"),
        ("mIoU: 55.5", "mIoU: not  printed", "is 'not  printed', which is no number"),
        ("mIoU: 55.5", "mIoU: [1]", "is [1], which is no number"),
        ("Width: 16, mIoU: 55.5", "Width: [1], mIoU: 55.5", "must be one value, not [1]"),
        ("mIoU: 55.5", "mIoU: {value: 55.5, metrics: miou}", "unknown key metrics"),
    ],
)
def test_a_value_that_cannot_be_one_is_refused_with_its_line(tmp_path, old, new, sentence):
    assert old in ABLATION
    (problem,) = small_library(tmp_path, ablation=ABLATION.replace(old, new, 1)).problems
    assert sentence in problem.message
    assert problem.line > 20


def test_a_negative_difference_is_a_result(tmp_path):
    assert cell_of(tmp_path, "{value: 4.0, printed", "{value: 64.0, printed", "best", "gain").signed == -64.0
