"""Atrous spatial pyramid pooling, as a list of branches and as a part of a head."""

from __future__ import annotations

from collections.abc import Sequence

from repro.nn.context.parallel import Branch, Fusion, ParallelContext


def aspp_branches(rates: Sequence[int], *, first_branch_kernel: int = 1) -> tuple[Branch, ...]:
    """One convolution without gaps, then one 3x3 atrous convolution per rate.

    Source: DeepLabv3, section 3.3 and Figure 5. A first kernel of 3 gives ASPP+ (Vortex Pooling, section
    4.1).

    Raises:
        ValueError: There is no rate.
    """
    if not rates:
        raise ValueError("ASPP needs at least one rate, such as 6, 12, 18")
    return (Branch(first_branch_kernel), *(Branch(3, rate) for rate in rates))


class ASPPContext(ParallelContext):
    """ASPP as the context of a head that has more behind it.

    Args:
        in_channels: Channels of the map read.
        rates: Atrous rates of the 3x3 branches at the reference output stride.
        width, reference_output_stride, rates_follow_output_stride, image_pooling, branch_relu, fusion: See
            `ParallelContext`.
    """

    def __init__(
        self,
        in_channels: int,
        *,
        width: int,
        rates: Sequence[int],
        reference_output_stride: int,
        rates_follow_output_stride: bool,
        image_pooling: bool,
        branch_relu: bool,
        fusion: Fusion,
    ) -> None:
        super().__init__(
            in_channels,
            width,
            aspp_branches(rates),
            image_pooling=image_pooling,
            branch_relu=branch_relu,
            fusion=fusion,
            reference_output_stride=reference_output_stride,
            rates_follow_output_stride=rates_follow_output_stride,
        )
