"""The four global aggregations that GALD puts a local distribution behind, and a fifth one that aggregates nothing."""

from __future__ import annotations

from collections.abc import Sequence

from torch import Tensor, nn

from repro.nn.context.aspp import aspp_branches
from repro.nn.context.cgnl import CGNLBlock
from repro.nn.context.halving import Halving
from repro.nn.context.nonlocal_block import NonLocalBlock
from repro.nn.context.parallel import ParallelContext
from repro.nn.context.parts import Aggregation
from repro.nn.context.pyramid import PyramidPooling
from repro.nn.layers import ConvBNReLU, DropoutKind, dropout_layer, enlarged


class ASPPAggregation(Aggregation):
    """Atrous spatial pyramid pooling with image-level features, behind a 1x1 projection.

    Source: GALD, section IV-C1 cites DeepLabv3; rates at output stride 8, both widths and the dropout are those of
    GALD's public code.

    Args:
        in_channels: Channels of the map read.
        inner_width: Channels of every branch.
        width: Channels of the projection, and so of the context.
        rates: Atrous rates of the 3x3 branches at output stride 8.
        rates_follow_output_stride: Whether rates halve when the output stride doubles.
        image_pooling: Adds the branch of image-level features.
        dropout: Probability behind the projection.
        dropout_kind: `elementwise` or `channel`.
    """

    def __init__(
        self,
        in_channels: int,
        *,
        inner_width: int,
        width: int,
        rates: Sequence[int],
        rates_follow_output_stride: bool,
        image_pooling: bool,
        dropout: float,
        dropout_kind: DropoutKind,
    ) -> None:
        super().__init__()
        self.context = ParallelContext(
            in_channels,
            inner_width,
            aspp_branches(rates),
            image_pooling=image_pooling,
            branch_relu=True,
            fusion="direct",
            reference_output_stride=8,
            rates_follow_output_stride=rates_follow_output_stride,
        )
        self.projection = ConvBNReLU(self.context.out_channels, width)
        self.dropout = dropout_layer(dropout, dropout_kind)
        self.out_channels = width

    def set_output_stride(self, output_stride: int) -> None:
        """Sets every rate to rate x 8 / output stride, if the rates are to follow.

        Raises:
            ValueError: A rate would not be a whole number; nothing has changed then.
        """
        self.context.set_output_stride(output_stride)

    def forward(self, features: Tensor) -> Tensor:
        """Maps `[B, in_channels, H, W]` to `[B, width, H, W]`."""
        context: Tensor = self.dropout(self.projection(self.context(features)))
        return context


class PSPAggregation(Aggregation):
    """Pyramid pooling, its levels and the map read fused by a 3x3 convolution.

    Source: GALD, section IV-C1 cites PSPNet; bins, widths, fusion and dropout are those of PSPNet's public code.

    Args:
        in_channels: Channels of the map read.
        width: Channels of the fusion, and so of the context.
        bins, level_width, level_relu, align_corners: See `PyramidPooling`.
        dropout: Probability behind the fusion.
        dropout_kind: `elementwise` or `channel`.
    """

    def __init__(
        self,
        in_channels: int,
        *,
        width: int,
        bins: Sequence[int],
        level_width: int | None,
        level_relu: bool,
        align_corners: bool,
        dropout: float,
        dropout_kind: DropoutKind,
    ) -> None:
        super().__init__()
        self.pyramid = PyramidPooling(
            in_channels, width, bins, level_width=level_width, level_relu=level_relu, align_corners=align_corners
        )
        self.dropout = dropout_layer(dropout, dropout_kind)
        self.out_channels = width

    def forward(self, features: Tensor) -> Tensor:
        """Maps `[B, in_channels, H, W]` to `[B, width, H, W]`."""
        context: Tensor = self.dropout(self.pyramid(features))
        return context


