"""Filters that the image itself yields."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from repro.nn.context.dynamic_sampling import odd_kernel
from repro.nn.context.pyramid import region_averages
from repro.nn.layers import ConvBNReLU
from repro.nn.tensors import is_recorded, layout, neighbours


class GeneratedFilter(nn.Module):
    """Filters every channel of every image with a k x k kernel of its own, then BN and ReLU; `[B, C, H, W]` stays.

    The kernels come from the map: convolution with BN and ReLU, adaptive average pooling to k x k, 1x1 convolution.
    Source: DSNet, section Comparing with Related Works, for these layers. That the filter is depth-wise and that BN
    and ReLU follow it is from mmsegmentation's head of DMNet, which two of DSNet's authors wrote.

    Args:
        channels: C.
        kernel_size: k.
        generator_kernel: Kernel of the convolution before the pooling.

    Raises:
        ValueError: A kernel is no odd number.
    """

    def __init__(self, channels: int, kernel_size: int, *, generator_kernel: int) -> None:
        super().__init__()
        self.kernel_size = odd_kernel(kernel_size)
        self.out_channels = channels
        self.reduction = ConvBNReLU(channels, channels, odd_kernel(generator_kernel, "generator_kernel"))
        self.kernels = nn.Conv2d(channels, channels, 1)
        self.norm = nn.BatchNorm2d(channels)

    def forward(self, features: Tensor) -> Tensor:
        """Filters each image with the kernels that it yields."""
        (regions,) = region_averages(self.reduction(features), (self.kernel_size,))
        kernels = self.kernels(regions)
        normalised: Tensor = self.norm(_filtered(features, kernels))
        return F.relu(normalised, inplace=True)


def _filtered(features: Tensor, kernels: Tensor) -> Tensor:
    """Every channel `[B, C, H, W]` filtered with its kernel of `[B, C, k, k]`."""
    kernel_size = kernels.shape[-1]
    if is_recorded():  # groups are a constant of a program, and so the number of images would be
        return (torch.stack(neighbours(features, kernel_size), 2) * kernels.flatten(2)[..., None, None]).sum(2)
    # As groups of one long image all images are filtered in one call.
    together = features.reshape(1, -1, *features.shape[-2:])
    kernels = kernels.reshape(together.shape[1], 1, kernel_size, kernel_size)
    filtered = F.conv2d(together, kernels, padding=kernel_size // 2, groups=together.shape[1])
    return filtered.reshape(features.shape).contiguous(memory_format=layout(features))
