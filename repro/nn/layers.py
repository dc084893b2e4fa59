"""The few layers that backbones, context modules and heads share."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from repro.nn.first_draw import draw_for_good
from repro.nn.tensors import is_recorded

DropoutKind = Literal["elementwise", "channel"]


class AtrousConv2d(nn.Conv2d):
    """A bias-free convolution that keeps `[H, W]` at any rate, up to its stride, and skips taps that only see padding.

    Once the rate reaches the height (width) of the map, every row (column) of the kernel but the middle one
    lies in the zero padding for every output pixel (DeepLabv3, section 3.3: the filter degenerates to 1x1).
    Those taps are left out of the product; values and gradients stay what `nn.Conv2d` gives, the gradient of
    a skipped tap is zero. A program that is made of the network (see `is_recorded`) keeps all taps, for maps of any
    size. A bias, which folding batch normalisation gives it, counts as in `nn.Conv2d`.
    """

    def __init__(
        self, in_channels: int, out_channels: int, kernel_size: int = 3, rate: int = 1, *, stride: int = 1
    ) -> None:
        super().__init__(in_channels, out_channels, kernel_size, stride, bias=False)
        self.set_rate(rate)

    @property
    def rate(self) -> int:
        """Distance in pixels between neighbouring taps."""
        return self.dilation[0]

    def set_rate(self, rate: int) -> None:
        """Changes the rate, and the padding with it; weights stay.

        Raises:
            ValueError: The rate is no whole number of at least 1.
        """
        if type(rate) is not int or rate < 1:
            raise ValueError(f"an atrous rate must be a whole number of at least 1, not {rate!r}")
        self.dilation = (rate, rate)
        padding = rate * (self.kernel_size[0] - 1) // 2
        self.padding = (padding, padding)

    def forward(self, input: Tensor) -> Tensor:
        """Convolves `[B, C, H, W]` to `[B, out_channels, H / stride, W / stride]`, rounded up."""
        if self.kernel_size != (3, 3) or self.padding_mode != "zeros" or is_recorded():
            return super().forward(input)
        height, width = (self.rate >= side for side in input.shape[-2:])
        if not height and not width:
            return super().forward(input)
        rows, columns = (slice(1, 2) if hidden else slice(0, 3) for hidden in (height, width))
        padding = (0 if height else self.rate, 0 if width else self.rate)
        weight = self.weight[:, :, rows, columns]
        return F.conv2d(input, weight, self.bias, self.stride, padding, self.dilation, self.groups)


class ConvBNReLU(nn.Module):
    """Bias-free convolution, BN and, unless `relu` is off, ReLU: `[B, C, H, W]` to `[B, width, H, W]`.

    Raises:
        ValueError: The width is below 1.
    """

    def __init__(self, in_channels: int, width: int, kernel_size: int = 1, *, rate: int = 1, relu: bool = True) -> None:
        super().__init__()
        if width < 1:
            raise ValueError(f"a convolution's width must be at least 1, not {width}")
        self.convolution = AtrousConv2d(in_channels, width, kernel_size, rate)
        self.norm = nn.BatchNorm2d(width)
        self.relu = relu

    def forward(self, features: Tensor) -> Tensor:
        """Applies the three in order."""
        normalised: Tensor = self.norm(self.convolution(features))
        return F.relu(normalised, inplace=True) if self.relu else normalised


def dropout_layer(probability: float, kind: DropoutKind) -> nn.Module:
    """Dropout of single values (`elementwise`) or of whole channels (`channel`).

    Raises:
        ValueError: The kind is neither, or the probability lies outside [0, 1).
    """
    if not 0 <= probability < 1:
        raise ValueError(f"dropout must be at least 0 and below 1, not {probability}")
    if kind == "elementwise":
        return nn.Dropout(probability)
    if kind == "channel":
        return nn.Dropout2d(probability)
    raise ValueError(f"dropout_kind must be elementwise or channel, not {kind!r}")


def logits_layer(in_channels: int, num_classes: int, std: float | None) -> nn.Conv2d:
    """The last 1x1 convolution, with bias, drawn from a normal distribution (`None`: PyTorch's default draw).

    The bias then starts at zero. No `first_draw` concerns this layer.
    Source: standard deviation 0.01 as in the public code of DeepLabv3 and mmsegmentation.
    Differs: DeepLabv3's cuts the distribution off at two deviations, which leaves a deviation of 0.0088.

    Raises:
        ValueError: There are fewer than two classes, or the standard deviation is not positive.
    """
    if num_classes < 2:
        raise ValueError(f"a head needs at least 2 classes, not {num_classes}")
    if std is not None and std <= 0:
        raise ValueError(f"logits_std must be above 0, or null for PyTorch's own draw, not {std}")
    layer = nn.Conv2d(in_channels, num_classes, 1)
    draw_for_good(layer, std)
    return layer


def source_channels(channels: Mapping[str, int], source: str, switch: str = "source") -> int:
    """Number of channels of the backbone output called `source`, which a head's `switch` names.

    Raises:
        ValueError: The backbone has no such output.
    """
    if source not in channels:
        raise ValueError(f"{switch} {source!r} is no output of this backbone; it gives {', '.join(channels)}")
    return channels[source]


def deepest(channels: Mapping[str, int]) -> str:
    """Name of the last output of a backbone."""
    return list(channels)[-1]


def global_average(features: Tensor) -> Tensor:
    """Mean over the whole map: `[B, C, H, W]` to `[B, C, 1, 1]`."""
    return torch.mean(features, (2, 3), keepdim=True)


def enlarged(features: Tensor, like: Tensor, *, align_corners: bool) -> Tensor:
    """`[B, C, h, w]` brought bilinearly to the height and width of `like`."""
    if not is_recorded() and features.shape[-2:] == like.shape[-2:]:
        return features
    return F.interpolate(features, size=like.shape[-2:], mode="bilinear", align_corners=align_corners)
