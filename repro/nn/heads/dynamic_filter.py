"""A dynamic filter on top of ASPP."""

from __future__ import annotations

from collections.abc import Mapping

from repro.nn.context.dynamic_filter import GeneratedFilter
from repro.nn.heads.refined import MakeClassifier, MakeContext, RefinedContext


class DynamicFilter(RefinedContext):
    """A context, filtered with kernels that it yields itself, one per channel and image.

    Source: DSNet, section Comparing with Related Works: on top of ASPP, the layers that yield the kernels. Not there:
    the size of the kernels and how they are applied.

    Args:
        channels, num_classes, source, context, concatenate, classifier: See `RefinedContext`.
        kernel_size: Size of the kernels that the image yields.
        generator_kernel: Kernel of the convolution that they come from.

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
        generator_kernel: int,
        concatenate: bool,
        classifier: MakeClassifier,
    ) -> None:
        super().__init__(
            channels,
            num_classes,
            lambda context_channels: GeneratedFilter(context_channels, kernel_size, generator_kernel=generator_kernel),
            source=source,
            context=context,
            concatenate=concatenate,
            classifier=classifier,
        )
