"""The non-local block: every position gathers from all others what resembles it."""

from __future__ import annotations

from torch import Tensor, nn

from repro.nn.context.attention import dot_product_attention
from repro.nn.first_draw import draw_for_good


class NonLocalBlock(nn.Module):
    """Residual block of attention among all positions, the embedded Gaussian: `[B, C, H, W]` to the same.

    Source: Wang et al. 2018, equation 6 and Figure 2. The factor 1 / sqrt(inner channels), batch normalisation behind
    the last convolution only and the first draw (a standard deviation of 0.01, the query's bias at zero) are those of
    mmsegmentation and CGNL's public code.

    Differs: There, the last convolution or its normalisation starts at zero, so that the block starts as the identity,
    and at the first step nothing in front of that zero receives a gradient; here that is `zero_init`, off by default.
    The biases of key and value are left out: the softmax takes away what all keys add to a query's products, and batch
    normalisation takes away what all values have in common.

    Args:
        channels: C.
        inner_channels: Channels of query, key and value; C / 2 in the paper.
        scaled: Divides products by the root of `inner_channels`; the paper does not.
        std: Standard deviation of the convolutions' first weights, which no `first_draw` changes; `None` for PyTorch's
            own draw.
        zero_init: Starts as the identity.

    Raises:
        ValueError: There are no inner channels, or the standard deviation is not positive.
    """

    def __init__(
        self,
        channels: int,
        inner_channels: int,
        *,
        scaled: bool = True,
        std: float | None = 0.01,
        zero_init: bool = False,
    ) -> None:
        super().__init__()
        if inner_channels < 1:
            raise ValueError(f"a non-local block needs at least 1 inner channel, not {inner_channels}")
        if std is not None and std <= 0:
            raise ValueError(f"std must be above 0, or null for PyTorch's own draw, not {std}")
        self.scale = inner_channels**-0.5 if scaled else 1.0
        self.query = nn.Conv2d(channels, inner_channels, 1)
        self.key = nn.Conv2d(channels, inner_channels, 1, bias=False)
        self.value = nn.Conv2d(channels, inner_channels, 1, bias=False)
        self.expand = nn.Conv2d(inner_channels, channels, 1, bias=False)
        self.norm = nn.BatchNorm2d(channels)
        for convolution in (self.query, self.key, self.value, self.expand):
            draw_for_good(convolution, std)
        if zero_init:
            nn.init.zeros_(self.norm.weight)

    def forward(self, features: Tensor) -> Tensor:
        """Adds to each position what the others have for it."""
        attended = dot_product_attention(self.query(features), self.key(features), self.value(features), self.scale)
        result: Tensor = features + self.norm(self.expand(attended))
        return result