class ConvolutionAggregation(Aggregation):
    """A 3x3 convolution with BN and ReLU: what stands before the block of the two below, which looks no further.

    Source: mmsegmentation's FCN head, which is its non-local head without the block.

    Args:
        in_channels: Channels of the map read.
        width: Channels of the convolution, and so of the context.
    """

    def __init__(self, in_channels: int, *, width: int) -> None:
        super().__init__()
        self.reduction = ConvBNReLU(in_channels, width, 3)
        self.out_channels = width

    def forward(self, features: Tensor) -> Tensor:
        """Maps `[B, in_channels, H, W]` to `[B, width, H, W]`."""
        context: Tensor = self.reduction(features)
        return context


class _Relation(Aggregation):
    """A 3x3 convolution to `width` channels, reduction by 2, a residual block, and back to the size of the map."""

    def __init__(
        self, in_channels: int, width: int, block: nn.Module, *, downsample: bool, padding: int, align_corners: bool
    ) -> None:
        super().__init__()
        self.reduction = ConvBNReLU(in_channels, width, 3)
        self.halving = Halving(width, padding=padding) if downsample else None
        self.block = block
        self.align_corners = align_corners
        self.out_channels = width

    def forward(self, features: Tensor) -> Tensor:
        """Maps `[B, in_channels, H, W]` to `[B, width, H, W]`."""
        reduced: Tensor = self.reduction(features)
        if self.halving is None:
            related: Tensor = self.block(reduced)
            return related
        return enlarged(self.block(self.halving(reduced)), reduced, align_corners=self.align_corners)


class NonLocalAggregation(_Relation):
    """Non-local block on a map of half the size.

    Source: GALD, sections III-A (reduction by 2) and IV-C1, which cites Wang et al. 2018; the layers before and behind
    the block are those of GALD's public code for CGNL, but for the padding.

    Args:
        in_channels: Channels of the map read.
        width: Channels of the 3x3 convolution, and so of the context.
        inner_width: Channels of query, key and value.
        scaled: Divides products by the root of `inner_width`.
        std: Standard deviation of the block's first weights; `None` for PyTorch's own draw.
        zero_init: Starts the block as the identity.
        downsample: Halves the map before the block.
        padding: Of the convolution that halves it, 1 or 0; see `Halving`.
        align_corners: How the context is enlarged.
    """

    def __init__(
        self,
        in_channels: int,
        *,
        width: int,
        inner_width: int,
        scaled: bool,
        std: float | None,
        zero_init: bool,
        downsample: bool,
        padding: int,
        align_corners: bool,
    ) -> None:
        block = NonLocalBlock(width, inner_width, scaled=scaled, std=std, zero_init=zero_init)
        super().__init__(in_channels, width, block, downsample=downsample, padding=padding, align_corners=align_corners)


class CGNLAggregation(_Relation):
    """Compact generalised non-local block on a map of half the size.

    Source: GALD, sections III-A (reduction by 2) and IV-C1, which cites Yue et al. 2018; the layers before and behind
    the block, its widths and groups are those of GALD's public code, but for the padding.

    Args:
        in_channels: Channels of the map read.
        width: Channels of the 3x3 convolution, and so of the context.
        inner_width: Channels inside the block.
        groups: Groups of channels that attend to themselves.
        std: Standard deviation of the block's first weights; `None` for PyTorch's own draw.
        zero_init: Starts the block as the identity.
        downsample: Halves the map before the block.
        padding: Of the convolution that halves it, 1 or 0; see `Halving`.
        align_corners: How the context is enlarged.
    """

    def __init__(
        self,
        in_channels: int,
        *,
        width: int,
        inner_width: int,
        groups: int,
        std: float | None,
        zero_init: bool,
        downsample: bool,
        padding: int,
        align_corners: bool,
    ) -> None:
        block = CGNLBlock(width, inner_width, groups, std=std, zero_init=zero_init)
        super().__init__(in_channels, width, block, downsample=downsample, padding=padding, align_corners=align_corners)
