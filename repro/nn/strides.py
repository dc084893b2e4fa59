"""Strides and atrous rates of the units of a residual network, as pure numbers.

Source: DeepLabv3, sections 3.1, 3.2 and 3.2.1.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import prod
from typing import Literal

FirstUnit = Literal["full", "contracted"]
StrideAt = Literal["first", "last"]

STEM_STRIDE = 4  # He et al. 2016, Table 1: the 7x7 and the max-pool


@dataclass(frozen=True)
class Sampling:
    """How a unit samples its input.

    Attributes:
        grid: Pixels of the image between neighbours of the unit's input.
        stride: Of the first 3x3, and so of the unit.
        first_rate: Rate of the first 3x3.
        rate: Rate of a further 3x3, which sees the grid behind the stride.
    """

    grid: int
    stride: int
    first_rate: int
    rate: int


Stages = list[list[Sampling]]


def built(
    units: Sequence[int],
    stage_strides: Sequence[int],
    output_stride: int,
    *,
    unit_rates: Sequence[Sequence[int] | None],
    first_unit: FirstUnit,
    stride_at: StrideAt,
) -> Stages:
    """The sampling of every unit of a network that is built at an output stride.

    A rate is the stride that has been lost so far; each 3x3 multiplies it with the multi-grid's rate of its unit. In a
    unit that has lost its own stride the first 3x3 counts that one if first units are `full`; else it does not, and
    without multi-grid the network is the undilated one on a denser grid.

    Args:
        units: Units per stage.
        stage_strides: Stride of each stage in the network without atrous convolution.
        output_stride: Pixels of the image between neighbours of the last output.
        unit_rates: Multi-grid of each stage; `None` is all ones.
        first_unit: Whether a first unit that has lost its stride is at its stage's rate.
        stride_at: Whether a stage's first unit carries its stride, or the last unit of the stage before.
    """
    undilated = _unit_strides(units, stage_strides, STEM_STRIDE * prod(stage_strides), stride_at)
    is_full = first_unit == "full" and stride_at == "first"
    stages: Stages = []
    grid = undilated_grid = STEM_STRIDE
    for number, strides in enumerate(_unit_strides(units, stage_strides, output_stride, stride_at)):
        stage = []
        unit_rate_of = unit_rates[number] or (1,) * units[number]
        for stride, undilated_stride, unit_rate in zip(strides, undilated[number], unit_rate_of, strict=True):
            before = undilated_grid // grid
            undilated_grid *= undilated_stride
            behind = undilated_grid // (grid * stride)
            stage.append(Sampling(grid, stride, (behind if is_full else before) * unit_rate, behind * unit_rate))
            grid *= stride
        stages.append(stage)
    return stages


def at(stages: Stages, stage_strides: Sequence[int], output_stride: int, stride_at: StrideAt) -> Stages:
    """The same network run at another output stride: every 3x3 sees what it saw, in pixels of the image.

    So at a smaller one it computes the same function on a denser grid, and a 3x3 that loses its stride keeps its rate.
    """
    units = [len(stage) for stage in stages]
    changed: Stages = []
    grid = STEM_STRIDE
    for stage, strides in zip(stages, _unit_strides(units, stage_strides, output_stride, stride_at), strict=True):
        moved = []
        for unit, stride in zip(stage, strides, strict=True):
            first_rate = unit.first_rate * unit.grid // grid
            rate = unit.rate * unit.grid * unit.stride // (grid * stride)
            moved.append(Sampling(grid, stride, first_rate, rate))
            grid *= stride
        changed.append(moved)
    return changed


def _unit_strides(
    units: Sequence[int], stage_strides: Sequence[int], output_stride: int, stride_at: StrideAt
) -> list[list[int]]:
    """The stride of every unit: that of a stage as long as the output stride is not reached, 1 from then on."""
    strides = [[1] * count for count in units]
    reached = STEM_STRIDE
    for number, stride in enumerate(stage_strides):
        if reached * stride > output_stride or stride == 1:
            continue
        reached *= stride
        carrier, place = (number, 0) if stride_at == "first" else (number - 1, -1)
        strides[carrier][place] = stride
    return strides
