"""What every head is, and the tail that turns context features into logits."""

from __future__ import annotations

from collections.abc import Mapping

from torch import Tensor, nn

from repro.nn.context.parallel import ParallelContext
from repro.nn.context.parts import Aggregation
from repro.nn.layers import ConvBNReLU, DropoutKind, deepest, dropout_layer, logits_layer, source_channels


class Head(nn.Module):
    """Base of all heads: backbone outputs in, logits out.

    A head's constructor takes `channels` (channels per backbone output), `num_classes` and its own switches
    by name. It defines `forward(features) -> logits [B, num_classes, h, w]`, and overrides `set_output_stride`
    if something in it other than an `Aggregation` depends on the output stride.

    Args:
        channels: Channels of every backbone output, such as `{"res4": 1024, "res5": 2048}`.
        num_classes: Number of classes to tell apart.
        source: The backbone output that the head reads, or `deepest` for the last one that the backbone has.

    Raises:
        ValueError: The backbone has no output called `source`.
    """

    reference_output_stride: int = 16

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
        """Passes the output stride of the backbone on to the head's context module, if there is one.

        Raises:
            ValueError: A rate would not be a whole number; nothing has changed then.
        """
        for part in self.children():
            if isinstance(part, Aggregation):
                part.set_output_stride(output_stride)


class Classifier(nn.Module):
    """Optional 3x3 convolution with BN and ReLU and its own dropout before it, dropout, 1x1 convolution to logits.

    Args:
        in_channels: Channels of the map read.
        num_classes: Number of classes to tell apart.
        extra_conv: The 3x3 convolution; it has the width of its input, as in torchvision and PyTorch-Encoding.
        extra_conv_dropout: Probability before the 3x3 convolution; without one it has no effect. torchvision drops here
            (0.5) and not before the logits, PyTorch-Encoding in both places (0.5 and 0.1).
        dropout: Probability before the logits.
        dropout_kind: `elementwise` or `channel`, in both places.
        logits_std: Standard deviation of the logits' first weights; `None` for PyTorch's own draw.
    """

    def __init__(
        self,
        in_channels: int,
        num_classes: int,
        *,
        extra_conv: bool = False,
        extra_conv_dropout: float = 0.0,
        dropout: float,
        dropout_kind: DropoutKind,
        logits_std: float | None,
    ) -> None:
        super().__init__()
        self.extra_dropout = dropout_layer(extra_conv_dropout, dropout_kind)
        self.extra = ConvBNReLU(in_channels, in_channels, 3) if extra_conv else None
        self.dropout = dropout_layer(dropout, dropout_kind)
        self.logits = logits_layer(in_channels, num_classes, logits_std)

    def forward(self, features: Tensor) -> Tensor:
        """Maps `[B, C, h, w]` to logits `[B, num_classes, h, w]`."""
        if self.extra is not None:
            features = self.extra(self.extra_dropout(features))
        logits: Tensor = self.logits(self.dropout(features))
        return logits


class ContextHead(Head):
    """Parallel branches, then a classifier; a subclass's constructor makes both, the branches first."""

    context: ParallelContext
    classifier: Classifier

    def utilisation(self, side: int) -> float:
        """Share of a feature map of `side` x `side` positions that one output position draws on, see the context."""
        return self.context.utilisation(side)

    def forward(self, features: dict[str, Tensor]) -> Tensor:
        """Maps backbone outputs to logits `[B, num_classes, h, w]` at the size of the map read."""
        logits: Tensor = self.classifier(self.context(features[self.source]))
        return logits
