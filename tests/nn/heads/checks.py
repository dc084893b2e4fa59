"""What every head's test asks."""

import torch
from torch import Tensor, nn

from repro.nn import Head

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


def on_meta(head: type[nn.Module], num_classes: int = 21, **switches: object) -> nn.Module:
    """A head for ResNet-50 without memory for its weights."""
    with torch.device("meta"):
        return head(RESNET50, num_classes, **switches)
