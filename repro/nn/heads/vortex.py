"""The two heads of Vortex Pooling."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from repro.nn.context.parallel import Fusion, ParallelContext
from repro.nn.context.vortex import module_a_branches, vortex_branches
from repro.nn.heads.base import Classifier, ContextHead
from repro.nn.layers import DropoutKind


class ModuleA(ContextHead):
    """ASPP on a map of `k` x `k` region means. Source: Vortex Pooling, section 3.3 and Figure 3a.

    The printed utilisation ratios (0.148 for k = 5, 0.479 for k = 9) are 25 k^2 / 65^2, so 25 regions are
    looked at: one 1x1 and three 3x3 convolutions, with ASPP's rates at output stride 8.

    Args:
        channels, num_classes, source: See `Head`.
        k: Size of the average pool in pixels of the feature map.
        rates: Atrous rates of the 3x3 branches at output stride 8.
        width, rates_follow_output_stride, count_include_pad, image_pooling, branch_relu, fusion: See `ParallelContext`.
        extra_conv, extra_conv_dropout, dropout, dropout_kind, logits_std: See `Classifier`.
    """

    reference_output_stride = 8

    def __init__(
        self,
        channels: Mapping[str, int],
        num_classes: int,
        *,
        source: str,
        width: int,
        k: int,
        rates: Sequence[int],
        rates_follow_output_stride: bool,
        count_include_pad: bool,
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
        self.context = ParallelContext(
            self.in_channels,
            width,
            module_a_branches(k, rates),
            image_pooling=image_pooling,
            branch_relu=branch_relu,
            fusion=fusion,
            reference_output_stride=self.reference_output_stride,
            rates_follow_output_stride=rates_follow_output_stride,
            count_include_pad=count_include_pad,
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


class Vortex(ContextHead):
    """Vortex Pooling (Module B): 3x3 atrous convolutions, each on a map of means as large as its rate.

    Source: Vortex Pooling, section 3.4, Figures 3b and 4. Not in the paper: the kernel of the first branch
    (3x3 here, as in both public re-implementations), the borders of the pools, and what lies between
    concatenation and logits.
    Differs: The 1x1 convolution behind the concatenation of LightNet is padded by 1, so that its map grows.

    Args:
        channels, num_classes, source: See `Head`.
        pool_sizes: Size of each branch's average pool in pixels of the feature map, 1 for none.
        rates: Atrous rate of each branch at output stride 8.
        first_branch_kernel: 3 or 1.
        width, rates_follow_output_stride, count_include_pad, image_pooling, branch_relu, fusion: See `ParallelContext`.
        extra_conv, extra_conv_dropout, dropout, dropout_kind, logits_std: See `Classifier`.
    """

    reference_output_stride = 8

    def __init__(
        self,
        channels: Mapping[str, int],
        num_classes: int,
        *,
        source: str,
        width: int,
        pool_sizes: Sequence[int],
        rates: Sequence[int],
        first_branch_kernel: int,
        rates_follow_output_stride: bool,
        count_include_pad: bool,
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
        self.context = ParallelContext(
            self.in_channels,
            width,
            vortex_branches(pool_sizes, rates, first_branch_kernel=first_branch_kernel),
            image_pooling=image_pooling,
            branch_relu=branch_relu,
            fusion=fusion,
            reference_output_stride=self.reference_output_stride,
            rates_follow_output_stride=rates_follow_output_stride,
            count_include_pad=count_include_pad,
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
