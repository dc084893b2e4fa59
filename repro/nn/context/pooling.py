"""Average pooling at full resolution, as products with banded matrices, and pooling of the whole image."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn

from repro.errors import ConfigError
from repro.nn.layers import ConvBNReLU, global_average
from repro.nn.shared_norm import SharedBatchNorm2d
from repro.nn.tensors import exact_type, is_recorded, is_recorded_or_compiled, layout, without_autocast

_CACHED_NUMBERS = 2**20  # 4 MiB in float32, a cache's share per core or more on most machines


def average_pool(features: Tensor, kernel_size: int, *, count_include_pad: bool) -> Tensor:
    """Averages over `kernel_size` x `kernel_size` windows with stride 1 and zero padding, so the size stays.

    A square window is separable, so the pool is `rows @ features @ columns^T` with one banded matrix per axis:
    the cost does not grow with the window, as that of `avg_pool2d` does with its area, and at the border a row of the
    band has fewer numbers. Running sums would cost less still, but their differences lose digits. Equal to `avg_pool2d`
    to 1e-6 in float32; half precision is summed in float32 and rounded once.

    Args:
        features: `[B, C, H, W]`, either memory format; the result has the same one.
        kernel_size: Odd window size in pixels; may exceed the map.
        count_include_pad: Divide by the whole window (true) or by the pixels inside the map (false: true
            local means).

    Raises:
        ValueError: The window is not an odd number of at least 1.
    """
    if kernel_size < 1 or kernel_size % 2 == 0:
        raise ValueError(f"an average pool that keeps the size needs an odd window, not {kernel_size}")
    if kernel_size == 1:
        return features
    exact = exact_type(features)
    downwards, sideways = (_inside(side, kernel_size, exact, features.device) for side in features.shape[2:])
    if is_recorded_or_compiled():
        return _pooled_in_a_program(features, downwards, sideways, kernel_size if count_include_pad else None)
    rows, columns = (
        inside / (kernel_size if count_include_pad else inside.sum(1, keepdim=True)) for inside in (downwards, sideways)
    )
    pooled: Tensor = _Separable.apply(features, rows, columns)
    return pooled


def _pooled_in_a_program(features: Tensor, rows: Tensor, columns: Tensor, whole_window: int | None) -> Tensor:
    """The same as a few operators, the division last.

    What a product leaves is a view of another shape, and at changing sizes inductor cannot order the strides of one
    that a convolution reads.
    """
    counts = rows.sum(1, keepdim=True) * columns.sum(0) if whole_window is None else whole_window**2
    with without_autocast(features.device):
        return (rows @ features.to(rows.dtype) @ columns / counts).to(features.dtype)


class _Separable(torch.autograd.Function):
    """`rows @ features @ columns^T` per channel.

    It is linear, so its gradient is itself with both transposed, and nothing of the size of a map is kept for it.
    """

    @staticmethod
    def forward(ctx: Any, features: Tensor, rows: Tensor, columns: Tensor) -> Tensor:
        ctx.save_for_backward(rows, columns)
        with without_autocast(features.device):
            if layout(features) == torch.channels_last:
                return _mixed_positions(features, rows, columns)
            return _mixed_planes(features.contiguous(), rows, columns)

    @staticmethod
    def backward(ctx: Any, upstream: Tensor) -> tuple[Tensor, None, None]:
        rows, columns = ctx.saved_tensors
        return _Separable.apply(upstream, rows.mT, columns.mT), None, None


def _mixed_positions(features: Tensor, rows: Tensor, columns: Tensor) -> Tensor:
    """For channels_last: both products mix whole vectors of channels, which lie side by side and are not moved."""
    batch, channels, height, width = features.shape
    values = features.permute(0, 2, 3, 1).reshape(batch, height, width * channels).to(rows.dtype)
    values = torch.bmm(rows.expand(batch, height, height), values).view(batch * height, width, channels)
    values = torch.bmm(columns.expand(batch * height, width, width), values)
    return values.view(batch, height, width, channels).permute(0, 3, 1, 2).to(features.dtype)


def _mixed_planes(features: Tensor, rows: Tensor, columns: Tensor) -> Tensor:
    """For contiguous maps: the lines of many planes below each other in one product, then each plane in another."""
    height, width = features.shape[2:]
    result = torch.empty_like(features)
    together = _planes_at_a_time(features)
    parts = (torch.split(tensor.flatten(0, 1), together) for tensor in (features, result))
    for part, mixed in zip(*parts, strict=True):
        values = torch.mm(part.to(rows.dtype).view(-1, width), columns.mT).view(-1, height, width)
        mixed.copy_(torch.bmm(rows.expand(len(part), height, height), values))
    return result


def _planes_at_a_time(features: Tensor) -> int:
    """On CPU as many as a cache holds between the two products; elsewhere all."""
    batch, channels, height, width = features.shape
    if features.device.type != "cpu":
        return batch * channels
    return max(1, _CACHED_NUMBERS // (height * width))


def _inside(size: int, kernel_size: int, dtype: torch.dtype, device: torch.device) -> Tensor:
    """The symmetric matrix `[size, size]` whose row i has ones for the pixels within half a window of i, else zeros.

    Built at every call: some microseconds, against a cache that inference mode, compilation and device moves
    spoil.
    """
    places = torch.arange(size, device=device)
    return ((places[:, None] - places).abs() <= kernel_size // 2).to(dtype)


class ImagePooling(nn.Module):
    """Image-level features: global average, 1x1 convolution, BN and ReLU, spread over the map again.

    Spreading one value by bilinear upsampling gives that value everywhere, so it is expanded instead.
    Source: DeepLabv3, section 3.3.
    Differs: LightNet normalises behind the spreading, over as many equal values as there are positions. Values and
    gradients are the same; its running variance is n / (n - 1) of the batch's for n positions, ours for n images.
    """

    def __init__(self, in_channels: int, width: int, *, relu: bool) -> None:
        super().__init__()
        self.transform = ConvBNReLU(in_channels, width, relu=relu)

    def forward(self, features: Tensor) -> Tensor:
        """Maps `[B, C, H, W]` to `[B, width, H, W]`.

        Raises:
            ConfigError: A single image in training: its batch statistics would be those of one value per
                channel.
        """
        refuse_single_image(features, self.transform.norm, "image pooling", "set image_pooling to false")
        pooled: Tensor = self.transform(global_average(features))
        return spread(pooled, features)


def spread(values: Tensor, like: Tensor) -> Tensor:
    """`[B, C, 1, 1]` to the size and memory format of a map: concatenating maps of two formats takes twice as long."""
    return values.expand(-1, -1, *like.shape[-2:]).contiguous(memory_format=layout(like))


def refuse_single_image(features: Tensor, norm: nn.Module, what: str, remedy: str) -> None:
    """Speaks up for a batch normalisation that would train on one value per channel.

    Args:
        features: `[B, ...]`, with one position per image where `norm` sees them.
        norm: The normalisation; one that is synchronised sees the other processes' images too.
        what: What cannot train, for the error.
        remedy: What else would help, for the error.

    Raises:
        ConfigError: B is 1, and `norm` is in training.
    """
    if is_recorded() or not norm.training or isinstance(norm, (nn.SyncBatchNorm, SharedBatchNorm2d)):
        return
    if features.shape[0] == 1:
        raise ConfigError(
            f"{what} cannot train on a batch of 1 image, because batch normalisation would see one value per channel; "
            f"use at least 2 images per process, freeze batch normalisation, or {remedy}"
        )
