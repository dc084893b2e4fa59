"""The compact generalised non-local block, whose attention among all positions and channels is one product."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from repro.nn.first_draw import draw_for_good
from repro.nn.tensors import exact_type, without_autocast


class CGNLBlock(nn.Module):
    """Residual block of attention among all positions and channels of a group: `[B, C, H, W]` to the same.

    Among all pairs of numbers of a group, the attention of the dot-product kernel, theta (phi^T g), is theta times one
    number, the sum of phi * g. The 1x1 convolution behind it is linear within each group, so the number may as well
    come after it. It grows with the map, without any scale, and is only tamed by the group normalisation; those two
    are therefore in float32 under autocast too.

    Since the groups of the normalisation are those of the attention, it takes the size of that number away again: what
    is left is its sign, and as much of its size as `eps` lets through. So phi and g receive a gradient of the order of
    eps / variance in front of the normalisation, which is lost in rounding once activations are large; weights drawn
    small keep it alive at the start.

    Source: Yue et al. 2018, section 3; layers and first draw as in the authors' public code (no scale, no bias, 8
    groups, standard deviation 0.01).

    Differs: The authors start group normalisation at zero, so that the block starts as the identity, and at the first
    step nothing in front of that zero receives a gradient; here that is `zero_init`, off by default, as in GALD's copy.

    Args:
        channels: C.
        inner_channels: Channels of theta, phi and g; C / 2 in the paper.
        groups: Groups of the attention, of the last convolution and of its normalisation.
        std: Standard deviation of the convolutions' first weights, which no `first_draw` changes; `None` for PyTorch's
            own draw, as in GALD's copy.
        zero_init: Starts as the identity.

    Raises:
        ValueError: The groups do not divide both numbers of channels, or the standard deviation is not positive.
    """

    def __init__(
        self,
        channels: int,
        inner_channels: int,
        groups: int,
        *,
        std: float | None,
        zero_init: bool,
    ) -> None:
        super().__init__()
        if groups < 1 or inner_channels < 1 or channels % groups or inner_channels % groups:
            raise ValueError(
                f"groups must divide the {channels} channels and the {inner_channels} inner channels of a CGNL block; "
                f"{groups} does not"
            )
        if std is not None and std <= 0:
            raise ValueError(f"std must be above 0, or null for PyTorch's own draw, not {std}")
        self.theta = nn.Conv2d(channels, inner_channels, 1, bias=False)
        self.phi = nn.Conv2d(channels, inner_channels, 1, bias=False)
        self.g = nn.Conv2d(channels, inner_channels, 1, bias=False)
        self.expand = nn.Conv2d(inner_channels, channels, 1, groups=groups, bias=False)
        self.norm = nn.GroupNorm(groups, channels)
        for convolution in (self.theta, self.phi, self.g, self.expand):
            draw_for_good(convolution, std)
        if zero_init:
            nn.init.zeros_(self.norm.weight)

    def forward(self, features: Tensor) -> Tensor:
        """Adds to each position the attention of its group."""
        attended = grouped_attention(
            self.expand(self.theta(features)), self.phi(features), self.g(features), self.norm.num_groups
        )
        with without_autocast(features.device):
            norm = self.norm
            weight, bias = norm.weight.to(attended.dtype), norm.bias.to(attended.dtype)
            attended = F.group_norm(attended, norm.num_groups, weight, bias, norm.eps)
        return features + attended.to(features.dtype)


def grouped_attention(theta: Tensor, phi: Tensor, g: Tensor, groups: int) -> Tensor:
    """Multiplies each group of theta's channels by the sum of phi * g over that group and all positions.

    Args:
        theta: `[B, D, H, W]`, either memory format; the result has the same one.
        phi: `[B, C, H, W]`.
        g: `[B, C, H, W]`.
        groups: A divisor of C and of D.

    Returns:
        `[B, D, H, W]` in float32, or float64 for float64.
    """
    exact = exact_type(theta)
    with without_autocast(theta.device):
        sums = (phi.to(exact) * g.to(exact)).sum((2, 3))
        factors = torch.unflatten(sums, 1, (groups, -1)).sum(2)
        factors = factors.repeat_interleave(theta.shape[1] // groups, 1)
        return theta.to(exact) * factors[:, :, None, None]
