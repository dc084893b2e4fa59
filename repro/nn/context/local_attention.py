"""Attention of every position to the neighbours around it, as products of small dense matrices."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable

from repro.nn.tensors import exact_type, is_recorded_or_compiled, layout, neighbours, without_autocast

_BLOCK = 16  # columns that share a product: more waste multiplications, fewer make products too small to be fast


def local_attention(
    query: Tensor,
    key: Tensor,
    value: Tensor,
    *,
    kernel_size: int,
    dilation: int,
    scale: float,
    masked_border: bool,
) -> Tensor:
    """Weighs the values of `kernel_size` x `kernel_size` neighbours by the softmax over their keys' products.

    The neighbours of a position lie in rows `dilation` apart and in columns `dilation` apart, its own among them. So
    the columns fall into phases that never meet (6 apart, column 7 sees 1, 13, 19, ...), and for one phase and one
    distance between rows, a batched product gives what every row has to do with the row at that distance: a small
    matrix of columns by columns, of which a band counts. The neighbourhoods themselves are never gathered, and nothing
    larger than a phase is copied.

    Products, softmax and sums are in float32 (float64 for float64), under autocast too. Differentiable once.
    Source: GALD, equations 6 to 8, which have no scale.

    Args:
        query: `[B, C, H, W]`.
        key: `[B, C, H, W]`.
        value: `[B, D, H, W]`, either memory format; the result has the same one, and the same type.
        kernel_size: Odd number of neighbours per axis.
        dilation: Distance between neighbours in pixels; the reach may exceed the map.
        scale: Factor of the products before the softmax.
        masked_border: Leaves neighbours outside the map out (true), or has them in the softmax with a product of 0
            and adds their value of 0, as zero padding does (false).

    Returns:
        `[B, D, H, W]`.

    Raises:
        ValueError: The kernel is not an odd number of at least 1, or the dilation is below 1.
    """
    if kernel_size < 1 or kernel_size % 2 == 0:
        raise ValueError(f"local attention needs an odd kernel, so that a position has a middle, not {kernel_size}")
    if dilation < 1:
        raise ValueError(f"local attention needs a dilation of at least 1, not {dilation}")
    if is_recorded_or_compiled():
        return _one_neighbour_at_a_time(query, key, value, kernel_size, dilation, scale, masked_border)
    batch, _, height, width = query.shape
    grid = _Grid(batch, height, width, kernel_size // 2, dilation)
    result: Tensor = _LocalAttention.apply(query, key, value, grid, scale, masked_border)
    return result


def _one_neighbour_at_a_time(
    query: Tensor, key: Tensor, value: Tensor, kernel_size: int, dilation: int, scale: float, masked_border: bool
) -> Tensor:
    """The same without a loop over rows or columns, whose number a program cannot change."""
    exact = exact_type(value)
    with without_autocast(value.device):
        query, key, values = query.to(exact), key.to(exact), neighbours(value.to(exact), kernel_size, dilation)
        logits = torch.stack([(query * near).sum(1) for near in neighbours(key, kernel_size, dilation)], 1) * scale
        if masked_border:
            inside = torch.cat(neighbours(torch.ones_like(key[:, :1]), kernel_size, dilation), 1)
            logits = logits.masked_fill(inside == 0, -torch.inf)
        shares = torch.split(logits.softmax(1), 1, 1)
        result = torch.zeros_like(values[0])
        for share, near in zip(shares, values, strict=True):
            result = result + share * near
    return result.to(value.dtype).contiguous(memory_format=layout(value))


@dataclass(frozen=True)
class _Grid:
    """Which of the positions `[batch * height, width]` are neighbours: `reach` steps of `dilation` to either side."""

    batch: int
    height: int
    width: int
    reach: int
    dilation: int

    @property
    def rows(self) -> int:
        return self.batch * self.height

    @property
    def row_steps(self) -> int:
        """Steps to either side after which no row of a map is left."""
        return min(self.reach, (self.height - 1) // self.dilation)

    def row_pairs(self) -> list[tuple[slice, slice]]:
        """For each distance, from above to below: rows, and the rows that far from them, maybe of the next map."""
        steps = range(-self.row_steps, self.row_steps + 1)
        shifts = [step * self.dilation for step in steps]
        return [
            (slice(max(0, -shift), self.rows - max(0, shift)), slice(max(0, shift), self.rows + min(0, shift)))
            for shift in shifts
        ]

    def blocks(self) -> Iterator[tuple[slice, slice]]:
        """Columns of one phase that are done at a time, and the columns where their neighbours lie."""
        for phase in range(min(self.dilation, self.width)):
            count = -(-(self.width - phase) // self.dilation)
            parts = -(-count // _BLOCK)
            for part in range(parts):
                first, end = count * part // parts, count * (part + 1) // parts
                around = max(0, first - self.reach), min(count, end + self.reach)
                yield self._columns(phase, first, end), self._columns(phase, *around)

    def _columns(self, phase: int, first: int, end: int) -> slice:
        return slice(phase + first * self.dilation, phase + (end - 1) * self.dilation + 1, self.dilation)

    def inside(self, device: torch.device) -> Tensor:
        """Whether the row at each distance is one of the same map: `[distances, rows]`."""
        distances = self.dilation * torch.arange(-self.row_steps, self.row_steps + 1, device=device)
        return _within(torch.arange(self.rows, device=device) % self.height + distances[:, None], self.height)

    def outside(self, device: torch.device) -> Tensor:
        """How many neighbours of each position lie outside the map: `[rows, width]`."""
        distances = self.dilation * torch.arange(-self.reach, self.reach + 1, device=device)
        columns = _within(torch.arange(self.width, device=device)[:, None] + distances, self.width).sum(1)
        return (2 * self.reach + 1) ** 2 - self.inside(device).sum(0)[:, None] * columns


def _within(places: Tensor, size: int) -> Tensor:
    return (places >= 0) & (places < size)


class _LocalAttention(torch.autograd.Function):
    """The function with a backward pass of its own, which keeps the weights and nothing else of their size.

    Weights are `[distances, rows, columns, columns around]`, one tensor per block.
    """

    @staticmethod
    def forward(
        ctx: Any, query: Tensor, key: Tensor, value: Tensor, grid: _Grid, scale: float, masked_border: bool
    ) -> Tensor:
        with without_autocast(value.device):
            queries, keys, values = (_rows(features) for features in (query, key, value))
            attended, weights = torch.empty_like(values), []
            inside, columns = grid.inside(value.device), torch.arange(grid.width, device=value.device)
            # What neighbours outside the map add to the softmax: as many times exp(0).
            outside = grid.outside(value.device) * (not masked_border)
            spare = outside.to(exact_type(value)).log()
            for own, around in grid.blocks():
                nearby = (columns[own, None] - columns[around]).abs() <= grid.reach * grid.dilation
                logits = _products(grid, _taken(queries, own, value), _taken(keys, around, value), scale)
                logits.masked_fill_(~(inside[..., None, None] & nearby), -torch.inf)
                weights.append(_softmax(logits, spare[:, own, None]))
                attended[:, own] = _sums(grid, weights[-1], _taken(values, around, value))
            ctx.save_for_backward(queries, keys, values, *weights)
            ctx.grid, ctx.scale, ctx.layout = grid, scale, layout(value)
            return _map(attended, grid, layout(value))

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, upstream: Tensor) -> tuple[Tensor | None, ...]:
        queries, keys, values, *saved = ctx.saved_tensors
        grid: _Grid = ctx.grid
        with without_autocast(upstream.device):
            gradients = _rows(upstream)
            of_queries, of_keys, of_values = torch.empty_like(queries), torch.zeros_like(keys), torch.zeros_like(values)
            for (own, around), weights in zip(grid.blocks(), saved, strict=True):
                gradient = _taken(gradients, own, values)
                of_values[:, around] += _spread(grid, weights, gradient)
                slopes = _products(grid, gradient, _taken(values, around, values), ctx.scale).mul_(weights)
                # Of the softmax; the neighbours outside the map have a value of 0 and add nothing to this sum.
                slopes -= weights * slopes.sum((0, 3))[..., None]
                of_queries[:, own] = _sums(grid, slopes, _taken(keys, around, values))
                of_keys[:, around] += _spread(grid, slopes, _taken(queries, own, values))
            first, second, third = (
                _map(gradient, grid, torch.channels_last) for gradient in (of_queries, of_keys, of_values)
            )
            return first, second, third, None, None, None


def _products(grid: _Grid, left: Tensor, right: Tensor, scale: float) -> Tensor:
    """Scaled product of every vector on the left with those on the right, for every distance between their rows."""
    pairs = grid.row_pairs()
    result = left.new_zeros(len(pairs), grid.rows, left.shape[1], right.shape[1])
    for part, (here, there) in zip(result, pairs, strict=True):
        _accumulate(part[here], left[here], right[there].mT, scale)
    return result


def _softmax(logits: Tensor, spare: Tensor) -> Tensor:
    """Softmax, in place, over the first and the last axis and one more logit `[rows, columns, 1]`."""
    top = torch.maximum(logits.amax((0, 3))[..., None], spare)
    weights = logits.sub_(top).exp_()
    return weights.div_(weights.sum((0, 3))[..., None] + (spare - top).exp_())


def _sums(grid: _Grid, weights: Tensor, around: Tensor) -> Tensor:
    """Sum of the vectors around, weighted, for every position of a block."""
    result = around.new_zeros(grid.rows, weights.shape[2], around.shape[2])
    for part, (here, there) in zip(weights, grid.row_pairs(), strict=True):
        _accumulate(result[here], part[here], around[there])
    return result


def _spread(grid: _Grid, weights: Tensor, own: Tensor) -> Tensor:
    """The transpose of `_sums`: every position of a block adds its vector, weighted, to the positions around."""
    result = own.new_zeros(grid.rows, weights.shape[3], own.shape[2])
    for part, (here, there) in zip(weights, grid.row_pairs(), strict=True):
        _accumulate(result[there], part[here].mT, own[here])
    return result


def _accumulate(result: Tensor, left: Tensor, right: Tensor, scale: float = 1.0) -> None:
    # Not baddbmm_, which counters of operations do not know.
    torch.baddbmm(result, left, right, alpha=scale, out=result)


def _taken(rows: Tensor, columns: slice, like: Tensor) -> Tensor:
    """Some columns in the precision of the sums; copied, for products of strided rows take twice as long."""
    return rows[:, columns].to(exact_type(like)).contiguous()


def _rows(features: Tensor) -> Tensor:
    """`[B, C, H, W]` to contiguous `[B * H, W, C]`."""
    return features.permute(0, 2, 3, 1).contiguous().flatten(0, 1)


def _map(rows: Tensor, grid: _Grid, wanted: torch.memory_format) -> Tensor:
    """`[B * H, W, C]` back to `[B, C, H, W]`."""
    images = rows.view(grid.batch, grid.height * grid.width, -1)
    if wanted == torch.channels_last:
        return images.view(grid.batch, grid.height, grid.width, -1).permute(0, 3, 1, 2)
    planes = images.new_empty(grid.batch, images.shape[2], grid.height * grid.width)
    for plane, image in zip(planes, images, strict=True):
        plane.copy_(image.mT)  # on CPU, one matrix is transposed four times as fast as a batch of them
    return planes.view(grid.batch, -1, grid.height, grid.width)
