"""Strides and rates as numbers, against the sentences of the papers and the bookkeeping of TensorFlow's slim."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from repro.nn.strides import Stages, at, built

UNITS = (3, 4, 6, 3, 3, 3, 3)  # ResNet-50 with three added blocks
STRIDES = (1, 2, 2, 2, 2, 2, 2)

output_strides = st.sampled_from([4, 8, 16, 32, 64, 128, 256])
grids = st.sampled_from([None, (1, 2, 1), (1, 2, 4), (2, 2, 2)])


def network(output_stride: int, grid=None, first_unit="full", stride_at="first") -> Stages:
    unit_rates = [None] * 3 + [grid] * 4
    return built(UNITS, STRIDES, output_stride, unit_rates=unit_rates, first_unit=first_unit, stride_at=stride_at)


def rates(stages: Stages) -> list[list[int]]:
    return [[unit.first_rate for unit in stage] for stage in stages]


def slim(output_stride: int, grid=None) -> list[list[tuple[int, int]]]:
    """Stride and rate of every unit as `stack_blocks_dense` of TensorFlow's slim keeps its books."""
    reached, rate, blocks = 4, 1, []
    for number, count in enumerate(UNITS):
        block = []
        for index in range(count):
            last_of_block = index == count - 1 and number < len(UNITS) - 1
            stride = 2 if last_of_block else 1
            unit_rate = grid[index] if grid and number >= 3 else 1
            if reached == output_stride:
                block.append((1, rate * unit_rate))
                rate *= stride
            else:
                block.append((stride, unit_rate))
                reached *= stride
        blocks.append(block)
    return blocks


@given(output_stride=output_strides, grid=grids)
def test_a_stride_in_the_last_unit_is_that_of_slim(output_stride, grid):
    ours = network(output_stride, grid, stride_at="last")
    assert [[(unit.stride, unit.first_rate) for unit in stage] for stage in ours] == slim(output_stride, grid)


@given(built_at=output_strides, run_at=output_strides, grid=grids, first_unit=st.sampled_from(["full", "contracted"]),
       stride_at=st.sampled_from(["first", "last"]))  # fmt: skip
def test_what_a_3x3_sees_in_pixels_stays(built_at, run_at, grid, first_unit, stride_at):
    before = network(built_at, grid, first_unit, stride_at)
    after = at(before, STRIDES, run_at, stride_at)
    for stage, moved in zip(before, after, strict=True):
        for unit, other in zip(stage, moved, strict=True):
            assert unit.first_rate * unit.grid == other.first_rate * other.grid
            assert unit.rate * unit.grid * unit.stride == other.rate * other.grid * other.stride
    assert after[-1][-1].grid * after[-1][-1].stride == run_at
    assert at(after, STRIDES, built_at, stride_at) == before


@given(output_stride=output_strides, run_at=output_strides)
def test_a_contracted_network_is_the_one_built_at_the_other_stride(output_stride, run_at):
    contracted = network(output_stride, first_unit="contracted")
    assert at(contracted, STRIDES, run_at, "first") == network(run_at, first_unit="contracted")


def test_a_full_network_taken_to_8_differs_from_one_built_at_8_in_one_convolution_of_res4():
    """At 16 the first unit of res4 strides and has lost nothing: its rate is 1, which it keeps without the stride."""
    taken, at_8 = at(network(16), STRIDES, 8, "first"), network(8)
    differing = [
        (stage, unit)
        for stage, (one, other) in enumerate(zip(taken, at_8, strict=True))
        for unit, (a, b) in enumerate(zip(one, other, strict=True))
        if a != b
    ]
    assert differing == [(2, 0)]
    assert (taken[2][0].first_rate, at_8[2][0].first_rate) == (1, 2)
    assert taken[2][0].rate == at_8[2][0].rate == 2


@pytest.mark.parametrize(
    ("output_stride", "grid", "first_unit", "stride_at", "expected"),
    [
        # DeepLabv3, section 3.2.1: "2 x (1, 2, 4) = (2, 4, 8)"; its other unit rates are multiplied likewise.
        (16, (1, 2, 4), "full", "first", [[2, 4, 8], [4, 8, 16], [8, 16, 32], [16, 32, 64]]),
        (16, None, "full", "first", [[2, 2, 2], [4, 4, 4], [8, 8, 8], [16, 16, 16]]),
        (16, None, "full", "last", [[2, 2, 2], [4, 4, 4], [8, 8, 8], [16, 16, 16]]),
        (16, None, "contracted", "first", [[1, 2, 2], [2, 4, 4], [4, 8, 8], [8, 16, 16]]),
        (16, (1, 2, 4), "contracted", "first", [[1, 4, 8], [2, 8, 16], [4, 16, 32], [8, 32, 64]]),
        (8, (1, 2, 4), "full", "first", [[4, 8, 16], [8, 16, 32], [16, 32, 64], [32, 64, 128]]),
    ],
)
def test_rates_from_block4_on(output_stride, grid, first_unit, stride_at, expected):
    assert rates(network(output_stride, grid, first_unit, stride_at))[3:] == expected
