"""Vortex Pooling's average pools against `avg_pool2d`: `python -m tests.bench.pooling [--rounds N]`."""

import argparse
from collections.abc import Callable
from functools import partial

import torch
import torch.nn.functional as F
from torch import Tensor

from repro.nn.context.pooling import average_pool
from tests.bench.timing import interleaved

SIZES = (3, 9, 27)
Pools = Callable[[Tensor], list[Tensor]]


def torch_pools(features: Tensor) -> list[Tensor]:
    """PyTorch's own pools, true local means at the border."""
    return [F.avg_pool2d(features, size, 1, size // 2, count_include_pad=False) for size in SIZES]


def our_pools(features: Tensor) -> list[Tensor]:
    """The same as banded matrix products."""
    return [average_pool(features, size, count_include_pad=False) for size in SIZES]


def compare(shape: tuple[int, int, int, int], rounds: int) -> None:
    """Prints medians for both memory formats, forward and with the gradient, and the largest difference."""
    features = torch.randn(shape)
    last = features.to(memory_format=torch.channels_last)
    pairs = zip(our_pools(features), torch_pools(features.double()), strict=True)
    print(f"\npools of {SIZES} on {list(shape)}, {torch.get_num_threads()} threads")
    print(f"largest difference from avg_pool2d in float64: {max(float((a - b).abs().max()) for a, b in pairs):.1e}")
    candidates = {
        "avg_pool2d": (torch_pools, features),
        "avg_pool2d, channels_last": (torch_pools, last),
        "ours": (our_pools, features),
        "ours, channels_last": (our_pools, last),
    }
    with torch.no_grad():
        interleaved({name: partial(pools, inputs) for name, (pools, inputs) in candidates.items()}, rounds)
    upstream = torch.randn(shape)
    gradients = {id(features): upstream, id(last): upstream.to(memory_format=torch.channels_last)}

    def with_gradient(pools: Pools, inputs: Tensor) -> None:
        trained = inputs.detach().requires_grad_()
        torch.autograd.grad(pools(trained), trained, [gradients[id(inputs)]] * len(SIZES))

    interleaved(
        {f"{name}, with gradient": partial(with_gradient, *candidate) for name, candidate in candidates.items()}, rounds
    )


def main() -> None:
    """Compares at all sizes asked for."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--maps", type=int, nargs="+", default=[33, 65], help="heights and widths in pixels")
    parser.add_argument("--channels", type=int, default=2048)
    parser.add_argument("--batch", type=int, default=2)
    arguments = parser.parse_args()
    for side in arguments.maps:
        compare((arguments.batch, arguments.channels, side, side), arguments.rounds)


if __name__ == "__main__":
    main()
