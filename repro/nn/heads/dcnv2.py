"""Deformable convolution, version 2, on top of ASPP."""

from __future__ import annotations

from collections.abc import Mapping

from repro.nn.context.deformable import ModulatedConvolution
from repro.nn.heads.refined import MakeClassifier, MakeContext, RefinedContext


class DCNv2(RefinedContext):
    """A modulated deformable convolution on a context, which itself says where it is sampled.

    Source: DSNet, section Comparing with Related Works: on top of ASPP, one convolution for offsets and masks. Not
    there: kernel and width, and what follows.

    Args:
        channels, num_classes, source, context, concatenate, classifier: See `RefinedContext`.
        kernel_size: Kernel of the deformable convolution and of the one that yields offsets and masks.
        width: Channels of the deformable convolution.

    Raises:
        ValueError: A value is not one of those above, or the backbone lacks the output that is to be read.
    """

    def __init__(
        self,
        channels: Mapping[str, int],
        num_classes: int,
        *,
        source: str,
        context: MakeContext | None,
        kernel_size: int,
        width: int,
        concatenate: bool,
        classifier: MakeClassifier,
    ) -> None:
        super().__init__(
            channels,
            num_classes,
            lambda context_channels: ModulatedConvolution(context_channels, width, kernel_size),
            source=source,
            context=context,
            concatenate=concatenate,
            classifier=classifier,
        )
