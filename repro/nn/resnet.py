"""ResNet-18/34/50/101 whose output stride can be changed at any time, with multi-grid and two stems."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import Literal

import torch.nn.functional as F
from torch import Tensor, nn

from repro.nn.layers import set_rate

Stem = Literal["plain", "deep"]

OUTPUT_STRIDES = (4, 8, 16, 32)
STAGE_WIDTHS = (64, 128, 256, 512)  # He et al. 2016, Table 1
STAGE_STRIDES = (1, 2, 2, 2)  # He et al. 2016, Table 1; the max-pool before them brings the stride to 4


def _conv3x3(in_channels: int, out_channels: int, stride: int = 1) -> nn.Conv2d:
    return nn.Conv2d(in_channels, out_channels, 3, stride=stride, padding=1, bias=False)


class ResidualUnit(nn.Module, ABC):
    """What the two kinds of residual unit share: the shortcut, and the way stride and rate are changed."""

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
        if self.downsample is None:
            return features
        shortcut: Tensor = self.downsample(features)
        return shortcut

    @abstractmethod
    def spatial_convolutions(self) -> tuple[nn.Conv2d, ...]:
        """The 3x3 convolutions, the one that carries the unit's stride first."""

    def set_sampling(self, stride: int, first_rate: int, rate: int) -> None:
        """Gives the first 3x3 the stride and `first_rate`, any other one `rate`; weights stay."""
        convolutions = self.spatial_convolutions()
        for index, convolution in enumerate(convolutions):
            set_rate(convolution, rate if index else first_rate)
        convolutions[0].stride = (stride, stride)
        if self.downsample is not None:
            projection = self.downsample[0]
            assert isinstance(projection, nn.Conv2d)
            projection.stride = (stride, stride)


class BasicUnit(ResidualUnit):
    """Two 3x3 convolutions (ResNet-18/34). Source: He et al. 2016, Figure 5 left."""

    def __init__(self, in_channels: int, width: int, *, project: bool) -> None:
        super().__init__(in_channels, width)
        self.conv1 = _conv3x3(in_channels, width)
        self.bn1 = nn.BatchNorm2d(width)
        self.conv2 = _conv3x3(width, width)
        self.bn2 = nn.BatchNorm2d(width)
        self._add_shortcut(project)

    def spatial_convolutions(self) -> tuple[nn.Conv2d, ...]:
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
        self.conv2 = _conv3x3(width, width)
        self.bn2 = nn.BatchNorm2d(width)
        self.conv3 = nn.Conv2d(width, self.out_channels, 1, bias=False)
        self.bn3 = nn.BatchNorm2d(self.out_channels)
        self._add_shortcut(project)

    def spatial_convolutions(self) -> tuple[nn.Conv2d, ...]:
        """The 3x3 convolutions, the one that carries the unit's stride first."""
        return (self.conv2,)

    def forward(self, features: Tensor) -> Tensor:
        """Maps `[B, C, H, W]` to `[B, 4 * width, H / stride, W / stride]`."""
        residual = F.relu(self.bn1(self.conv1(features)), inplace=True)
        residual = F.relu(self.bn2(self.conv2(residual)), inplace=True)
        residual = self.bn3(self.conv3(residual))
        return F.relu(residual.add_(self._shortcut(features)), inplace=True)


UNITS_BY_DEPTH: dict[int, tuple[type[BasicUnit] | type[BottleneckUnit], tuple[int, int, int, int]]] = {
    18: (BasicUnit, (2, 2, 2, 2)),  # He et al. 2016, Table 1
    34: (BasicUnit, (3, 4, 6, 3)),
    50: (BottleneckUnit, (3, 4, 6, 3)),
    101: (BottleneckUnit, (3, 4, 23, 3)),
}


