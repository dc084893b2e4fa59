"""Modulated deformable convolution: a map that guides its own sampling."""

from __future__ import annotations

import torch.nn.functional as F
from torch import Tensor, nn

from repro.nn.context.dynamic_sampling import SampledConvolution, odd_kernel, regular_grid
from repro.nn.first_draw import draw_for_good


class ModulatedConvolution(nn.Module):
    """Deformable convolution, version 2, with BN and ReLU: `[B, C, H, W]` to `[B, width, H, W]`.

    One convolution of the same kernel yields an offset from the regular grid and, through a sigmoid, a factor between
    0 and 1 per tap and position. It starts at zero, whatever `first_draw` says: no offsets, every factor 0.5.
    Source: Zhu et al. 2019, section 3.2; kernel, padding and that start as in mmcv's operator.

    Raises:
        ValueError: The kernel is no odd number, or the width is below 1.
    """

    def __init__(self, in_channels: int, width: int, kernel_size: int) -> None:
        super().__init__()
        self.taps = odd_kernel(kernel_size) ** 2
        self.out_channels = width
        self.sampling = nn.Conv2d(in_channels, 3 * self.taps, kernel_size, padding=kernel_size // 2)
        draw_for_good(self.sampling, 0)
        self.convolution = SampledConvolution(in_channels, width, kernel_size)
        self.norm = nn.BatchNorm2d(width)

    def forward(self, features: Tensor) -> Tensor:
        """Samples the map where it asks to be sampled."""
        offsets, factors = self.sampling(features).split([2 * self.taps, self.taps], 1)
        points = offsets + regular_grid(self.convolution.kernel_size, features.device)
        normalised: Tensor = self.norm(self.convolution(features, points, factors.sigmoid()))
        return F.relu(normalised, inplace=True)
