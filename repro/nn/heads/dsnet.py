"""The head of Dynamic Sampling Network."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Literal

from torch import Tensor

from repro.nn.context.aspp import aspp_branches
from repro.nn.context.dynamic_sampling import DynamicSampling, Origin, PointGenerator, Sampler, odd_kernel
from repro.nn.context.parallel import Fusion, ParallelContext
from repro.nn.heads.base import Head
from repro.nn.heads.refined import JointClassifier
from repro.nn.layers import ConvBNReLU, DropoutKind, enlarged, source_channels


class DSNet(Head):
    """ASPP, whose map guides the sampling of an earlier one, and a classifier on all three maps side by side.

    The earlier map goes through a convolution (X_M); the guide, enlarged to its size, says where a k x k convolution
    looks on it (X_S); logits come from the concatenation of X_M, X_S and the enlarged map of ASPP.
    Source: DSNet, section Dynamic Sampling Network, Figures 2 and 3. Not in the paper: k, every width, what follows a
    convolution, ASPP's rates, the layers of the classifier, and how the guide is enlarged.

    Args:
        channels: Channels of every backbone output.
        num_classes: Number of classes to tell apart.
        source: The backbone output that ASPP reads.
        sampled: The backbone output that is sampled.
        guide: What the points come from: `aspp`, or a backbone output such as `res5`.
        concatenated: What stands beside X_M and X_S: `aspp`, or `guide`; then there is no ASPP unless it is the guide.
        sampler: `convolution` or `nonlocal`, see `PointGenerator`.
        sampling_origin: `grid` or `centre`, see `PointGenerator`.
        kernel_size: k.
        point_kernel: Kernel of the convolution that yields the points.
        modified_kernel: Kernel of the convolution that yields X_M.
        modified_width: Channels of X_M.
        sampled_norm: BN and ReLU on X_S.
        width: Channels of X_S, and of every branch and the projection of ASPP.
        rates: Atrous rates of ASPP's 3x3 branches at the reference output stride.
        reference_output_stride: The output stride that `rates` are meant for.
        rates_follow_output_stride: Whether rates double when the output stride halves.
        image_pooling: Adds ASPP's branch of image-level features.
        branch_relu: ReLU at the end of every branch.
        fusion: Of ASPP's branches, see `ParallelContext`.
        align_corners: How the guide is enlarged.
        classifier_width: Channels of a 3x3 convolution with BN and ReLU behind the concatenation; `None` for none.
        extra_conv: A further 3x3 convolution with BN and ReLU before the logits.
        dropout: Probability before the logits.
        dropout_kind: `elementwise` or `channel`.
        logits_std: Standard deviation of the logits' first weights; `None` for PyTorch's own draw.

    Raises:
        ValueError: A value is not one of those above, or the backbone lacks an output that is to be read.
    """

    def __init__(
        self,
        channels: Mapping[str, int],
        num_classes: int,
        *,
        source: str = "res5",
        sampled: str = "res3",
        guide: str = "aspp",
        concatenated: Literal["aspp", "guide"] = "aspp",
        sampler: Sampler = "convolution",
        sampling_origin: Origin = "grid",
        kernel_size: int = 3,
        point_kernel: int = 3,
        modified_kernel: int = 3,
        modified_width: int = 256,
        sampled_norm: bool = True,
        width: int = 256,
        rates: Sequence[int] = (6, 12, 18),
        reference_output_stride: int = 16,
        rates_follow_output_stride: bool = True,
        image_pooling: bool = True,
        branch_relu: bool = True,
        fusion: Fusion = "projected",
        align_corners: bool = False,
        classifier_width: int | None = 256,
        extra_conv: bool = False,
        dropout: float = 0.1,
        dropout_kind: DropoutKind = "elementwise",
        logits_std: float | None = 0.01,
    ) -> None:
        super().__init__(channels, num_classes, source=source)
        _check_guide(guide, concatenated, channels)
        self.sampled, self.guide, self.concatenated = sampled, guide, concatenated
        self.reference_output_stride = reference_output_stride
        self.rates_follow_output_stride = rates_follow_output_stride
        self.align_corners = align_corners
        self.context: ParallelContext | None = None
        if "aspp" in (guide, concatenated):
            branches = aspp_branches(rates)
            self.context = ParallelContext(
                self.in_channels, width, branches, image_pooling=image_pooling, branch_relu=branch_relu, fusion=fusion
            )
        guide_channels, context_channels = self._widths(channels)
        modified_kernel = odd_kernel(modified_kernel, "modified_kernel")
        self.modification = ConvBNReLU(source_channels(channels, sampled, "sampled"), modified_width, modified_kernel)
        points = PointGenerator(
            guide_channels, kernel_size, sampler=sampler, origin=sampling_origin, point_kernel=point_kernel
        )
        self.sampling = DynamicSampling(modified_width, width, points, normalised=sampled_norm)
        self.classifier = JointClassifier(
            modified_width + width + context_channels,
            num_classes,
            classifier_width,
            extra_conv=extra_conv,
            dropout=dropout,
            dropout_kind=dropout_kind,
            logits_std=logits_std,
        )

    def _widths(self, channels: Mapping[str, int]) -> tuple[int, int]:
        """Channels of the guide and of what is concatenated."""
        context = 0 if self.context is None else self.context.out_channels
        guide = context if self.guide == "aspp" else channels[self.guide]
        return guide, guide if self.concatenated == "guide" else context

    @property
    def sources(self) -> tuple[str, ...]:
        """The backbone outputs that the head reads."""
        read = [self.sampled]
        if self.context is not None:
            read.append(self.source)
        if self.guide != "aspp":
            read.append(self.guide)
        return tuple(dict.fromkeys(read))

    def set_output_stride(self, output_stride: int) -> None:
        """Sets ASPP's rates to rate x reference output stride / output stride, if they are to follow.

        Raises:
            ValueError: A rate would not be a whole number; nothing has changed then.
        """
        if self.context is not None and self.rates_follow_output_stride:
            self.context.scale_rates(self.reference_output_stride, output_stride)

    def forward(self, features: dict[str, Tensor]) -> Tensor:
        """Maps backbone outputs to logits `[B, num_classes, h, w]` at the size of the sampled map."""
        modified = self.modification(features[self.sampled])
        context = None if self.context is None else self._enlarged(self.context(features[self.source]), modified)
        guide = context if self.guide == "aspp" else self._enlarged(features[self.guide], modified)
        beside = guide if self.concatenated == "guide" else context
        assert guide is not None  # without ASPP neither of the two asks for it
        assert beside is not None
        logits: Tensor = self.classifier([modified, self.sampling(modified, guide), beside])
        return logits

    def _enlarged(self, features: Tensor, like: Tensor) -> Tensor:
        return enlarged(features, like, align_corners=self.align_corners)


def _check_guide(guide: str, concatenated: str, channels: Mapping[str, int]) -> None:
    if guide != "aspp" and guide not in channels:
        raise ValueError(f"guide {guide!r} is neither aspp nor an output of this backbone: {', '.join(channels)}")
    if concatenated not in ("aspp", "guide"):
        raise ValueError(f"concatenated must be aspp or guide, not {concatenated!r}")
