"""The two heads of Vortex Pooling."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from repro.nn.context.parallel import Fusion
from repro.nn.context.vortex import module_a_branches, vortex_branches
from repro.nn.heads.base import ContextHead
from repro.nn.layers import DropoutKind


class ModuleA(ContextHead):
    """ASPP on a map of `k` x `k` region means. Source: Vortex Pooling, section 3.3 and Figure 3a.

    The printed utilisation ratios (0.148 for k = 5, 0.479 for k = 9) are 25 k^2 / 65^2, so 25 regions are
    looked at: one 1x1 and three 3x3 convolutions, with ASPP's rates at output stride 8.

    Args:
        channels: Channels of every backbone output.
        num_classes: Number of classes to tell apart.
        source: The backbone output that the head reads.
        width: Channels of every branch and of the projection.
        k: Size of the average pool in pixels of the feature map; never scaled.
        rates: Atrous rates of the 3x3 branches at output stride 8.
        rates_follow_output_stride: Whether rates halve when the output stride doubles.
        count_include_pad: Whether pools near the border divide by the whole window.
        image_pooling: Adds the branch of image-level features.
        branch_relu: ReLU at the end of every branch.
        fusion: `projected`, `projected_linear`, `projected_3x3` or `direct`; see `ParallelContext`.
        extra_conv: A further 3x3 convolution with BN and ReLU before the logits.
        dropout: Probability before the logits.
        dropout_kind: `elementwise` or `channel`.
        logits_std: Standard deviation of the logits' first weights; `None` for PyTorch's own draw.
    """

    reference_output_stride = 8

    def __init__(
        self,
        channels: Mapping[str, int],
        num_classes: int,
        *,
        source: str = "res5",
        width: int = 256,
        k: int = 5,
        rates: Sequence[int] = (12, 24, 36),
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
        super().__init__(
            channels,
            num_classes,
            module_a_branches(k, rates),
            source=source,
            width=width,
            rates_follow_output_stride=rates_follow_output_stride,
            count_include_pad=count_include_pad,
            image_pooling=image_pooling,
            branch_relu=branch_relu,
            fusion=fusion,
            extra_conv=extra_conv,
            dropout=dropout,
            dropout_kind=dropout_kind,
            logits_std=logits_std,
        )


class Vortex(ContextHead):
    """Vortex Pooling (Module B): 3x3 atrous convolutions, each on a map of means as large as its rate.

    Source: Vortex Pooling, section 3.4, Figures 3b and 4. Not in the paper: the kernel of the first branch
    (3x3 here, as in both public re-implementations), the borders of the pools, and what lies between
    concatenation and logits.

    Args:
        channels: Channels of every backbone output.
        num_classes: Number of classes to tell apart.
        source: The backbone output that the head reads.
        width: Channels of every branch and of the projection.
        pool_sizes: Size of each branch's average pool in pixels of the feature map, 1 for none; never scaled.
        rates: Atrous rate of each branch at output stride 8.
        first_branch_kernel: 3 or 1.
        rates_follow_output_stride: Whether rates halve when the output stride doubles.
        count_include_pad: Whether pools near the border divide by the whole window.
        image_pooling: Adds the branch of image-level features.
        branch_relu: ReLU at the end of every branch.
        fusion: `projected`, `projected_linear`, `projected_3x3` or `direct`; see `ParallelContext`.
        extra_conv: A further 3x3 convolution with BN and ReLU before the logits.
        dropout: Probability before the logits.
        dropout_kind: `elementwise` or `channel`.
        logits_std: Standard deviation of the logits' first weights; `None` for PyTorch's own draw.
    """

    reference_output_stride = 8

    def __init__(
        self,
        channels: Mapping[str, int],
        num_classes: int,
        *,
        source: str = "res5",
        width: int = 256,
        pool_sizes: Sequence[int] = (1, 3, 9, 27),
        rates: Sequence[int] = (1, 3, 9, 27),
        first_branch_kernel: int = 3,
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
        super().__init__(
            channels,
            num_classes,
            vortex_branches(pool_sizes, rates, first_branch_kernel=first_branch_kernel),
            source=source,
            width=width,
            rates_follow_output_stride=rates_follow_output_stride,
            count_include_pad=count_include_pad,
            image_pooling=image_pooling,
            branch_relu=branch_relu,
            fusion=fusion,
            extra_conv=extra_conv,
            dropout=dropout,
            dropout_kind=dropout_kind,
            logits_std=logits_std,
        )
