"""The head without context, and the auxiliary head."""

from __future__ import annotations

from collections.abc import Mapping

from torch import Tensor, nn

from repro.nn.heads.base import Classifier, Head
from repro.nn.layers import ConvBNReLU, DropoutKind


class FCN(Head):
    """A 3x3 convolution with BN and ReLU, dropout, 1x1 convolution to logits.

    Source: Long et al. 2015 on a dilated ResNet, as in torchvision's `fcn_resnet50`.

    Args:
        channels, num_classes, source: See `Head`.
        width: Channels of the 3x3 convolution; `None` leaves it out, which is DeepLabv3's cascade baseline.
        dropout, dropout_kind, logits_std: See `Classifier`.
    """

    def __init__(
        self,
        channels: Mapping[str, int],
        num_classes: int,
        *,
        source: str,
        width: int | None,
        dropout: float,
        dropout_kind: DropoutKind,
        logits_std: float | None,
    ) -> None:
        super().__init__(channels, num_classes, source=source)
        self.hidden: nn.Module = nn.Identity() if width is None else ConvBNReLU(self.in_channels, width, 3)
        self.classifier = Classifier(
            width or self.in_channels,
            num_classes,
            dropout=dropout,
            dropout_kind=dropout_kind,
            logits_std=logits_std,
        )

    def forward(self, features: dict[str, Tensor]) -> Tensor:
        """Maps backbone outputs to logits `[B, num_classes, h, w]` at the size of the map read."""
        logits: Tensor = self.classifier(self.hidden(features[self.source]))
        return logits


class AuxiliaryHead(FCN):
    """The same layers on an earlier stage, for a second loss in training only.

    Source: PSPNet (its public code).
    Differs: GALD has a bias in front of the BN, which takes it away again.

    Args:
        channels, num_classes, source, width, dropout, dropout_kind, logits_std: See `FCN`.
    """
