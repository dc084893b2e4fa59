"""Deformable convolution, version 2, on top of ASPP."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from repro.nn.context.deformable import ModulatedConvolution
from repro.nn.context.parallel import Fusion
from repro.nn.heads.refined import RefinedASPP
from repro.nn.layers import DropoutKind


class DCNv2(RefinedASPP):
    """A modulated deformable convolution on the map of ASPP, which itself says where it is sampled.

    Source: DSNet, section Comparing with Related Works: on top of ASPP, one convolution for offsets and masks. Not
    there: kernel and width, and what follows.

    Args:
        channels: Channels of every backbone output.
        num_classes: Number of classes to tell apart.
        source: The backbone output that ASPP reads.
        kernel_size: Kernel of the deformable convolution and of the one that yields offsets and masks.
        concatenate: Sets ASPP's map beside the result.
        width: Channels of the deformable convolution, and of every branch and the projection of ASPP.
        rates: Atrous rates of ASPP's 3x3 branches at the reference output stride.
        reference_output_stride: The output stride that `rates` are meant for.
        rates_follow_output_stride: Whether rates double when the output stride halves.
        image_pooling: Adds ASPP's branch of image-level features.
        branch_relu: ReLU at the end of every branch.
        fusion: Of ASPP's branches, see `ParallelContext`.
        classifier_width: Channels of a 3x3 convolution with BN and ReLU behind the two maps; `None` for none.
        extra_conv: A further 3x3 convolution with BN and ReLU before the logits.
        dropout: Probability before the logits.
        dropout_kind: `elementwise` or `channel`.
        logits_std: Standard deviation of the logits' first weights; `None` for PyTorch's own draw.

    Raises:
        ValueError: A value is not one of those above, or the backbone lacks the output that is to be read.
    """

    def __init__(
        self,
        channels: Mapping[str, int],
        num_classes: int,
        *,
        source: str = "res5",
        kernel_size: int = 3,
        concatenate: bool = True,
        width: int = 256,
        rates: Sequence[int] = (6, 12, 18),
        reference_output_stride: int = 16,
        rates_follow_output_stride: bool = True,
        image_pooling: bool = True,
        branch_relu: bool = True,
        fusion: Fusion = "projected",
        classifier_width: int | None = 256,
        extra_conv: bool = False,
        dropout: float = 0.1,
        dropout_kind: DropoutKind = "elementwise",
        logits_std: float | None = 0.01,
    ) -> None:
        super().__init__(
            channels,
            num_classes,
            lambda maps: ModulatedConvolution(maps, width, kernel_size),
            source=source,
            width=width,
            rates=rates,
            reference_output_stride=reference_output_stride,
            rates_follow_output_stride=rates_follow_output_stride,
            image_pooling=image_pooling,
            branch_relu=branch_relu,
            fusion=fusion,
            concatenate=concatenate,
            classifier_width=classifier_width,
            extra_conv=extra_conv,
            dropout=dropout,
            dropout_kind=dropout_kind,
            logits_std=logits_std,
        )
