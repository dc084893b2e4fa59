"""ResNet-18/34/50/101 whose output stride can be changed at any time, with multi-grid, two stems and a cascade."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any, Literal, get_args

import torch.nn.functional as F
from torch import Tensor, nn

from repro.nn import strides
from repro.nn.layers import deepest
from repro.nn.residual import BasicUnit, BottleneckUnit, ResidualUnit
from repro.nn.strides import FirstUnit, StrideAt

Stem = Literal["plain", "deep", "v1c"]
Shortcut = Literal["identity", "projection"]

OUTPUT_STRIDES = (4, 8, 16, 32, 64, 128, 256)  # the first four without added blocks, one more with each of them
BLOCKS = (4, 5, 6, 7)  # DeepLabv3, section 3.2
STAGE_WIDTHS = (64, 128, 256, 512)  # He et al. 2016, Table 1
STAGE_STRIDES = (1, 2, 2, 2)  # He et al. 2016, Table 1; the max-pool before them brings the stride to 4
_STEM_WIDTHS = {"deep": (64, 128), "v1c": (32, 64)}  # of the first two 3x3 and of the last one
BLOCK_STRIDE = 2  # DeepLabv3, section 3.2, of each added block

UNITS_BY_DEPTH: dict[int, tuple[type[BasicUnit] | type[BottleneckUnit], tuple[int, int, int, int]]] = {
    18: (BasicUnit, (2, 2, 2, 2)),  # He et al. 2016, Table 1
    34: (BasicUnit, (3, 4, 6, 3)),
    50: (BottleneckUnit, (3, 4, 6, 3)),
    101: (BottleneckUnit, (3, 4, 23, 3)),
}


class ResNet(nn.Module):
    """Residual network without classifier, run at output stride 4, 8, 16 or 32, or more behind added blocks.

    Once the output stride is reached, each further stride becomes a doubling of the atrous rate, and every 3x3 of a
    unit of `res5` and of the added blocks takes base rate x the unit's multi-grid rate. What a first unit does that has
    lost its stride differs between public codes: `full`, at the rate of its stage like the others; or `contracted`, at
    that of the stage before, which makes the network the undilated one on a denser grid. See `repro.nn.strides`.
    Changed later, the output stride changes the grid alone and not what a 3x3 sees: of a network of `full` units
    trained at 16, the first 3x3 of `res4` keeps at 8 the rate of 1 that it had with its stride, where one built at 8
    has 2.
    The state dict of the plain stem has the keys of torchvision's ResNet without `fc.*`; added blocks have `block5.*`
    to `block7.*`, and change neither the keys nor the initial weights of what lies before them. Convolutions start as
    PyTorch draws them, unless `draw_convolutions` draws them otherwise.

    Source: He et al. 2016, Table 1; DeepLabv3, sections 3.1, 3.2 and 3.2.1. Deep stem: public code of PSPNet and
    GALD; v1c: mmsegmentation. Full: PSPNet and GALD; contracted: torchvision, mmsegmentation. Stride at the last unit:
    TF-slim's resnet_v1_beta.
    Differs: the added blocks, in the paper copies of `res5`, are drawn anew, since the first unit of `res5` reads half
    as many channels as theirs.

    Args:
        depth: 18, 34, 50 or 101.
        stem: `plain` (7x7, 64 channels), `deep` (three 3x3 of 64, 64 and 128 channels) or `v1c` (of 32, 32 and 64).
        ceil_mode: Whether the pool of the stem rounds the size of its map up, as in GALD's public code: 33x33 behind
            an image of 128x128.
        output_stride: Input size over the size of the last output: 4, 8, 16 or 32, and twice as much for each added
            block.
        first_unit: `full` or `contracted`; without effect where the last unit strides.
        stride_at: The unit that carries a stage's stride: its own `first` one, or the `last` one of the stage before,
            whose output is then as much smaller.
        multi_grid: One rate per unit of `res5`, such as (1, 2, 4), for the added blocks too; `None` is all ones.
        blocks: DeepLabv3's count of blocks, of which `res5` is the fourth: 5 to 7 add `block5` to `block7` behind it,
            each as wide and of as many units as `res5`, with a stride of 2.
        block_shortcut: Shortcut of the first unit of an added block: `identity` or `projection`.

    Raises:
        ValueError: A value is not one of those above, or `multi_grid` has not one rate per unit of `res5`.
    """

    def __init__(
        self,
        depth: int,
        *,
        stem: Stem = "plain",
        ceil_mode: bool = False,
        output_stride: int = 16,
        first_unit: FirstUnit = "full",
        stride_at: StrideAt = "first",
        multi_grid: Sequence[int] | None = None,
        blocks: int = 4,
        block_shortcut: Shortcut = "identity",
    ) -> None:
        super().__init__()
        if type(depth) is not int or depth not in UNITS_BY_DEPTH:
            raise ValueError(f"depth must be one of {', '.join(map(str, UNITS_BY_DEPTH))}, not {depth!r}")
        if type(blocks) is not int or blocks not in BLOCKS:
            raise ValueError(f"blocks must be one of {', '.join(map(str, BLOCKS))}, not {blocks!r}")
        _check_word("block_shortcut", block_shortcut, Shortcut)
        _check_word("first_unit", first_unit, FirstUnit)
        _check_word("stride_at", stride_at, StrideAt)
        self.depth = depth
        self.stem = stem
        self.ceil_mode = ceil_mode
        self.blocks = blocks
        self.stride_at = stride_at
        unit, counts = UNITS_BY_DEPTH[depth]
        self.multi_grid = _checked_multi_grid(multi_grid, counts[-1], depth)
        self.conv1, in_channels = _stem_convolution(stem)
        self.bn1 = nn.BatchNorm2d(in_channels)
        self.channels: dict[str, int] = {}
        for number, (width, count) in enumerate(zip(STAGE_WIDTHS, counts, strict=True), start=1):
            out_channels = width * unit.expansion
            # The shortcut of a stage with a stride is projected even if that stride is then removed.
            project = STAGE_STRIDES[number - 1] > 1 or in_channels != out_channels
            self.add_module(f"layer{number}", _stage(unit, in_channels, width, count, project=project))
            self.channels[f"res{number + 1}"] = in_channels = out_channels
        for number in range(5, blocks + 1):
            # Behind all others, so that the draw of what comes before is that of a network with fewer blocks.
            block = _stage(unit, in_channels, STAGE_WIDTHS[-1], counts[-1], project=block_shortcut == "projection")
            self.add_module(f"block{number}", block)
            self.channels[f"block{number}"] = in_channels
        _check_output_stride(output_stride, blocks)
        added = blocks - 4
        self.stage_strides = STAGE_STRIDES + (BLOCK_STRIDE,) * added
        self.built = strides.built(
            counts + (counts[-1],) * added,
            self.stage_strides,
            output_stride,
            unit_rates=[None, None, None] + [self.multi_grid] * (1 + added),
            first_unit=first_unit,
            stride_at=stride_at,
        )
        self.unread: tuple[str, ...] = ()  # the outputs that `keep` has dropped, the last one first
        self.set_output_stride(output_stride)

    def keep(self, read: Collection[str]) -> None:
        """Drops what lies behind the last of the outputs in `read`; output stride and rates stay those of the whole.

        Raises:
            ValueError: None of them is an output.
        """
        if not self.channels.keys() & set(read):
            raise ValueError(f"{list(read)} holds none of the outputs {', '.join(self.channels)}")
        while (name := deepest(self.channels)) not in read:
            del self.channels[name]
            delattr(self, _stage_name(name))
            self.unread += (name,)
        self.set_output_stride(self.output_stride)

    @property
    def unread_prefixes(self) -> tuple[str, ...]:
        """Beginnings of the names of weights that `keep` has dropped."""
        return tuple(f"{_stage_name(name)}." for name in self.unread)

    @property
    def fresh_prefixes(self) -> tuple[str, ...]:
        """Beginnings of the names of weights that no published file holds: those of the added blocks."""
        return tuple(f"{name}." for name in self.channels if name.startswith("block"))

    def stages(self) -> tuple[nn.Sequential, ...]:
        """The stages in the order of `channels`: `layer1` to `layer4`, then the added blocks."""
        found = tuple(self.get_submodule(_stage_name(name)) for name in self.channels)
        return tuple(stage for stage in found if isinstance(stage, nn.Sequential))

    def set_output_stride(self, output_stride: int) -> None:
        """Changes strides, and rates with them; weights stay, and so does what a 3x3 sees, in pixels of the image.

        Raises:
            ValueError: The output stride is none that this number of blocks allows.
        """
        _check_output_stride(output_stride, self.blocks)
        samplings = strides.at(self.built, self.stage_strides, output_stride, self.stride_at)
        for stage, sampled in zip(self.stages(), samplings, strict=False):
            for unit, sampling in zip(stage, sampled, strict=True):
                assert isinstance(unit, ResidualUnit)
                unit.set_sampling(sampling.stride, sampling.first_rate, sampling.rate)
        last = samplings[len(self.channels) - 1][-1]
        self.output_stride, self.last_stride = output_stride, last.grid * last.stride

    def forward(self, image: Tensor) -> dict[str, Tensor]:
        """Maps a normalised image `[B, 3, H, W]` to `res2` (stride 4) up to the last block (the output stride)."""
        features = F.relu(self.bn1(self.conv1(image)), inplace=True)
        features = F.max_pool2d(features, 3, stride=2, padding=1, ceil_mode=self.ceil_mode)
        outputs = {}
        for name, stage in zip(self.channels, self.stages(), strict=True):
            features = stage(features)
            outputs[name] = features
        return outputs


def _stage_name(output: str) -> str:
    """The module that gives an output: `layer4` gives `res5`."""
    return f"layer{int(output.removeprefix('res')) - 1}" if output.startswith("res") else output


def _stage(
    unit: type[BasicUnit] | type[BottleneckUnit], in_channels: int, width: int, count: int, *, project: bool
) -> nn.Sequential:
    """`count` units, of which the first one alone may change channels and project its shortcut."""
    first = unit(in_channels, width, project=project)
    return nn.Sequential(first, *(unit(first.out_channels, width, project=False) for _ in range(count - 1)))


def _conv3x3(in_channels: int, out_channels: int, stride: int = 1) -> nn.Conv2d:
    return nn.Conv2d(in_channels, out_channels, 3, stride=stride, padding=1, bias=False)


def _stem_convolution(stem: str) -> tuple[nn.Module, int]:
    """The convolutions at half resolution before `bn1`, and their number of output channels."""
    if stem == "plain":
        return nn.Conv2d(3, 64, 7, stride=2, padding=3, bias=False), 64
    if stem not in _STEM_WIDTHS:
        raise ValueError(f"stem must be plain, {' or '.join(_STEM_WIDTHS)}, not {stem!r}")
    width, last = _STEM_WIDTHS[stem]
    layers: list[nn.Module] = [_conv3x3(3, width, stride=2), nn.BatchNorm2d(width), nn.ReLU(inplace=True)]
    layers += [_conv3x3(width, width), nn.BatchNorm2d(width), nn.ReLU(inplace=True), _conv3x3(width, last)]
    return nn.Sequential(*layers), last


def _check_word(name: str, value: str, words: Any) -> None:
    if value not in get_args(words):
        raise ValueError(f"{name} must be {' or '.join(get_args(words))}, not {value!r}")


def _check_output_stride(output_stride: int, blocks: int) -> None:
    allowed = OUTPUT_STRIDES[:blocks]
    if type(output_stride) is not int or output_stride not in allowed:
        known = output_stride in OUTPUT_STRIDES
        remedy = f", which takes blocks={OUTPUT_STRIDES.index(output_stride) + 1}" if known else ""
        raise ValueError(f"output_stride must be one of {', '.join(map(str, allowed))}, not {output_stride!r}{remedy}")


def _checked_multi_grid(multi_grid: Sequence[int] | None, units: int, depth: int) -> tuple[int, ...] | None:
    """The multi-grid rates as a tuple; all ones become `None`, because they ask for the same network."""
    if multi_grid is None:
        return None
    rates = tuple(multi_grid)
    if len(rates) != units:
        raise ValueError(
            f"multi_grid needs one rate per unit of res5: ResNet-{depth} has {units}, "
            f"but {list(rates)} has {len(rates)}"
        )
    if any(not isinstance(rate, int) or isinstance(rate, bool) or rate < 1 for rate in rates):
        raise ValueError(f"multi_grid rates must be whole numbers of at least 1, not {list(rates)}")
    return None if set(rates) == {1} else rates
