"""Batch normalisation by the images of several processes, on any device."""

from __future__ import annotations

from typing import Any, Protocol

import torch
from torch import Tensor, nn
from torch.nn import functional


class Neighbours(Protocol):
    """The processes that share statistics, this one among them: how many there are, and its number."""

    size: int
    rank: int

    def sum(self, tensor: Tensor) -> Tensor:
        """The sum over all of them, the same in each."""


class SharedBatchNorm2d(nn.BatchNorm2d):
    """Batch normalisation whose statistics in training are those of the images of several processes.

    `nn.SyncBatchNorm` computes the same and refuses the CPU. Names, parameters and running statistics are those of the
    layer that it takes the place of.

    Args:
        own: The layer, whose parameters and statistics are taken over.
        neighbours: The processes; all of them call the layer at once.
    """

    def __init__(self, own: nn.BatchNorm2d, neighbours: Neighbours) -> None:
        super().__init__(own.num_features, own.eps, own.momentum, own.affine, own.track_running_stats, device="meta")
        self.weight, self.bias = own.weight, own.bias
        self.running_mean, self.running_var = own.running_mean, own.running_var
        self.num_batches_tracked = own.num_batches_tracked
        self.training = own.training
        self.neighbours = neighbours

    def forward(self, input: Tensor) -> Tensor:
        """Normalises `[B, C, H, W]`, and moves the running statistics as one process with all images would."""
        made: Tensor = self._by_all(input) if self.training else super().forward(input)
        return made

    @torch.compiler.disable  # type: ignore[untyped-decorator]
    def _by_all(self, features: Tensor) -> Tensor:
        made: Tensor
        made, mean, variance, count = _Normalised.apply(features, self.weight, self.bias, self.eps, self.neighbours)
        if self.running_mean is not None and self.running_var is not None and self.num_batches_tracked is not None:
            with torch.no_grad():
                self.num_batches_tracked.add_(1)
                factor = self.momentum if self.momentum is not None else 1.0 / float(self.num_batches_tracked)
                self.running_mean.lerp_(mean.to(self.running_mean.dtype), factor)
                self.running_var.lerp_((variance * count / (count - 1)).to(self.running_var.dtype), factor)
        return made


class _Normalised(torch.autograd.Function):
    """Normalised features, the mean and variance `[C]` that they had, and the number of values behind these."""

    @staticmethod
    def forward(
        ctx: Any, features: Tensor, weight: Tensor | None, bias: Tensor | None, eps: float, neighbours: Neighbours
    ) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        mean, variance, count = _statistics(features, neighbours)
        numbers = torch.float64 if features.dtype == torch.float64 else torch.float32
        mean, variance = mean.to(numbers), variance.to(numbers)
        ctx.save_for_backward(features, weight, mean, torch.rsqrt(variance + eps), count)
        ctx.neighbours = neighbours
        ctx.mark_non_differentiable(mean, variance, count)
        made = functional.batch_norm(features, mean, variance, weight, bias, False, 0.0, eps)
        return made, mean, variance, count

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor | None, ...]:
        features, weight, mean, scale, count = ctx.saved_tensors
        gradient = gradients[0].to(mean.dtype)
        normalised = (features.to(mean.dtype) - _wide(mean)) * _wide(scale)
        own = torch.stack([gradient.sum((0, 2, 3)), (gradient * normalised).sum((0, 2, 3))])
        of_bias, of_weight = own if weight is not None else (None, None)
        shared, inclined = ctx.neighbours.sum(own) / count.to(mean.dtype)
        of_features = (gradient - _wide(shared) - normalised * _wide(inclined)) * _wide(scale)
        if weight is not None:
            of_features = of_features * _wide(weight.to(mean.dtype))
        return of_features.to(features.dtype), of_weight, of_bias, None, None


def _statistics(features: Tensor, neighbours: Neighbours) -> tuple[Tensor, Tensor, Tensor]:
    """Mean and variance `[C]` of the features `[B, C, H, W]` of all processes, and the number of values per channel.

    What each process adds are its own mean and its squares about it, so that nothing large is taken from each other.
    """
    numbers = features if features.dtype == torch.float64 else features.float()
    variance, mean = torch.var_mean(numbers, (0, 2, 3), correction=0)
    channels = len(mean)
    places = torch.zeros(neighbours.size, 2 * channels + 1, dtype=torch.float64, device=features.device)
    own = places[neighbours.rank]
    own[:channels], own[channels:-1], own[-1] = mean, variance, features.numel() // channels
    places = neighbours.sum(places)
    means, variances, counts = places[:, :channels], places[:, channels:-1], places[:, -1:]
    count = counts.sum()
    joint = (counts * means).sum(0) / count
    return joint, (counts * (variances + (means - joint) ** 2)).sum(0) / count, count


def _wide(values: Tensor) -> Tensor:
    return values[:, None, None]
