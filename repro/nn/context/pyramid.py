"""Pyramid pooling: averages over coarser and finer grids of regions, beside the map they were taken from."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from repro.nn.context.pooling import refuse_single_image, spread
from repro.nn.layers import ConvBNReLU, enlarged
from repro.nn.tensors import exact_type, layout, without_autocast


class PyramidPooling(nn.Module):
    """Region averages, each level through 1x1 convolution, BN and ReLU, enlarged, beside the map; fused by a 3x3.

    Source: Zhao et al. 2017 (PSPNet), section 3.2 and Figure 3; widths, the fusion (3x3, BN, ReLU) and the way of
    enlarging as in the authors' public code.

    Args:
        in_channels: Channels of the map read.
        width: Channels of the result.
        bins: Regions per axis, one level each.
        level_width: Channels of each level; `None` for `in_channels` / number of levels.
        level_relu: ReLU at the end of every level; GALD's public code has none.
        align_corners: How levels are enlarged.

    Raises:
        ValueError: There is no level, or one of less than 1 region.
    """

    def __init__(
        self,
        in_channels: int,
        width: int,
        bins: Sequence[int],
        *,
        level_width: int | None,
        level_relu: bool,
        align_corners: bool,
    ) -> None:
        super().__init__()
        if not bins or any(type(count) is not int or count < 1 for count in bins):
            raise ValueError(f"bins must be one or more whole numbers of at least 1, not {list(bins)}")
        self.bins = tuple(bins)
        self.align_corners = align_corners
        level_width = max(1, in_channels // len(self.bins)) if level_width is None else level_width
        self.levels = nn.ModuleList(ConvBNReLU(in_channels, level_width, relu=level_relu) for _ in self.bins)
        self.fusion = ConvBNReLU(in_channels + level_width * len(self.bins), width, 3)
        self.out_channels = width

    def forward(self, features: Tensor) -> Tensor:
        """Maps `[B, in_channels, H, W]` to `[B, width, H, W]`.

        Raises:
            ConfigError: A single image in training, where a level is the average of the whole image.
        """
        outputs = [features]
        for count, level, regions in zip(self.bins, self.levels, region_averages(features, self.bins), strict=True):
            assert isinstance(level, ConvBNReLU)
            if count == 1:
                refuse_single_image(features, level.norm, "pyramid pooling", "leave 1 out of bins")
                outputs.append(spread(level(regions), features))
            else:
                outputs.append(enlarged(level(regions), features, align_corners=self.align_corners))
        result: Tensor = self.fusion(torch.cat(outputs, 1))
        return result


def region_averages(features: Tensor, bins: Sequence[int]) -> list[Tensor]:
    """`[B, C, H, W]` to averages `[B, C, n, n]` of its memory format for every n, equal to `adaptive_avg_pool2d`.

    All of them are one matrix product, whose gradient on GPU, unlike that pool's, does not depend on the order of
    atomic additions. Half precision is summed in float32.
    """
    exact = exact_type(features)
    with without_autocast(features.device):
        shares = []
        for count in bins:
            rows, columns = (_regions(size, count, exact, features.device) for size in features.shape[-2:])
            shares.append((rows[:, None, :, None] * columns[:, None]).flatten(2).flatten(0, 1))
        averages = features.to(exact).flatten(2) @ torch.cat(shares).mT
        parts = torch.split(averages.to(features.dtype), [count**2 for count in bins], 2)
        grids = (torch.unflatten(part, 2, (count, count)) for count, part in zip(bins, parts, strict=True))
        return [grid.contiguous(memory_format=layout(features)) for grid in grids]


def _regions(size: int, count: int, dtype: torch.dtype, device: torch.device) -> Tensor:
    """The matrix `[count, size]` whose row i averages region i, from its first to its last pixel touched."""
    places, regions = torch.arange(size, device=device), torch.arange(count, device=device)[:, None]
    first, end = regions * size // count, -((regions + 1) * -size // count)
    inside = ((places >= first) & (places < end)).to(dtype)
    return inside / inside.sum(1, keepdim=True)
