"""The head of Dynamic Sampling Network."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from torch import Tensor

from repro.nn.context.dynamic_sampling import DynamicSampling, odd_kernel
from repro.nn.heads.base import Head
from repro.nn.heads.refined import MakeClassifier, MakeContext, context_of
from repro.nn.layers import ConvBNReLU, enlarged, source_channels

MakeSampling = Callable[[int, int], DynamicSampling]


class DSNet(Head):
    """A context that guides the sampling of an earlier map, and a classifier on all three maps side by side.

    The earlier map goes through a convolution (X_M); the guide, enlarged to its size, says where a k x k convolution
    looks on it (X_S); logits come from the concatenation of X_M, X_S and the enlarged context, which is ASPP's map.
    Source: DSNet, section Dynamic Sampling Network, Figures 2 and 3. Not in the paper: k, every width, what follows a
    convolution, ASPP's rates, the layers of the classifier, and how the guide is enlarged.

    Args:
        channels, num_classes: See `Head`.
        source: The backbone output that the context reads.
        sampled: The backbone output that is sampled.
        guide: What the points come from: `context`, or a backbone output such as `res5`.
        modified_kernel: Kernel of the convolution that yields X_M.
        modified_width: Channels of X_M.
        align_corners: How guide and context are enlarged.
        context: Makes the context from its number of input channels, such as `ASPPContext`; `None` for the backbone's
            map itself.
        sampling: Makes the layer that yields X_S from the channels of X_M and of the guide, such as `DynamicSampling`.
        classifier: Makes the classifier from the channels of the three maps and the number of classes.

    Raises:
        ValueError: A value is not one of those above, or the backbone lacks an output that is to be read.
    """

    def __init__(
        self,
        channels: Mapping[str, int],
        num_classes: int,
        *,
        source: str,
        sampled: str,
        guide: str,
        modified_kernel: int,
        modified_width: int,
        align_corners: bool,
        context: MakeContext | None,
        sampling: MakeSampling,
        classifier: MakeClassifier,
    ) -> None:
        super().__init__(channels, num_classes, source=source)
        if guide != "context" and guide not in channels:
            raise ValueError(
                f"guide {guide!r} is neither context nor an output of this backbone: {', '.join(channels)}"
            )
        self.sampled, self.guide, self.align_corners = sampled, guide, align_corners
        self.context, context_channels = context_of(context, self.in_channels)
        modified_kernel = odd_kernel(modified_kernel, "modified_kernel")
        self.modification = ConvBNReLU(source_channels(channels, sampled, "sampled"), modified_width, modified_kernel)
        self.sampling = sampling(modified_width, context_channels if guide == "context" else channels[guide])
        self.classifier = classifier(modified_width + self.sampling.out_channels + context_channels, num_classes)

    @property
    def sources(self) -> tuple[str, ...]:
        """The backbone outputs that the head reads."""
        return tuple(name for name in dict.fromkeys((self.sampled, self.source, self.guide)) if name != "context")

    def forward(self, features: dict[str, Tensor]) -> Tensor:
        """Maps backbone outputs to logits `[B, num_classes, h, w]` at the size of the sampled map."""
        modified = self.modification(features[self.sampled])
        context = self._enlarged(self.context(features[self.source]), modified)
        guide = context if self.guide == "context" else self._enlarged(features[self.guide], modified)
        logits: Tensor = self.classifier([modified, self.sampling(modified, guide), context])
        return logits

    def _enlarged(self, features: Tensor, like: Tensor) -> Tensor:
        return enlarged(features, like, align_corners=self.align_corners)
