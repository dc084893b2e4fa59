"""A context with more on top: what DSNet and the two methods that it is compared with share."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import torch
from torch import Tensor, nn

from repro.nn.context.deformable import ModulatedConvolution
from repro.nn.context.dynamic_filter import GeneratedFilter
from repro.nn.context.parts import Aggregation, HeadPart
from repro.nn.heads.base import Classifier, Head
from repro.nn.layers import ConvBNReLU, DropoutKind


class JointClassifier(HeadPart):
    """Concatenation of maps, 3x3 convolution with BN and ReLU, then what `Classifier` does.

    Not in the paper: DSNet, section Dynamic Sampling Network has a pixel-wise classification sub-network.

    Args:
        in_channels: Channels of all maps together.
        num_classes: Number of classes to tell apart.
        width: Channels of the 3x3 convolution; `None` for none.
        extra_conv, extra_conv_dropout, dropout, dropout_kind, logits_std: See `Classifier`.
    """

    def __init__(
        self,
        in_channels: int,
        num_classes: int,
        *,
        width: int | None,
        extra_conv: bool,
        extra_conv_dropout: float,
        dropout: float,
        dropout_kind: DropoutKind,
        logits_std: float | None,
    ) -> None:
        super().__init__()
        self.hidden: nn.Module = nn.Identity() if width is None else ConvBNReLU(in_channels, width, 3)
        self.classifier = Classifier(
            in_channels if width is None else width,
            num_classes,
            extra_conv=extra_conv,
            extra_conv_dropout=extra_conv_dropout,
            dropout=dropout,
            dropout_kind=dropout_kind,
            logits_std=logits_std,
        )

    def forward(self, maps: Sequence[Tensor]) -> Tensor:
        """Maps several `[B, C, h, w]`, with `in_channels` in all, to logits `[B, num_classes, h, w]`."""
        logits: Tensor = self.classifier(self.hidden(torch.cat(list(maps), 1)))
        return logits


MakeContext = Callable[[int], Aggregation]
MakeClassifier = Callable[[int, int], JointClassifier]


def context_of(context: MakeContext | None, in_channels: int) -> tuple[nn.Module, int]:
    """The context module and its channels; without one the backbone's map stands in its place."""
    if context is None:
        return nn.Identity(), in_channels
    made = context(in_channels)
    return made, made.out_channels


class RefinedContext(Head):
    """A context, a layer that reads it, and the classifier that DSNet has on both maps side by side.

    Args:
        channels, num_classes, source: See `Head`.
        refine: Makes the layer from the channels of the context.
        context: Makes the context from its number of input channels, such as `ASPPContext`; `None` for the backbone's
            map itself.
        concatenate: Sets the context beside the layer's result.
        classifier: Makes the classifier from the channels of the maps and the number of classes.
    """

    def __init__(
        self,
        channels: Mapping[str, int],
        num_classes: int,
        refine: Callable[[int], ModulatedConvolution | GeneratedFilter],
        *,
        source: str,
        context: MakeContext | None,
        concatenate: bool,
        classifier: MakeClassifier,
    ) -> None:
        super().__init__(channels, num_classes, source=source)
        self.concatenate = concatenate
        self.context, context_channels = context_of(context, self.in_channels)
        self.refinement = refine(context_channels)
        joined = self.refinement.out_channels + (context_channels if concatenate else 0)
        self.classifier = classifier(joined, num_classes)

    def forward(self, features: dict[str, Tensor]) -> Tensor:
        """Maps backbone outputs to logits `[B, num_classes, h, w]` at the size of the map read."""
        context = self.context(features[self.source])
        refined = self.refinement(context)
        logits: Tensor = self.classifier([context, refined] if self.concatenate else [refined])
        return logits
