"""Heads as their files in conf/ have them, and what every head's test asks."""

from collections.abc import Callable
from functools import partial
from typing import Any

import torch
import yaml
from torch import Tensor

import repro.nn
from repro.nn import AuxiliaryHead, Head
from repro.nn.context.parts import HeadPart
from tests.places import CONF

CHANNELS = {"res2": 8, "res3": 12, "res4": 16, "res5": 24}
RESNET50 = {"res2": 256, "res3": 512, "res4": 1024, "res5": 2048}
ODD_SIZES = [(1, 1), (1, 7), (5, 3), (33, 47)]


def features(size: tuple[int, int] = (13, 9), batch: int = 2) -> dict[str, Tensor]:
    """Backbone outputs at random, `res5` and `res4` of the same size, as at output stride 16."""
    height, width = size
    scales = {"res2": 4, "res3": 2, "res4": 1, "res5": 1}
    return {name: torch.rand(batch, CHANNELS[name], height * by, width * by) for name, by in scales.items()}


def assert_gradient_reaches_every_parameter(head: Head) -> None:
    # As large as the map must be for the outer taps of every atrous convolution to lie inside it.
    head(features((40, 40))).square().mean().backward()
    assert [name for name, value in head.named_parameters() if value.grad is None or not value.grad.any()] == []


def assert_follows_input_size(head: Head, num_classes: int) -> None:
    head.eval()
    for size in ODD_SIZES:
        assert head(features(size, batch=1)).shape == (1, num_classes, *size)


def parameters(head: Head) -> int:
    return sum(parameter.numel() for parameter in head.parameters())


def conv_bn(in_channels: int, out_channels: int, kernel_size: int) -> int:
    """Parameters of a bias-free convolution and its batch normalisation, by hand."""
    return kernel_size**2 * in_channels * out_channels + 2 * out_channels


def leaves(path: str) -> dict[str, Any]:
    """What a file of conf/ says, such as that of head/aspp."""
    node: dict[str, Any] = yaml.safe_load((CONF / f"{path}.yaml").read_text())
    return node


def part(choice: str, **changes: object) -> Callable[..., HeadPart] | None:
    """What makes a head's part, such as ga/cgnl, from numbers of channels; None for an empty one."""
    node = leaves(f"head/{choice}")
    return _made(node | changes) if node["_target_"] else None


def head_from_yaml(name: str, channels: dict[str, int], num_classes: int, **changes: object) -> Head:
    """A head with some leaves changed: `width`, `ga.width` or, another choice of a group, `ga`."""
    node = leaves(f"head/{name}")
    choices = {group: choice for entry in node.pop("defaults", [])[:-1] for group, choice in entry.items()}
    inner: dict[str, dict[str, object]] = {group: {} for group in choices}
    for leaf, value in changes.items():
        group, _, of_part = leaf.rpartition(".")
        if group:
            inner[group][of_part] = value
        else:
            (choices if leaf in choices else node)[leaf] = value
    parts = {group: part(f"{group}/{choice}", **inner[group]) for group, choice in choices.items()}
    return _made(node | parts)(channels, num_classes)


def auxiliary_from_yaml(channels: dict[str, int], num_classes: int, **changes: object) -> AuxiliaryHead:
    """The auxiliary head with some leaves changed."""
    node = leaves("auxiliary/fcn")
    del node["weight"]
    return _made(node | changes)(channels, num_classes)


def _made(node: dict[str, Any]) -> Callable[..., Any]:
    node.pop("first_draw", None)  # that of PyTorch is in them
    return partial(getattr(repro.nn, node.pop("_target_").rpartition(".")[2]), **node)


def on_meta(name: str, num_classes: int = 21, **changes: object) -> Head:
    """A head for ResNet-50 without memory for its weights."""
    with torch.device("meta"):
        return head_from_yaml(name, RESNET50, num_classes, **changes)
