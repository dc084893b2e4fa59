"""Reduction of a map by 2 in height and width, and its way back."""

from __future__ import annotations

import torch.nn.functional as F
from torch import Tensor, nn

from repro.errors import ConfigError
from repro.nn.context.pooling import refuse_single_image
from repro.nn.tensors import is_recorded


class Halving(nn.Module):
    """Depth-wise 3x3 convolution of stride 2, BN and, unless `relu` is off, ReLU.

    Padded by 1, the positions 0, 2, 4, ... are the middles of the windows, and `ceil(side / 2)` of them remain; on a
    side of 2n + 1 bilinear enlargement with aligned corners puts each back where it was. GALD's public code does not
    pad: `(side - 1) // 2` positions remain, and enlargement stretches them.

    Differs: The public code has a bias that the BN after it takes away again.

    Args:
        channels: Channels in and out.
        padding: 1 or 0.
        relu: ReLU at the end.

    Raises:
        ValueError: The padding is neither 1 nor 0.
    """

    def __init__(self, channels: int, *, padding: int, relu: bool = True) -> None:
        super().__init__()
        if padding not in (0, 1):
            raise ValueError(f"the padding of a 3x3 convolution of stride 2 must be 0 or 1, not {padding}")
        self.convolution = nn.Conv2d(channels, channels, 3, stride=2, padding=padding, groups=channels, bias=False)
        self.norm = nn.BatchNorm2d(channels)
        self.relu = relu

    def forward(self, features: Tensor) -> Tensor:
        """Maps `[B, C, H, W]` to half its height and width.

        Raises:
            ConfigError: Without padding, the map is smaller than the kernel; or, in training, one position of a single
                image is all that remains.
        """
        height, width = features.shape[-2:]
        if self.convolution.padding[0] == 0 and not is_recorded() and min(height, width) < 3:
            raise ConfigError(
                f"a map of {height}x{width} is too small for a 3x3 convolution of stride 2 without padding; "
                "use larger images or crops, or set padding to 1"
            )
        reduced = self.convolution(features)
        if self.norm.training and not is_recorded() and reduced.shape[-2:] == (1, 1):
            refuse_single_image(reduced, self.norm, "a map reduced to one position", "use larger crops")
        normalised: Tensor = self.norm(reduced)
        return F.relu(normalised, inplace=True) if self.relu else normalised
