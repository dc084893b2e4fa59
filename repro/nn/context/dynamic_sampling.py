"""Convolution over sampled points, and the layers that say where each of its taps looks."""

from __future__ import annotations

import math
from typing import Literal

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from repro.nn.context.nonlocal_block import NonLocalBlock
from repro.nn.context.parts import HeadPart
from repro.nn.first_draw import draw_for_good
from repro.nn.tensors import exact_type, is_recorded, layout

Sampler = Literal["convolution", "nonlocal"]
Origin = Literal["grid", "centre"]

# In square pixels. Behind weights of zero the non-local block would learn nothing at the first step.
_OFFSET_VARIANCE = {"convolution": 0.0, "nonlocal": 1e-4}


def sample(features: Tensor, points: Tensor, mask: Tensor | None = None) -> Tensor:
    """Reads a map at points between its pixels, bilinearly; beyond the border it is zero.

    Every value is a weighted sum of four pixels, so all of them together are one `embedding_bag` whose rows are the
    pixels. With gradients that is faster on CPU than `grid_sample` and several times as fast as torchvision's
    `deform_conv2d`; on GPU its gradient does not depend on the order of atomic additions, so that training can be
    deterministic, where the other two are refused. Positions and sums are float32 at least: half precision is rounded
    once.

    Args:
        features: `[B, C, H, W]`, either memory format.
        points: `[B, 2 * n, h, w]`; n times the distance downwards and to the right, in pixels, from position (i, j) of
            the output to the point that it reads.
        mask: `[B, n, h, w]`, a factor per value.

    Returns:
        `[B, n * C, h, w]`, the C channels of one point side by side, in channels_last format.
    """
    batch, channels, height, width = features.shape
    exact = exact_type(features)
    down, right = points.shape[-2:]
    distances = points.to(exact).reshape(batch, -1, 2, down, right).permute(2, 0, 3, 4, 1).contiguous()
    rows = distances[0] + torch.arange(down, device=points.device).view(-1, 1, 1)  # [B, h, w, n]
    columns = distances[1] + torch.arange(right, device=points.device).view(-1, 1)
    (row, row_share), (column, column_share) = _neighbours(rows, height), _neighbours(columns, width)
    images = torch.arange(batch, device=points.device).view(-1, 1, 1, 1, 1, 1)
    pixels = (images * height + row.unsqueeze(-1)) * width + column.unsqueeze(-2)
    shares = row_share.unsqueeze(-1) * column_share.unsqueeze(-2)
    if mask is not None:
        shares = shares * mask.to(exact).permute(0, 2, 3, 1)[..., None, None]
    table = features.to(exact).permute(0, 2, 3, 1).reshape(-1, channels)
    values = _weighted_rows(table, pixels.reshape(-1, 4), shares.reshape(-1, 4))
    return values.view(batch, down, right, -1).permute(0, 3, 1, 2).to(features.dtype)


def _weighted_rows(table: Tensor, indices: Tensor, weights: Tensor) -> Tensor:
    """Sums of rows `[N, C]` of a table, for indices and weights `[N, 4]`."""
    if not is_recorded():
        return F.embedding_bag(indices, table, per_sample_weights=weights, mode="sum")
    # ONNX has no such operator, and its exporter puts a loop over N in its place.
    total = table.new_zeros(())
    for index, weight in zip(indices.unbind(1), weights.unbind(1), strict=True):
        total = total + table[index] * weight[:, None]
    return total


def _neighbours(places: Tensor, size: int) -> tuple[Tensor, Tensor]:
    """Indices and shares `[..., 2]` of the two pixels of a line that lie around each place."""
    places = places.clamp(-2, size)  # from there on value and gradient are zero, and an index stays small
    below = places.detach().floor()  # constant between pixels, so that the gradient comes through the shares alone
    fraction = places - below
    indices = below.long().unsqueeze(-1) + torch.arange(2, device=places.device)
    inside = (indices >= 0) & (indices < size)
    return indices.clamp(0, size - 1), torch.stack([1 - fraction, fraction], -1) * inside


def regular_grid(kernel_size: int, device: torch.device) -> Tensor:
    """Where an ordinary convolution looks: `[2 * k * k, 1, 1]`, the distances downwards and to the right per tap."""
    steps = torch.arange(kernel_size, device=device, dtype=torch.float32) - kernel_size // 2
    return torch.stack(torch.meshgrid(steps, steps, indexing="ij"), -1).view(-1, 1, 1)


def odd_kernel(kernel_size: int, name: str = "kernel_size") -> int:
    """The size itself.

    Raises:
        ValueError: It is no odd number of at least 1.
    """
    if type(kernel_size) is not int or kernel_size < 1 or kernel_size % 2 == 0:
        raise ValueError(f"{name} must be an odd number, so that one tap lies in the middle, not {kernel_size}")
    return kernel_size