class ResNet(nn.Module):
    """Residual network without classifier, run at output stride 4, 8, 16 or 32.

    Once the output stride is reached, each further stride becomes a doubling of the atrous rate. Without multi-grid
    the rate doubles behind the 3x3 that has lost its stride, so that one keeps the rate of the stage before
    ("contracted", as in torchvision). The network then computes what it computed at output stride 32, on a denser
    grid: every 2nd, 4th or 8th pixel is the same number. With multi-grid every 3x3 of a unit of `res5` takes base
    rate x the unit's multi-grid rate, the first one too.
    The state dict of the plain stem has the keys of torchvision's ResNet without `fc.*`.

    Source: He et al. 2016, Table 1; DeepLabv3, sections 3.1 and 3.2.1. Deep stem: public code of PSPNet and
    GALD.

    Args:
        depth: 18, 34, 50 or 101.
        stem: `plain` (7x7, 64 channels) or `deep` (three 3x3 of 64, 64 and 128 channels).
        output_stride: Input size over the size of `res5`.
        multi_grid: One rate per unit of `res5`, such as (1, 2, 4); `None` is the same network as all ones.

    Raises:
        ValueError: A value is not one of those above, or `multi_grid` has not one rate per unit of `res5`.
    """

    def __init__(
        self,
        depth: int,
        *,
        stem: Stem = "plain",
        output_stride: int = 16,
        multi_grid: Sequence[int] | None = None,
    ) -> None:
        super().__init__()
        if depth not in UNITS_BY_DEPTH:
            raise ValueError(f"depth must be one of {', '.join(map(str, UNITS_BY_DEPTH))}, not {depth}.")
        self.depth = depth
        self.stem = stem
        unit, counts = UNITS_BY_DEPTH[depth]
        self.multi_grid = _checked_multi_grid(multi_grid, counts[-1], depth)
        self.conv1, stem_channels = _stem_convolution(stem)
        self.bn1 = nn.BatchNorm2d(stem_channels)
        in_channels = stem_channels
        for number, (width, count) in enumerate(zip(STAGE_WIDTHS, counts, strict=True), start=1):
            units = []
            for index in range(count):
                out_channels = width * unit.expansion
                # The shortcut of a stage with a stride is projected even if that stride is then removed.
                project = index == 0 and (STAGE_STRIDES[number - 1] > 1 or in_channels != out_channels)
                units.append(unit(in_channels, width, project=project))
                in_channels = out_channels
            self.add_module(f"layer{number}", nn.Sequential(*units))
        self.channels = {f"res{i}": width * unit.expansion for i, width in enumerate(STAGE_WIDTHS, start=2)}
        self.output_stride = output_stride
        self._initialise()
        self.set_output_stride(output_stride)

    def _initialise(self) -> None:
        for module in self.modules():
            if isinstance(module, nn.Conv2d):
                nn.init.kaiming_normal_(module.weight, mode="fan_out", nonlinearity="relu")

    def stages(self) -> tuple[nn.Sequential, ...]:
        """The four stages in order, `layer1` to `layer4`."""
        found = tuple(self.get_submodule(f"layer{number}") for number in range(1, 5))
        return tuple(stage for stage in found if isinstance(stage, nn.Sequential))

    def set_output_stride(self, output_stride: int) -> None:
        """Derives strides and rates anew; weights stay, so one may train at 16 and evaluate at 8.

        Raises:
            ValueError: The output stride is not 4, 8, 16 or 32.
        """
        if output_stride not in OUTPUT_STRIDES:
            raise ValueError(f"output_stride must be one of 4, 8, 16, 32, not {output_stride}.")
        reached, rate = 4, 1
        for stage, nominal in zip(self.stages(), STAGE_STRIDES, strict=True):
            stride = nominal if reached * nominal <= output_stride else 1
            rate_before, rate = rate, rate * nominal // stride
            reached *= stride
            rates = [(rate_before, rate)] + [(rate, rate)] * (len(stage) - 1)
            if self.multi_grid is not None and stage is self.get_submodule("layer4"):
                rates = [(rate * grid, rate * grid) for grid in self.multi_grid]
            for index, (unit, unit_rates) in enumerate(zip(stage, rates, strict=True)):
                assert isinstance(unit, ResidualUnit)
                unit.set_sampling(1 if index else stride, *unit_rates)
        self.output_stride = output_stride

    def forward(self, image: Tensor) -> dict[str, Tensor]:
        """Maps a normalised image `[B, 3, H, W]` to `res2` (stride 4) up to `res5` (the output stride)."""
        features = F.relu(self.bn1(self.conv1(image)), inplace=True)
        features = F.max_pool2d(features, 3, stride=2, padding=1)
        outputs = {}
        for number, stage in enumerate(self.stages(), start=2):
            features = stage(features)
            outputs[f"res{number}"] = features
        return outputs


def _stem_convolution(stem: str) -> tuple[nn.Module, int]:
    """The convolutions at half resolution before `bn1`, and their number of output channels."""
    if stem == "plain":
        return nn.Conv2d(3, 64, 7, stride=2, padding=3, bias=False), 64
    if stem == "deep":
        layers: list[nn.Module] = [_conv3x3(3, 64, stride=2), nn.BatchNorm2d(64), nn.ReLU(inplace=True)]
        layers += [_conv3x3(64, 64), nn.BatchNorm2d(64), nn.ReLU(inplace=True), _conv3x3(64, 128)]
        return nn.Sequential(*layers), 128
    raise ValueError(f"stem must be plain or deep, not {stem!r}.")


def _checked_multi_grid(multi_grid: Sequence[int] | None, units: int, depth: int) -> tuple[int, ...] | None:
    """The multi-grid rates as a tuple; all ones become `None`, because they ask for the same network."""
    if multi_grid is None:
        return None
    rates = tuple(multi_grid)
    if len(rates) != units:
        raise ValueError(
            f"multi_grid needs one rate per unit of res5: ResNet-{depth} has {units}, "
            f"but {list(rates)} has {len(rates)}."
        )
    if any(not isinstance(rate, int) or isinstance(rate, bool) or rate < 1 for rate in rates):
        raise ValueError(f"multi_grid rates must be whole numbers of at least 1, not {list(rates)}.")
    return None if set(rates) == {1} else rates
