"""What a head can be put together from: the parts that nested groups of its configuration choose."""

from __future__ import annotations

from abc import ABC, abstractmethod

from torch import Tensor, nn


class HeadPart(nn.Module, ABC):
    """Base of what a nested group of a head may be.

    A constructor takes numbers of channels, which the head knows, by position, and the switches of the group by name.
    """


class Aggregation(HeadPart):
    """Base of all context modules: `[B, in_channels, H, W]` to a context `[B, out_channels, H, W]`.

    A constructor takes `in_channels` and its own switches by name, and sets `out_channels`; one with atrous rates
    overrides `set_output_stride`.
    """

    out_channels: int

    def set_output_stride(self, output_stride: int) -> None:
        """Follows the backbone to another output stride; without atrous rates there is nothing to do."""

    @abstractmethod
    def forward(self, features: Tensor) -> Tensor:
        """Gives every position what it needs to know of the whole map."""


class LocalDistribution(HeadPart):
    """Base of all local distributions: the backbone's map and a context to `[B, out_channels, H, W]`.

    A constructor takes `original_channels`, `context_channels` (`None`: there is no context, the module works on the
    backbone's map alone) and its own switches by name, and sets `out_channels`.
    """

    out_channels: int

    @abstractmethod
    def forward(self, original: Tensor, context: Tensor | None = None) -> Tensor:
        """Distributes `context` `[B, context_channels, H, W]` over the positions of `original`, of the same size."""
