"""What is compared, and how: one of our modules and its reference on the same numbers, weights and masks."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Protocol

import torch
from torch import Tensor, nn

from repro.nn import Head
from tests.nn.parity.weights import Weights

FLOOR = 1e-6
"""What is smaller than this share of the largest value of its kind is held against that share, not against itself."""

Outputs = Tensor | Mapping[str, Tensor]


class Values(Protocol):
    """What a reference holds, under our names."""

    parameters: dict[str, Tensor]
    statistics: dict[str, Tensor]
    zeros: dict[str, Tensor]


Reference = Callable[[nn.Module, bool], tuple[Values, Callable[..., Outputs]]]


@dataclass(frozen=True)
class Case:
    """One row of the table.

    Args:
        name: The head, block or aggregation, and its switches where they matter.
        against: The public code, or the text where there is none.
        make: Makes our module.
        reference: From our module and whether it trains to what the reference holds and its function.
        inputs: Shapes, in the order of arguments; a head takes them by name.
        apart: Statistics that differ by design, as a docstring says.
    """

    name: str
    against: str
    make: Callable[[], nn.Module]
    reference: Reference
    inputs: Mapping[str, tuple[int, ...]]
    apart: tuple[str, ...] = ()


@dataclass(frozen=True)
class Difference:
    """The largest difference of each kind, as a share of the largest value of the tensor that it is in."""

    forward: float
    gradients: float
    statistics: float

    @property
    def largest(self) -> float:
        return max(self.forward, self.gradients, self.statistics)


def transcribed(function: Callable[..., Outputs], *arguments: object, **switches: object) -> Reference:
    """A reference that is a function of the weights and of what goes in."""

    def reference(module: nn.Module, training: bool) -> tuple[Values, Callable[..., Outputs]]:
        weights = Weights(module, training=training)
        return weights, lambda *given: function(weights, *given, *arguments, **switches)

    return reference


def compare(case: Case, *, training: bool) -> Difference:
    """Ours against the reference, in float64, on numbers that are the same at every call."""
    torch.manual_seed(0)
    module = randomised(case.make()).double().train(training)
    values, function = case.reference(module, training)
    inputs = [torch.randn(shape, dtype=torch.float64).relu_() for shape in case.inputs.values()]
    found, right = (
        _outcome(take, inputs, dict(case.inputs) if isinstance(module, Head) else {}, parameters)
        for take, parameters in (
            (module, dict(module.named_parameters())),
            (function, values.parameters | (values.zeros if training else {})),
        )
    )
    statistics = {name: value for name, value in module.named_buffers() if name not in case.apart}
    return Difference(
        _difference(found[0], right[0]),
        _difference(found[1], right[1]),
        _difference(statistics, {name: values.statistics[name] for name in statistics}),
    )


def _outcome(
    take: Callable[..., Outputs], inputs: list[Tensor], names: Mapping[str, object], parameters: dict[str, Tensor]
) -> tuple[dict[str, Tensor], dict[str, Tensor]]:
    """Outputs, and the gradients of a fixed random function of them, with the same masks of dropout every time."""
    inputs = [tensor.clone().requires_grad_() for tensor in inputs]
    torch.manual_seed(1)
    given = take(dict(zip(names, inputs, strict=True))) if names else take(*inputs)
    outputs = {"": given} if isinstance(given, Tensor) else dict(given)
    generator = torch.Generator().manual_seed(2)
    upstream = [torch.randn(value.shape, dtype=value.dtype, generator=generator) for value in outputs.values()]
    sought = {f"input {index}": tensor for index, tensor in enumerate(inputs)} | parameters
    gradients = torch.autograd.grad(list(outputs.values()), list(sought.values()), upstream, materialize_grads=True)
    return {name: value.detach() for name, value in outputs.items()}, dict(zip(sought, gradients, strict=True))


def _difference(found: Mapping[str, Tensor], right: Mapping[str, Tensor]) -> float:
    """What is not among `found` is a bias that ours does without: its gradient must be zero."""
    assert found.keys() <= right.keys()
    if not right:
        return 0.0
    sizes = {name: float(value.abs().max()) for name, value in right.items()}
    floor = FLOOR * max(max(sizes.values()), 1e-300)
    return max(
        float((found[name] - value).abs().max()) / max(sizes[name], floor)
        if name in found
        else sizes[name] / max(sizes.values())
        for name, value in right.items()
    )


def randomised(module: nn.Module) -> nn.Module:
    """With weights that all do something: no zeros, no ones, statistics of their own."""
    for name, value in module.named_parameters():
        if value.dim() > 1:
            nn.init.normal_(value, std=(2 / value[0].numel()) ** 0.5)
        elif name.endswith("weight"):
            nn.init.uniform_(value, 0.5, 1.5)
        else:
            nn.init.normal_(value, std=0.3)
    for name, value in module.named_buffers():
        if name.endswith("running_mean"):
            value.normal_(0, 0.3)
        elif name.endswith("running_var"):
            value.uniform_(0.5, 1.5)
    return module
