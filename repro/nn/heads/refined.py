"""ASPP with more on top: what DSNet and the two methods that it is compared with share."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import torch
from torch import Tensor, nn

from repro.nn.context.aspp import aspp_branches
from repro.nn.context.deformable import ModulatedConvolution
from repro.nn.context.dynamic_filter import GeneratedFilter
from repro.nn.context.parallel import Fusion, ParallelContext
from repro.nn.heads.base import Classifier, Head
from repro.nn.layers import ConvBNReLU, DropoutKind


class JointClassifier(nn.Module):
    """Concatenation, 3x3 convolution to `width` with BN and ReLU, then what `Classifier` does.

    A width of `None` leaves the convolution out. Not in the paper: section Dynamic Sampling Network has a pixel-wise
    classification sub-network.
    """

    def __init__(
        self,
        in_channels: int,
        num_classes: int,
        width: int | None,
        *,
        extra_conv: bool,
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
            dropout=dropout,
            dropout_kind=dropout_kind,
            logits_std=logits_std,
        )

    def forward(self, maps: Sequence[Tensor]) -> Tensor:
        """Maps several `[B, C, h, w]`, with `in_channels` in all, to logits `[B, num_classes, h, w]`."""
        logits: Tensor = self.classifier(self.hidden(torch.cat(list(maps), 1)))
        return logits


class RefinedASPP(Head):
    """ASPP, a layer that reads its map, and the classifier that DSNet has on both maps side by side.

    `refine` makes the layer from the channels of ASPP's map; the layer has `out_channels`. The other arguments are
    those of its subclasses.
    """

    def __init__(
        self,
        channels: Mapping[str, int],
        num_classes: int,
        refine: Callable[[int], ModulatedConvolution | GeneratedFilter],
        *,
        source: str,
        width: int,
        rates: Sequence[int],
        reference_output_stride: int,
        rates_follow_output_stride: bool,
        image_pooling: bool,
        branch_relu: bool,
        fusion: Fusion,
        concatenate: bool,
        classifier_width: int | None,
        extra_conv: bool,
        dropout: float,
        dropout_kind: DropoutKind,
        logits_std: float | None,
    ) -> None:
        super().__init__(channels, num_classes, source=source)
        self.reference_output_stride = reference_output_stride
        self.rates_follow_output_stride = rates_follow_output_stride
        self.concatenate = concatenate
        self.context = ParallelContext(
            self.in_channels,
            width,
            aspp_branches(rates),
            image_pooling=image_pooling,
            branch_relu=branch_relu,
            fusion=fusion,
        )
        self.refinement = refine(self.context.out_channels)
        self.classifier = JointClassifier(
            self.refinement.out_channels + (self.context.out_channels if concatenate else 0),
            num_classes,
            classifier_width,
            extra_conv=extra_conv,
            dropout=dropout,
            dropout_kind=dropout_kind,
            logits_std=logits_std,
        )

    def set_output_stride(self, output_stride: int) -> None:
        """Sets ASPP's rates to rate x reference output stride / output stride, if they are to follow.

        Raises:
            ValueError: A rate would not be a whole number; nothing has changed then.
        """
        if self.rates_follow_output_stride:
            self.context.scale_rates(self.reference_output_stride, output_stride)

    def forward(self, features: dict[str, Tensor]) -> Tensor:
        """Maps backbone outputs to logits `[B, num_classes, h, w]` at the size of the map read."""
        context = self.context(features[self.source])
        refined = self.refinement(context)
        logits: Tensor = self.classifier([context, refined] if self.concatenate else [refined])
        return logits
