"""Parallel branches over one feature map and their fusion: what ASPP, Module A and Vortex Pooling share."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor, nn

from repro.nn.context.parts import Aggregation
from repro.nn.context.pooling import ImagePooling, average_pool
from repro.nn.layers import ConvBNReLU

Fusion = Literal["projected", "projected_linear", "projected_3x3", "direct"]

# Kernel size and ReLU of the convolution that follows the concatenation.
_PROJECTIONS: dict[str, tuple[int, bool]] = {
    "projected": (1, True),  # DeepLabv3, section 3.3; ReLU as in the public code of TensorFlow and torchvision
    "projected_linear": (1, False),  # public code: LightNet's Vortex Pooling
    "projected_3x3": (3, True),  # public code: mmsegmentation
}


@dataclass(frozen=True)
class Branch:
    """One branch: an average pool of stride 1, then a convolution of `kernel_size` with atrous `rate`.

    `pool_size` 1 means no pool. `rate` is the one at the reference output stride.
    """

    kernel_size: int
    rate: int = 1
    pool_size: int = 1


class ParallelContext(Aggregation):
    """Branches side by side, image pooling if wanted, concatenation and fusion.

    The rates may follow the output stride, the pools never do.

    Differs: TensorFlow's DeepLab, mmsegmentation, LightNet and GALD concatenate the image-level branch first,
    torchvision and PyTorch-Encoding last as here; only the order of the next layer's columns depends on it.

    Args:
        in_channels: Channels of the feature map.
        width: Channels of every branch, of the image branch and of the fused result.
        branches: What runs in parallel, in the order of concatenation.
        image_pooling: Adds the image-level branch as the last one.
        branch_relu: ReLU at the end of every branch, the image branch included.
        fusion: `projected` (1x1, BN, ReLU), `projected_linear` (1x1, BN), `projected_3x3` (3x3, BN, ReLU) or
            `direct` (the concatenation itself).
        reference_output_stride: The output stride that the branches' rates are meant for.
        rates_follow_output_stride: Whether rates double when the output stride halves, and the reverse.
        count_include_pad: Whether average pools near the border divide by the whole window.

    Raises:
        ValueError: A value is not one of those above.
    """

    def __init__(
        self,
        in_channels: int,
        width: int,
        branches: Sequence[Branch],
        *,
        image_pooling: bool,
        branch_relu: bool,
        fusion: Fusion,
        reference_output_stride: int,
        rates_follow_output_stride: bool,
        count_include_pad: bool = False,
    ) -> None:
        super().__init__()
        _check_branches(branches)
        _check_stride(reference_output_stride, "reference_output_stride")
        self.specification = tuple(branches)
        self.reference_output_stride = reference_output_stride
        self.rates_follow_output_stride = rates_follow_output_stride
        self.count_include_pad = count_include_pad
        self.branches = nn.ModuleList(
            ConvBNReLU(in_channels, width, branch.kernel_size, rate=branch.rate, relu=branch_relu)
            for branch in self.specification
        )
        self.image_pooling = ImagePooling(in_channels, width, relu=branch_relu) if image_pooling else None
        self.out_channels = width * (len(self.specification) + image_pooling)
        self.projection: ConvBNReLU | None = None
        if fusion != "direct":
            if fusion not in _PROJECTIONS:
                raise ValueError(f"fusion must be one of {', '.join(_PROJECTIONS)} or direct, not {fusion!r}")
            kernel_size, relu = _PROJECTIONS[fusion]
            self.projection = ConvBNReLU(self.out_channels, width, kernel_size, relu=relu)
            self.out_channels = width

    @property
    def rates(self) -> tuple[int, ...]:
        """Atrous rate of every branch as it runs now."""
        return tuple(_atrous(branch).convolution.rate for branch in self.branches)

    def utilisation(self, side: int) -> float:
        """Distinct positions that one output position draws on, over all of a map of `side` x `side`; at most 1.

        Source: Vortex Pooling, sections 3.1 to 3.4. As there, positions beyond the border count too, and the branch
        of image-level features does not.
        """
        positions = set()
        for branch, rate in zip(self.specification, self.rates, strict=True):
            steps = [0] if branch.kernel_size == 1 else [-rate, 0, rate]
            reach = range(-(branch.pool_size // 2), branch.pool_size // 2 + 1)
            line = [step + offset for step in steps for offset in reach]
            positions |= {(row, column) for row in line for column in line}
        return min(1.0, len(positions) / side**2)

    def set_output_stride(self, output_stride: int) -> None:
        """Sets the rates of branches wider than 1x1 to rate x reference output stride / output stride, if they follow.

        A rate of 1 in the reference is a dense convolution and stays one.

        Raises:
            ValueError: A rate, or the output stride, would not be a whole number; nothing has changed then.
        """
        _check_stride(output_stride, "output_stride")
        if not self.rates_follow_output_stride:
            return
        scaled = [_scaled(branch, self.reference_output_stride, output_stride) for branch in self.specification]
        for branch, rate in zip(self.branches, scaled, strict=True):
            _atrous(branch).convolution.set_rate(rate)

    def forward(self, features: Tensor) -> Tensor:
        """Maps `[B, C, H, W]` to `[B, out_channels, H, W]`."""
        sizes = [branch.pool_size for branch in self.specification]
        pooled = {size: average_pool(features, size, count_include_pad=self.count_include_pad) for size in set(sizes)}
        outputs = [branch(pooled[size]) for branch, size in zip(self.branches, sizes, strict=True)]
        if self.image_pooling is not None:
            outputs.append(self.image_pooling(features))
        concatenated = torch.cat(outputs, 1)
        return concatenated if self.projection is None else self.projection(concatenated)


def _atrous(branch: nn.Module) -> ConvBNReLU:
    assert isinstance(branch, ConvBNReLU)
    return branch


def _scaled(branch: Branch, reference: int, output_stride: int) -> int:
    if branch.kernel_size == 1 or branch.rate == 1:
        return branch.rate
    rate, remainder = divmod(branch.rate * reference, output_stride)
    if remainder or rate < 1:
        raise ValueError(
            f"rate {branch.rate} at output stride {reference} would become "
            f"{branch.rate * reference / output_stride:g} at output stride {output_stride}; "
            "a rate must be a whole number"
        )
    return rate


def _check_stride(output_stride: int, name: str) -> None:
    if type(output_stride) is not int or output_stride < 1:
        raise ValueError(f"{name} must be a whole number of at least 1, such as 16, not {output_stride!r}")


def _check_branches(branches: Sequence[Branch]) -> None:
    if not branches:
        raise ValueError("a context module needs at least one branch")
    for branch in branches:
        if branch.kernel_size not in (1, 3):
            raise ValueError(f"a branch's kernel must be 1 or 3, not {branch.kernel_size}")
        whole = all(type(value) is int for value in (branch.rate, branch.pool_size))
        if not whole or branch.rate < 1 or branch.pool_size < 1 or branch.pool_size % 2 == 0:
            raise ValueError(
                "a branch needs a whole rate of at least 1 and an odd pool size, "
                f"not rate {branch.rate} and pool size {branch.pool_size}"
            )
