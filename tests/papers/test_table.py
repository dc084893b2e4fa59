import pytest

from repro.papers import Address, Cell, Metric
from tests.papers.small_paper import small_library

HERE = Address("small/table1", "better", "mIoU")


@pytest.mark.parametrize(
    ("published", "printed", "signed"),
    [(5.5, None, 5.5), (5.5, "5.5 ↑", 5.5), (4.0, "4.0 ↓", -4.0), ("deep", None, None), (None, None, None)],
)
def test_an_arrow_downwards_is_a_sign(published, printed, signed):
    assert Cell(HERE, published, Metric("miou"), printed).signed == signed


def test_only_a_measured_value_is_a_result():
    assert Cell(HERE, 5.5, Metric("miou")).is_result
    assert Cell(HERE, 0.0, Metric("miou")).is_result
    assert not Cell(HERE, None, Metric("miou")).is_result
    assert not Cell(HERE, 16, Metric("setting")).is_result
    assert not Cell(HERE, None, Metric("miou"), is_wanted=True).is_result


def test_a_difference_is_of_the_metric_of_its_sides():
    gain = Metric("delta", reference=HERE, of=Metric("iou", class_name="road"))
    assert (gain.is_difference, gain.is_setting) == (True, False)
    assert gain.base == Metric("iou", class_name="road")
    assert Metric("miou").base == Metric("miou")
    assert str(gain) == "delta(small/table1: better @ mIoU, iou.road)"
    assert str(Metric("boundary_f", class_name="road", pixels=3)) == "boundary_f.3.road"


def test_a_table_is_named_by_its_paper_and_file_and_gives_its_cells_row_by_row(tmp_path):
    table = small_library(tmp_path).tables["small/table1"]
    assert (table.paper, table.name) == ("small", "table1")
    addresses = [cell.address for cell in table.cells()]
    assert addresses == [Address("small/table1", row, column) for row in table.rows for column in table.columns]
