"""PSPNet's head."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from torch import Tensor

from repro.nn.context.pyramid import PyramidPooling
from repro.nn.heads.base import Classifier, Head
from repro.nn.layers import DropoutKind


class PSP(Head):
    """Pyramid pooling, then logits.

    Source: Zhao et al. 2017 (PSPNet), section 3.2 and Figure 3; the layers behind the pyramid as in its public code.

    Args:
        channels, num_classes, source: See `Head`.
        width, bins, level_width, level_relu, align_corners: See `PyramidPooling`.
        dropout, dropout_kind, logits_std: See `Classifier`.
    """

    reference_output_stride = 8

    def __init__(
        self,
        channels: Mapping[str, int],
        num_classes: int,
        *,
        source: str,
        width: int,
        bins: Sequence[int],
        level_width: int | None,
        level_relu: bool,
        align_corners: bool,
        dropout: float,
        dropout_kind: DropoutKind,
        logits_std: float | None,
    ) -> None:
        super().__init__(channels, num_classes, source=source)
        self.pyramid = PyramidPooling(
            self.in_channels, width, bins, level_width=level_width, level_relu=level_relu, align_corners=align_corners
        )
        self.classifier = Classifier(
            width, num_classes, dropout=dropout, dropout_kind=dropout_kind, logits_std=logits_std
        )

    def forward(self, features: dict[str, Tensor]) -> Tensor:
        """Maps backbone outputs to logits `[B, num_classes, h, w]` at the size of the map read."""
        logits: Tensor = self.classifier(self.pyramid(features[self.source]))
        return logits
