"""Relations that a table looks as if it had."""

import random

import pytest

from repro.report.audit.foreign.candidates import candidates
from repro.report.audit.foreign.check import audit_grid, printed_grid
from repro.report.audit.foreign.grid import Grid
from tests.report.audit.foreign.made_grids import GAINS, grid


def likely(table: Grid) -> list[str]:
    return [f"{item.rule} {item.holding}/{item.said}" for item in candidates(table, printed_grid(table))]


def test_a_column_of_gains_over_the_row_that_has_none() -> None:
    assert likely(grid(GAINS)) == ["gain is mIoU minus that of base 4/4"]
    assert likely(grid(GAINS.replace("3.5", "3.9"))) == ["gain is mIoU minus that of base 3/4"]


def test_too_few_that_come_out_are_none() -> None:
    assert likely(grid(GAINS.replace("3.5", "3.9").replace("4.3", "1.3"))) == []


def test_gains_over_the_row_above() -> None:
    text = "m,x,gain\na,70.0,\nb,71.5,1.5\nc,71.9,0.4\nd,75.0,3.1\n"
    assert likely(grid(text)) == ["gain is x minus that of the row above 3/3"]


def test_a_column_that_is_one_minus_another() -> None:
    text = "m,after,before,change\na,71.5,70.0,1.5\nb,72.5,70.5,2.0\nc,69.9,71.0,-1.1\nd,75.0,71.9,3.1\n"
    assert likely(grid(text)) == ["change is after minus before 4/4"]


def test_a_mean_of_columns_and_of_rows() -> None:
    text = "m,mean,a,b,c\nx,50.0,40.0,50.0,60.0\ny,52.0,45.0,51.0,60.0\nz,61.7,55.0,60.0,70.0\n"
    assert likely(grid(text)) == ["mean is the mean of a, b, c 3/3"]
    text = "m,p,q\na,40.0,45.0\nb,50.0,51.0\nc,60.0,60.1\nAverage,50.0,52.0\n"
    assert likely(grid(text)) == ["the row Average is the mean of a, b, c 2/2"]


def test_a_row_of_gains() -> None:
    text = "m,p,q,r,s\nbase,40.0,45.0,60.2,33.0\nours,42.1,45.9,61.0,32.5\ngain,2.1,0.9,0.8,-0.5\n"
    assert likely(grid(text)) == ["the row gain is ours minus base 4/4"]


@pytest.mark.parametrize("seed", range(20))
def test_of_unrelated_numbers_hardly_anything_is_offered(seed: int) -> None:
    generator = random.Random(seed)
    rows = [f"m{row}," + ",".join(f"{generator.uniform(30, 90):.1f}" for _ in range(6)) for row in range(12)]
    assert audit_grid(grid("\n".join(["m,a,b,c,d,e,f", *rows])), None).findings == []
