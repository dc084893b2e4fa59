"""Local distribution by the affinity of neighbours."""

from __future__ import annotations

from typing import Literal

import torch
from torch import Tensor, nn

from repro.nn.context.local_attention import local_attention
from repro.nn.context.parts import LocalDistribution
from repro.nn.first_draw import draw_for_good
from repro.nn.layers import ConvBNReLU

Input = Literal["concatenation", "context"]
Combination = Literal["none", "sum", "concatenation"]


class LDv2(LocalDistribution):
    """Lets every position draw on `kernel_size` x `kernel_size` neighbours, by how well their keys fit its query.

    X_l is the backbone's map behind a 1x1 convolution with BN and ReLU, x the concatenation of X_l and the context
    X_g; without a context x is X_l. Query, key and value are bias-free 1x1 convolutions of x. They start as PyTorch
    draws them whatever `first_draw` says, since no normalisation follows: of what He et al. draw for a layer that a
    rectifier follows, the products without a scale would be so large that each position had one neighbour only.
    Source: GALD, section III-B, equations 6 to 8, Table II(b) and (c). There is no public code. Not in the paper: what
    X_l is made by, all widths, and how the result is combined with X_l; by default that is left to the head, which
    sets the backbone's map beside the result.

    Args:
        original_channels: Channels of the backbone's map.
        context_channels: Channels of the context; `None` if there is none.
        kernel_size: Neighbours per side, odd.
        dilation: Positions between neighbours; the same at every output stride.
        key: What the key is made from, `concatenation` or `context`.
        query: The same for the query.
        value: The same for the value.
        local_width: Channels of X_l.
        key_width: Channels of query and key.
        value_width: Channels of the value.
        scaled: Divides the products by the root of `key_width`; equation 8 does not.
        masked_border: Leaves neighbours beyond the border out, instead of counting them as zeros.
        combination: What becomes of X_l behind the attention: `none`, `sum` or `concatenation`.

    Raises:
        ValueError: The kernel is even, a part is to be made from a context that there is not, or a value is not one
            of those above.
    """

    def __init__(
        self,
        original_channels: int,
        context_channels: int | None,
        *,
        kernel_size: int,
        dilation: int,
        key: Input,
        query: Input,
        value: Input,
        local_width: int,
        key_width: int,
        value_width: int,
        scaled: bool,
        masked_border: bool,
        combination: Combination,
    ) -> None:
        super().__init__()
        _check_inputs({"query": query, "key": key, "value": value}, context_channels)
        _check_neighbours(kernel_size, dilation)
        if combination not in ("none", "sum", "concatenation"):
            raise ValueError(f"combination must be none, sum or concatenation, not {combination!r}")
        if min(key_width, value_width) < 1:
            raise ValueError(f"key_width and value_width must be at least 1, not {key_width} and {value_width}")
        if combination == "sum" and local_width != value_width:
            raise ValueError(f"a sum needs local_width = value_width, not {local_width} and {value_width}")
        self.kernel_size, self.dilation, self.masked_border = kernel_size, dilation, masked_border
        self.scale = key_width**-0.5 if scaled else 1.0
        self.query_from, self.key_from, self.value_from, self.combination = query, key, value, combination
        used = combination != "none" or "concatenation" in (query, key, value)
        self.local = ConvBNReLU(original_channels, local_width) if used else None
        channels = {"concatenation": local_width + (context_channels or 0), "context": context_channels or 0}
        self.query = nn.Conv2d(channels[query], key_width, 1, bias=False)
        self.key = nn.Conv2d(channels[key], key_width, 1, bias=False)
        self.value = nn.Conv2d(channels[value], value_width, 1, bias=False)
        for convolution in (self.query, self.key, self.value):
            draw_for_good(convolution, None)
        self.out_channels = value_width + (local_width if combination == "concatenation" else 0)

    def forward(self, original: Tensor, context: Tensor | None = None) -> Tensor:
        """Maps the backbone's map and the context to `[B, out_channels, H, W]`."""
        local: Tensor | None = None if self.local is None else self.local(original)
        x = self._inputs(local, context)
        attended: Tensor = local_attention(
            self.query(x[self.query_from]),
            self.key(x[self.key_from]),
            self.value(x[self.value_from]),
            kernel_size=self.kernel_size,
            dilation=self.dilation,
            scale=self.scale,
            masked_border=self.masked_border,
        )
        if local is not None and self.combination != "none":
            attended = attended + local if self.combination == "sum" else torch.cat([attended, local], 1)
        return attended

    @staticmethod
    def _inputs(local: Tensor | None, context: Tensor | None) -> dict[str, Tensor | None]:
        parts = [part for part in (local, context) if part is not None]
        return {"concatenation": torch.cat(parts, 1) if len(parts) > 1 else parts[0], "context": context}


def _check_inputs(inputs: dict[str, str], context_channels: int | None) -> None:
    for name, made_from in inputs.items():
        if made_from not in ("concatenation", "context"):
            raise ValueError(f"{name} must be concatenation or context, not {made_from!r}")
        if made_from == "context" and context_channels is None:
            raise ValueError(
                f"{name} is to be made from the context, but no global aggregation comes before the local "
                f"distribution; use {name}=concatenation, which is the local feature alone then"
            )


def _check_neighbours(kernel_size: int, dilation: int) -> None:
    if type(kernel_size) is not int or kernel_size < 1 or kernel_size % 2 == 0:
        raise ValueError(f"kernel_size must be odd, such as 3, 5 or 7, so that it has a middle, not {kernel_size}")
    if type(dilation) is not int or dilation < 1:
        raise ValueError(f"dilation must be a whole number of at least 1, not {dilation}")
