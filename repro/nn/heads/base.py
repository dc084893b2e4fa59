"""What every head is, and the tail that turns context features into logits."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from torch import Tensor, nn

from repro.nn.context.parallel import Branch, Fusion, ParallelContext
from repro.nn.layers import ConvBNReLU, DropoutKind, deepest, dropout_layer, logits_layer, source_channels


class Head(nn.Module):
    """Base of all heads: backbone outputs in, logits out.

    A head's constructor takes `channels` (channels per backbone output), `num_classes` and its own switches
    by name. It defines `forward(features) -> logits [B, num_classes, h, w]`, and overrides `set_output_stride`
    if something in it depends on the output stride.

    Args:
        channels: Channels of every backbone output, such as `{"res4": 1024, "res5": 2048}`.
        num_classes: Number of classes to tell apart.
        source: The backbone output that the head reads, or `deepest` for the last one that the backbone has.

    Raises:
        ValueError: The backbone has no output called `source`.
    """

    reference_output_stride: int = 16
    rates_follow_output_stride: bool = False

    def __init__(self, channels: Mapping[str, int], num_classes: int, *, source: str = "res5") -> None:
        super().__init__()
        self.source = deepest(channels) if source == "deepest" else source
        self.in_channels = source_channels(channels, self.source)
        self.num_classes = num_classes

    @property
    def sources(self) -> tuple[str, ...]:
        """The backbone outputs that the head reads."""
        return (self.source,)

    def set_output_stride(self, output_stride: int) -> None:
        """Follows the backbone to another output stride; a head without atrous rates has nothing to do."""


class Classifier(nn.Module):
    """Optional 3x3 convolution with BN and ReLU, dropout, 1x1 convolution to logits.

    The extra convolution has the width of its input, as in torchvision and PyTorch-Encoding.
    """

    def __init__(
        self,
        in_channels: int,
        num_classes: int,
        *,
        extra_conv: bool = False,
        dropout: float = 0.1,
        dropout_kind: DropoutKind = "elementwise",
        logits_std: float | None = 0.01,
    ) -> None:
        super().__init__()
        self.extra = ConvBNReLU(in_channels, in_channels, 3) if extra_conv else None
        self.dropout = dropout_layer(dropout, dropout_kind)
        self.logits = logits_layer(in_channels, num_classes, logits_std)

    def forward(self, features: Tensor) -> Tensor:
        """Maps `[B, C, h, w]` to logits `[B, num_classes, h, w]`."""
        if self.extra is not None:
            features = self.extra(features)
        logits: Tensor = self.logits(self.dropout(features))
        return logits


class ContextHead(Head):
    """Parallel branches and a classifier; the rates may follow the output stride, the pools never do."""

    def __init__(
        self,
        channels: Mapping[str, int],
        num_classes: int,
        branches: Sequence[Branch],
        *,
        source: str = "res5",
        width: int = 256,
        rates_follow_output_stride: bool = False,
        count_include_pad: bool = False,
        image_pooling: bool = True,
        branch_relu: bool = True,
        fusion: Fusion = "projected",
        extra_conv: bool = False,
        dropout: float = 0.1,
        dropout_kind: DropoutKind = "elementwise",
        logits_std: float | None = 0.01,
    ) -> None:
        super().__init__(channels, num_classes, source=source)
        self.rates_follow_output_stride = rates_follow_output_stride
        self.context = ParallelContext(
            self.in_channels,
            width,
            branches,
            image_pooling=image_pooling,
            branch_relu=branch_relu,
            fusion=fusion,
            count_include_pad=count_include_pad,
        )
        self.classifier = Classifier(
            self.context.out_channels,
            num_classes,
            extra_conv=extra_conv,
            dropout=dropout,
            dropout_kind=dropout_kind,
            logits_std=logits_std,
        )

    def utilisation(self, side: int) -> float:
        """Share of a feature map of `side` x `side` positions that one output position draws on, see the context."""
        return self.context.utilisation(side)

    def set_output_stride(self, output_stride: int) -> None:
        """Sets every rate to rate x reference output stride / output stride, if the rates are to follow.

        Raises:
            ValueError: A rate would not be a whole number; nothing has changed then.
        """
        if self.rates_follow_output_stride:
            self.context.scale_rates(self.reference_output_stride, output_stride)

    def forward(self, features: dict[str, Tensor]) -> Tensor:
        """Maps backbone outputs to logits `[B, num_classes, h, w]` at the size of the map read."""
        logits: Tensor = self.classifier(self.context(features[self.source]))
        return logits
