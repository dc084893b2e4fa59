from dataclasses import replace

import pytest

from repro.papers import Address, Table
from repro.report.judge.statistics import Interval
from repro.report.render.best import best_measured, best_published
from tests.report.made_results import measured_small, with_value


def rows(addresses: set[Address]) -> set[str]:
    return {address.row for address in addresses if address.column == "mIoU"}


def test_the_best_is_the_largest_score_or_the_smallest_where_the_column_says_so(small: Table) -> None:
    assert rows(best_published(small)) == {"Behind the server"}
    columns = {**small.columns, "mIoU": replace(small.columns["mIoU"], lower_is_better=True)}
    assert rows(best_published(replace(small, columns=columns))) == {"Plain"}


@pytest.mark.parametrize(
    ("plain", "other", "best"),
    [
        (72.96, 73.04, {"Plain", "With it"}),  # both read 73.0
        (73.04, 73.06, {"With it"}),  # 73.0 and 73.1
        (73.04, 72.94, {"Plain"}),
    ],
)
def test_measured_values_that_read_the_same_are_equally_good(
    small: Table, plain: float, other: float, best: set[str]
) -> None:
    result = measured_small(small)
    for row, mean in (("Plain", plain), ("With it", other)):
        address = Address("made/table1", row, "mIoU")
        result.cells[address] = replace(result.cells[address], measured=Interval(1, mean, None, None, None))
    assert rows(best_measured(result)) == best


def test_a_published_value_counts_as_it_is_printed(small: Table) -> None:
    server, other = (Address("made/table1", row, "mIoU") for row in ("Behind the server", "With it"))
    table = with_value(with_value(small, server, 81.04, "81.0"), other, 81.01, "81.0")
    assert rows(best_published(table)) == {"Behind the server", "With it"}
