"""What backbones and heads declare and give, checked on one image: the outputs, their channels and their sizes."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

import torch
from torch import Tensor, nn

from repro.nn.context.parts import Aggregation, LocalDistribution
from repro.nn.layers import deepest

BATCH = 2


def check_backbone(backbone: Any) -> None:
    """Refuses a backbone that does not declare its outputs and its output stride.

    Raises:
        ValueError: Says what is missing, or what it must be.
    """
    channels = getattr(backbone, "channels", None)
    if not isinstance(channels, Mapping) or not channels:
        raise ValueError(f"channels is {channels!r}; it must map each output to its channels, such as {{'res5': 512}}")
    for name, count in channels.items():
        if not isinstance(name, str) or not isinstance(count, int) or count < 1:
            raise ValueError(f"channels has {name!r}: {count!r}; it must map names to whole numbers of at least 1")
    stride = getattr(backbone, "output_stride", None)
    if not isinstance(stride, int) or stride < 1:
        raise ValueError(f"output_stride is {stride!r}; it must be the image's side over that of the last map, as 16")
    check_set_output_stride(backbone)


def check_set_output_stride(part: Any) -> None:
    """Refuses a backbone or a head that cannot be taken to an output stride.

    Raises:
        ValueError: It has no such method.
    """
    if not callable(getattr(part, "set_output_stride", None)):
        raise ValueError(
            "it has no method set_output_stride(output_stride), which takes it to another output stride, or raises "
            "ValueError where it has one only"
        )


def check_head(head: Any, channels: Mapping[str, int]) -> None:
    """Refuses a head that does not follow the output stride, or names outputs to read that there are not.

    Raises:
        ValueError: Says what is missing, or what it must be.
    """
    check_set_output_stride(head)
    read = getattr(head, "sources", tuple(channels))
    is_list = isinstance(read, Collection) and not isinstance(read, str)
    if not is_list or not read or any(name not in tuple(channels) for name in read):
        found = repr(read) if isinstance(read, Collection) else kind(read)
        raise ValueError(
            f"sources is {found}; it must be a tuple of the outputs that the head reads, among {', '.join(channels)}"
        )


def check_part(part: Any) -> None:
    """Refuses a context or a local distribution that does not tell its channels.

    Raises:
        ValueError: It has no `out_channels`.
    """
    channels = getattr(part, "out_channels", None)
    if isinstance(part, Aggregation | LocalDistribution) and (type(channels) is not int or channels < 1):
        raise ValueError(f"out_channels is {channels!r}; it must be the number of channels of what forward gives")


def check_features(backbone: Any, features: Any, image: Tensor) -> None:
    """Refuses outputs of a backbone that are not what it declares.

    Args:
        backbone: Has `channels` and `output_stride`.
        features: What it made of the image.
        image: `[B, 3, H, W]`.

    Raises:
        ValueError: Names the output, what it is and what is declared.
    """
    if not isinstance(features, Mapping):
        raise ValueError(f"forward gave {kind(features)}; it must give a dict of {', '.join(backbone.channels)}")
    for name, channels in backbone.channels.items():
        if name not in features:
            given = ", ".join(map(str, features)) or "nothing"
            raise ValueError(f"channels declares {name}, which forward does not give; it gives {given}")
        found = features[name]
        if not isinstance(found, Tensor) or found.dim() != 4 or found.shape[:2] != (len(image), channels):
            raise ValueError(
                f"output {name} is {kind(found)}; channels declares a tensor [{len(image)}, {channels}, height, width]"
            )
    last = deepest(backbone.channels)
    # Where stages that no head reads were dropped, the map of the last one left is larger than the output stride says.
    stride = getattr(backbone, "last_stride", backbone.output_stride)
    sides = [side / stride for side in image.shape[-2:]]
    if any(abs(side - wanted) > 1 for side, wanted in zip(features[last].shape[-2:], sides, strict=True)):
        raise ValueError(
            f"output {last} is {_size(features[last])} for an image of {_size(image)}; output_stride = "
            f"{stride} declares about {sides[1]:.0f}x{sides[0]:.0f}"
        )


def check_logits(logits: Any, num_classes: int) -> None:
    """Refuses what a head gives if it is no logits of the classes.

    Raises:
        ValueError: Says what it is and what it must be.
    """
    if not isinstance(logits, Tensor) or logits.dim() != 4 or logits.shape[:2] != (BATCH, num_classes):
        raise ValueError(
            f"forward gave {kind(logits)}; it must give a tensor [{BATCH}, {num_classes}, height, width], one channel "
            "for each class"
        )
    if not logits.is_floating_point():
        raise ValueError(f"forward gave {kind(logits)}; logits are floating point numbers")


def blank_images(height: int, width: int, like: nn.Module) -> Tensor:
    """Normalised images of the mean colour, `[B, 3, height, width]`, on the device of a network."""
    first = next(like.parameters(), torch.zeros(()))
    return torch.zeros(BATCH, 3, height, width, device=first.device)


def kind(value: Any) -> str:
    """What a value is, in words."""
    if isinstance(value, Tensor):
        return f"a tensor {list(value.shape)}"
    return "nothing" if value is None else f"a {type(value).__name__}"


def _size(features: Tensor) -> str:
    return f"{features.shape[-1]}x{features.shape[-2]}"
