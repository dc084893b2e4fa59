"""What a plain function computes with: the weights and statistics of one of our modules, copied and named alike."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

MOMENTUM, EPS = 0.1, 1e-5  # PyTorch's defaults, which all of the public code leaves as they are


class Weights:
    """Layers of PyTorch's own functions over copied values; training changes the copied statistics.

    Args:
        module: Where the values come from; the names are its own.
        training: Whether normalisation sees the batch, and dropout drops.
    """

    def __init__(self, module: nn.Module, *, training: bool) -> None:
        self.training = training
        self.parameters = {name: value.detach().clone().requires_grad_() for name, value in module.named_parameters()}
        self.statistics = {name: value.clone() for name, value in module.named_buffers()}
        self.zeros: dict[str, Tensor] = {}
        """Biases of public code that ours does without: zero here, and without a gradient in training."""

    def convolution(self, features: Tensor, name: str, *, rate: int = 1, groups: int = 1) -> Tensor:
        """Zero-padded so that the size stays, with a bias if there is one of that name."""
        weight = self.parameters[f"{name}.weight"]
        padding = rate * (weight.shape[-1] // 2)
        bias = self.parameters.get(f"{name}.bias")
        return F.conv2d(features, weight, bias, padding=padding, dilation=rate, groups=groups)

    def norm(self, features: Tensor, name: str) -> Tensor:
        """Batch normalisation."""
        mean, variance = (self.statistics[f"{name}.running_{which}"] for which in ("mean", "var"))
        weight, bias = (self.parameters[f"{name}.{which}"] for which in ("weight", "bias"))
        if self.training:
            self.statistics[f"{name}.num_batches_tracked"] += 1
        return F.batch_norm(features, mean, variance, weight, bias, self.training, MOMENTUM, EPS)

    def layer(self, features: Tensor, name: str, *, rate: int = 1, relu: bool = True) -> Tensor:
        """Convolution, batch normalisation and, usually, ReLU."""
        normalised = self.norm(self.convolution(features, f"{name}.convolution", rate=rate), f"{name}.norm")
        return F.relu(normalised) if relu else normalised

    def dropout(self, features: Tensor, probability: float, kind: str = "elementwise") -> Tensor:
        """Of single values, or of whole channels."""
        drop = F.dropout if kind == "elementwise" else F.dropout2d
        return drop(features, probability, self.training)

    def biased(self, features: Tensor, name: str) -> Tensor:
        """The same map, plus a bias of zero that public code has here and ours has not."""
        self.zeros[name] = torch.zeros_like(features[:1, :, :1, :1], requires_grad=True)
        return features + self.zeros[name]
