"""DeepLabv3's head, and the variant with a 3x3 in place of its 1x1 branch."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from repro.nn.context.aspp import aspp_branches
from repro.nn.context.parallel import Fusion, ParallelContext
from repro.nn.heads.base import Classifier, ContextHead
from repro.nn.layers import DropoutKind


class ASPP(ContextHead):
    """Atrous spatial pyramid pooling with image-level features.

    Source: DeepLabv3, section 3.3 and Figure 5. Dropout, and whether a further 3x3 precedes the logits, are
    not in the paper.

    Args:
        channels, num_classes, source: See `Head`.
        rates: Atrous rates of the 3x3 branches at the reference output stride.
        width, reference_output_stride, rates_follow_output_stride, image_pooling, branch_relu, fusion: See
            `ParallelContext`.
        extra_conv, extra_conv_dropout, dropout, dropout_kind, logits_std: See `Classifier`.
    """

    first_branch_kernel = 1

    def __init__(
        self,
        channels: Mapping[str, int],
        num_classes: int,
        *,
        source: str,
        width: int,
        rates: Sequence[int],
        reference_output_stride: int,
        rates_follow_output_stride: bool,
        image_pooling: bool,
        branch_relu: bool,
        fusion: Fusion,
        extra_conv: bool,
        extra_conv_dropout: float,
        dropout: float,
        dropout_kind: DropoutKind,
        logits_std: float | None,
    ) -> None:
        super().__init__(channels, num_classes, source=source)
        self.reference_output_stride = reference_output_stride
        self.context = ParallelContext(
            self.in_channels,
            width,
            aspp_branches(rates, first_branch_kernel=self.first_branch_kernel),
            image_pooling=image_pooling,
            branch_relu=branch_relu,
            fusion=fusion,
            reference_output_stride=reference_output_stride,
            rates_follow_output_stride=rates_follow_output_stride,
        )
        self.classifier = Classifier(
            self.context.out_channels,
            num_classes,
            extra_conv=extra_conv,
            extra_conv_dropout=extra_conv_dropout,
            dropout=dropout,
            dropout_kind=dropout_kind,
            logits_std=logits_std,
        )


class ASPPPlus(ASPP):
    """ASPP whose 1x1 branch is a dense 3x3. Source: Vortex Pooling, section 4.1 (ASPP+ in Table 1)."""

    first_branch_kernel = 3
