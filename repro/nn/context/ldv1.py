"""Local distribution by a mask."""

from __future__ import annotations

from typing import Literal

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from repro.nn.context.halving import Halving
from repro.nn.context.parts import LocalDistribution
from repro.nn.layers import ConvBNReLU, enlarged

Reduction = Literal["depthwise", "bilinear", "average"]


class LDv1(LocalDistribution):
    """Weighs every channel and position of the context by a mask drawn from the context itself.

    With M = sigmoid(upsample(downsample(X_g))), the result is M * X_g + X_g. Without a context, X_g is the backbone's
    map behind a 3x3 convolution.
    Source: GALD, section III-A, equations 1 and 2; ratio and kinds from Table II(a). Not in the paper: number, kernel,
    padding, BN and ReLU of the depth-wise layers, which are those of GALD's public code but for the padding.
    Differs: As in the public code, a ReLU precedes the sigmoid, so M is at least 0.5; `relu=False` leaves the last
    one out.

    Args:
        original_channels: Channels of the backbone's map.
        context_channels: Channels of the context; `None` if there is none.
        kind: How the context is reduced: `depthwise` by 3x3 convolutions of stride 2, `bilinear` by interpolation,
            `average` by the means of squares.
        ratio: By how much height and width shrink; a power of 2, one convolution per factor of 2.
        padding: Of the depth-wise convolutions, 1 or 0; see `Halving`.
        relu: ReLU behind the last depth-wise convolution, too.
        residuals: How often the context itself is added, 1 or 2; 2 is what the public code comes to.
        align_corners: How the mask is enlarged.
        width: Without a context, channels of the 3x3 convolution; `None` leaves it out.

    Raises:
        ValueError: A value is not one of those above.
    """

    def __init__(
        self,
        original_channels: int,
        context_channels: int | None,
        *,
        kind: Reduction,
        ratio: int,
        padding: int,
        relu: bool,
        residuals: int,
        align_corners: bool,
        width: int | None,
    ) -> None:
        super().__init__()
        layers = _power_of_2(ratio)
        if kind not in ("depthwise", "bilinear", "average"):
            raise ValueError(f"kind must be depthwise, bilinear or average, not {kind!r}")
        if residuals not in (1, 2):
            raise ValueError(f"residuals must be 1 or 2, not {residuals}")
        self.kind, self.ratio, self.residuals, self.align_corners = kind, ratio, residuals, align_corners
        self.reduction: ConvBNReLU | None = None
        if context_channels is None and width is not None:
            self.reduction = ConvBNReLU(original_channels, width, 3)
        self.out_channels = context_channels or width or original_channels
        self.convolutions: nn.Sequential | None = None
        if kind == "depthwise":
            self.convolutions = nn.Sequential(
                *(Halving(self.out_channels, padding=padding, relu=relu or i < layers) for i in range(1, layers + 1))
            )

    def forward(self, original: Tensor, context: Tensor | None = None) -> Tensor:
        """Maps the backbone's map and the context to `[B, out_channels, H, W]`."""
        if context is None:
            context = original if self.reduction is None else self.reduction(original)
        return (self.mask(context) + self.residuals) * context

    def mask(self, context: Tensor) -> Tensor:
        """M of equation 1, between 0 and 1, for a context `[B, C, H, W]`."""
        return torch.sigmoid(enlarged(self._reduced(context), context, align_corners=self.align_corners))

    def _reduced(self, context: Tensor) -> Tensor:
        if self.convolutions is not None:
            reduced: Tensor = self.convolutions(context)
            return reduced
        if self.kind == "average":
            return F.avg_pool2d(context, self.ratio, ceil_mode=True, count_include_pad=False)
        # Not -(-side // ratio): ONNX has no floor for whole numbers below zero, and its exporter cuts towards zero.
        height, width = ((side + self.ratio - 1) // self.ratio for side in context.shape[-2:])
        return F.interpolate(context, size=(height, width), mode="bilinear", align_corners=self.align_corners)


def _power_of_2(ratio: int) -> int:
    if type(ratio) is not int or ratio < 2 or ratio & (ratio - 1):
        raise ValueError(f"ratio must be a power of 2, such as 8, not {ratio}")
    return ratio.bit_length() - 1
