"""The residual units of ResNet, whose stride and rates can be changed at any time."""

from __future__ import annotations

from abc import ABC, abstractmethod

import torch.nn.functional as F
from torch import Tensor, nn

from repro.nn.layers import AtrousConv2d


class ResidualUnit(nn.Module, ABC):
    """What the two kinds of residual unit share: the shortcut, and the way stride and rate are changed.

    The shortcut is a 1x1 convolution of the unit's stride with BN, or the map itself, of which a stride of 2 takes
    every second pixel, as public code in TensorFlow (slim) does.
    """

    expansion = 1
    downsample: nn.Sequential | None

    def __init__(self, in_channels: int, width: int) -> None:
        super().__init__()
        self.in_channels = in_channels
        self.out_channels = width * self.expansion

    def _add_shortcut(self, project: bool) -> None:
        self.downsample = None
        if project:
            projection = nn.Conv2d(self.in_channels, self.out_channels, 1, bias=False)
            self.downsample = nn.Sequential(projection, nn.BatchNorm2d(self.out_channels))

    def _shortcut(self, features: Tensor) -> Tensor:
        if self.downsample is not None:
            shortcut: Tensor = self.downsample(features)
            return shortcut
        stride = self.spatial_convolutions()[0].stride[0]
        return features if stride == 1 else features[..., ::stride, ::stride]

    @abstractmethod
    def spatial_convolutions(self) -> tuple[AtrousConv2d, ...]:
        """The 3x3 convolutions, the one that carries the unit's stride first."""

    def set_sampling(self, stride: int, first_rate: int, rate: int) -> None:
        """Gives the first 3x3 the stride and `first_rate`, any other one `rate`; weights stay."""
        convolutions = self.spatial_convolutions()
        for index, convolution in enumerate(convolutions):
            convolution.set_rate(rate if index else first_rate)
        convolutions[0].stride = (stride, stride)
        if self.downsample is not None:
            projection = self.downsample[0]
            assert isinstance(projection, nn.Conv2d)
            projection.stride = (stride, stride)


class BasicUnit(ResidualUnit):
    """Two 3x3 convolutions (ResNet-18/34). Source: He et al. 2016, Figure 5 left."""

    def __init__(self, in_channels: int, width: int, *, project: bool) -> None:
        super().__init__(in_channels, width)
        self.conv1 = AtrousConv2d(in_channels, width)
        self.bn1 = nn.BatchNorm2d(width)
        self.conv2 = AtrousConv2d(width, width)
        self.bn2 = nn.BatchNorm2d(width)
        self._add_shortcut(project)

    def spatial_convolutions(self) -> tuple[AtrousConv2d, ...]:
        """The 3x3 convolutions, the one that carries the unit's stride first."""
        return self.conv1, self.conv2

    def forward(self, features: Tensor) -> Tensor:
        """Maps `[B, C, H, W]` to `[B, width, H / stride, W / stride]`."""
        residual = F.relu(self.bn1(self.conv1(features)), inplace=True)
        residual = self.bn2(self.conv2(residual))
        return F.relu(residual.add_(self._shortcut(features)), inplace=True)


class BottleneckUnit(ResidualUnit):
    """1x1, 3x3, 1x1 convolutions (ResNet-50/101). Source: He et al. 2016, Figure 5 right.

    Differs: the stride sits on the 3x3 and not on the first 1x1, as in torchvision, whose weights need it
    there.
    """

    expansion = 4

    def __init__(self, in_channels: int, width: int, *, project: bool) -> None:
        super().__init__(in_channels, width)
        self.conv1 = nn.Conv2d(in_channels, width, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(width)
        self.conv2 = AtrousConv2d(width, width)
        self.bn2 = nn.BatchNorm2d(width)
        self.conv3 = nn.Conv2d(width, self.out_channels, 1, bias=False)
        self.bn3 = nn.BatchNorm2d(self.out_channels)
        self._add_shortcut(project)

    def spatial_convolutions(self) -> tuple[AtrousConv2d, ...]:
        """The 3x3 convolutions, the one that carries the unit's stride first."""
        return (self.conv2,)

    def forward(self, features: Tensor) -> Tensor:
        """Maps `[B, C, H, W]` to `[B, 4 * width, H / stride, W / stride]`."""
        residual = F.relu(self.bn1(self.conv1(features)), inplace=True)
        residual = F.relu(self.bn2(self.conv2(residual)), inplace=True)
        residual = self.bn3(self.conv3(residual))
        return F.relu(residual.add_(self._shortcut(features)), inplace=True)
