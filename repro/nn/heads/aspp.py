"""DeepLabv3's head, and the variant with a 3x3 in place of its 1x1 branch."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from repro.nn.context.aspp import aspp_branches
from repro.nn.context.parallel import Fusion
from repro.nn.heads.base import ContextHead
from repro.nn.layers import DropoutKind


class ASPP(ContextHead):
    """Atrous spatial pyramid pooling with image-level features.

    Source: DeepLabv3, section 3.3 and Figure 5. Dropout, and whether a further 3x3 precedes the logits, are
    not in the paper; the defaults are those of the authors' TensorFlow code.

    Args:
        channels: Channels of every backbone output.
        num_classes: Number of classes to tell apart.
        source: The backbone output that the head reads.
        width: Channels of every branch and of the projection.
        rates: Atrous rates of the 3x3 branches at the reference output stride.
        reference_output_stride: The output stride that `rates` are meant for.
        rates_follow_output_stride: Whether rates double when the output stride halves.
        image_pooling: Adds the branch of image-level features.
        branch_relu: ReLU at the end of every branch.
        fusion: `projected`, `projected_linear`, `projected_3x3` or `direct`; see `ParallelContext`.
        extra_conv: A further 3x3 convolution with BN and ReLU before the logits.
        dropout: Probability before the logits.
        dropout_kind: `elementwise` or `channel`.
        logits_std: Standard deviation of the logits' first weights; `None` for PyTorch's own draw.
    """

    first_branch_kernel = 1

    def __init__(
        self,
        channels: Mapping[str, int],
        num_classes: int,
        *,
        source: str = "res5",
        width: int = 256,
        rates: Sequence[int] = (6, 12, 18),
        reference_output_stride: int = 16,
        rates_follow_output_stride: bool = True,
        image_pooling: bool = True,
        branch_relu: bool = True,
        fusion: Fusion = "projected",
        extra_conv: bool = False,
        dropout: float = 0.1,
        dropout_kind: DropoutKind = "elementwise",
        logits_std: float | None = 0.01,
    ) -> None:
        super().__init__(
            channels,
            num_classes,
            aspp_branches(rates, first_branch_kernel=self.first_branch_kernel),
            source=source,
            width=width,
            rates_follow_output_stride=rates_follow_output_stride,
            image_pooling=image_pooling,
            branch_relu=branch_relu,
            fusion=fusion,
            extra_conv=extra_conv,
            dropout=dropout,
            dropout_kind=dropout_kind,
            logits_std=logits_std,
        )
        self.reference_output_stride = reference_output_stride


class ASPPPlus(ASPP):
    """ASPP whose 1x1 branch is a dense 3x3. Source: Vortex Pooling, section 4.1 (ASPP+ in Table 1)."""

    first_branch_kernel = 3