class SampledConvolution(nn.Module):
    """A k x k convolution, the same everywhere, whose taps read a map at given points.

    At the points of `regular_grid` it is an ordinary zero-padded convolution of stride 1. The values read, k^2 times
    the map, are kept for the gradient of the weights; torchvision's `deform_conv2d` reads them once more instead.
    Source: DSNet, equation 2; with a mask, Zhu et al. 2019 (DCNv2), equation 1. First weights as PyTorch draws those
    of a convolution, which is also what mmcv draws for DCNv2's, or by the `first_draw` of the head.

    Raises:
        ValueError: The kernel is no odd number, or the width is below 1.
    """

    is_convolution = True  # for the first draw

    def __init__(self, in_channels: int, width: int, kernel_size: int) -> None:
        super().__init__()
        if width < 1:
            raise ValueError(f"a convolution's width must be at least 1, not {width}")
        self.kernel_size = odd_kernel(kernel_size)
        self.weight = nn.Parameter(torch.empty(width, in_channels, kernel_size, kernel_size))
        nn.init.kaiming_uniform_(self.weight, a=math.sqrt(5))

    def forward(self, features: Tensor, points: Tensor, mask: Tensor | None = None) -> Tensor:
        """Maps `[B, C, H, W]` to `[B, width, h, w]` in the same memory format; points and mask as in `sample`."""
        # As a convolution, not as a matrix product, it has the precision of the convolutions around it.
        kernel = self.weight.permute(0, 2, 3, 1).reshape(self.weight.shape[0], -1, 1, 1)
        return F.conv2d(sample(features, points, mask), kernel).contiguous(memory_format=layout(features))


class PointGenerator(nn.Module):
    """Sampling points `[B, 2 * k * k, h, w]` for every position of a guide `[B, C, h, w]`.

    Source: DSNet, sections Context Guided Dynamic Sampling Module and Dynamic Sampling Network: one convolution; in
    the ablation a non-local sub-network, here Wang et al. 2018's block with C / 2 channels inside in front of that
    convolution.

    Args:
        channels: C.
        kernel_size: k of the convolution that looks at the points.
        sampler: `convolution` or `nonlocal`.
        origin: `grid`: the convolution yields offsets from `regular_grid` and starts at zero (behind a non-local block
            near zero, at hundredths of a pixel), so that sampling starts as an ordinary convolution. `centre`: it
            yields the points themselves, equation 2 read literally. Zero would then put all of them into one pixel;
            the first weights are drawn so that the points of a rectified, normalised guide have the spread of the
            grid, a variance of (k^2 - 1) / 12 along each axis.
        point_kernel: Kernel of the convolution that yields the points, whose draw no `first_draw` changes.

    Raises:
        ValueError: A value is not one of those above, or a kernel is no odd number.
    """

    def __init__(
        self,
        channels: int,
        kernel_size: int,
        *,
        sampler: Sampler,
        origin: Origin,
        point_kernel: int,
    ) -> None:
        super().__init__()
        if sampler not in ("convolution", "nonlocal"):
            raise ValueError(f"sampler must be convolution or nonlocal, not {sampler!r}")
        if origin not in ("grid", "centre"):
            raise ValueError(f"origin must be grid or centre, not {origin!r}")
        self.kernel_size = odd_kernel(kernel_size)
        self.origin = origin
        self.relations = NonLocalBlock(channels, channels // 2) if sampler == "nonlocal" else None
        padding = odd_kernel(point_kernel, "point_kernel") // 2
        self.convolution = nn.Conv2d(channels, 2 * kernel_size**2, point_kernel, padding=padding)
        spread = (kernel_size**2 - 1) / 12 if origin == "centre" else _OFFSET_VARIANCE[sampler]
        # He et al. 2015: 2 / fan_in gives a rectified input's product a variance of 1.
        draw_for_good(self.convolution, math.sqrt(spread * 2 / (channels * point_kernel**2)))

    def forward(self, guide: Tensor) -> Tensor:
        """The points, as distances from each position, see `sample`."""
        if self.relations is not None:
            guide = self.relations(guide)
        points: Tensor = self.convolution(guide)
        return points + regular_grid(self.kernel_size, points.device) if self.origin == "grid" else points


class DynamicSampling(HeadPart):
    """Context guided dynamic sampling: a guide says where each tap of a convolution looks on another map.

    Source: DSNet, Figure 2 and equation 2. Whether BN and ReLU follow is not in the paper.

    Args:
        in_channels: Channels of the map that is sampled.
        guide_channels: Channels of the guide.
        sampler, origin, kernel_size, point_kernel: See `PointGenerator`.
        width: Channels of the result.
        normalised: BN and ReLU at the end.

    Raises:
        ValueError: A value is not one of those above, a kernel is no odd number, or the width is below 1.
    """

    def __init__(
        self,
        in_channels: int,
        guide_channels: int,
        *,
        sampler: Sampler,
        origin: Origin,
        kernel_size: int,
        point_kernel: int,
        width: int,
        normalised: bool,
    ) -> None:
        super().__init__()
        self.points = PointGenerator(
            guide_channels, kernel_size, sampler=sampler, origin=origin, point_kernel=point_kernel
        )
        self.convolution = SampledConvolution(in_channels, width, kernel_size)
        self.norm = nn.BatchNorm2d(width) if normalised else None
        self.out_channels = width

    def forward(self, features: Tensor, guide: Tensor) -> Tensor:
        """Maps `[B, in_channels, H, W]` and a guide `[B, guide_channels, H, W]` to `[B, width, H, W]`."""
        sampled: Tensor = self.convolution(features, self.points(guide))
        return sampled if self.norm is None else F.relu(self.norm(sampled), inplace=True)
