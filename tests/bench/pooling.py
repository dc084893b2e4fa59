"""Vortex Pooling's average pools against `avg_pool2d`: `python -m tests.bench.pooling [--rounds N]`."""

import argparse

import torch
import torch.nn.functional as F
from torch import Tensor

from repro.nn.context.pooling import average_pool
from tests.bench.timing import interleaved

SIZES = (3, 9, 27)


def torch_pools(features: Tensor) -> list[Tensor]:
    """PyTorch's own pools, true local means at the border."""
    return [F.avg_pool2d(features, size, 1, size // 2, count_include_pad=False) for size in SIZES]


def our_pools(features: Tensor) -> list[Tensor]:
    """The same as banded matrix products."""
    return [average_pool(features, size, count_include_pad=False) for size in SIZES]


def main() -> None:
    """Prints medians for both memory formats, forward and with the gradient, and the largest difference."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--map", type=int, default=33, help="height and width of the map in pixels")
    parser.add_argument("--channels", type=int, default=2048)
    parser.add_argument("--batch", type=int, default=2)
    arguments = parser.parse_args()
    shape = (arguments.batch, arguments.channels, arguments.map, arguments.map)
    features = torch.randn(shape)
    last = features.to(memory_format=torch.channels_last)
    pairs = zip(our_pools(features), torch_pools(features.double()), strict=True)
    print(f"pools of {SIZES} on {list(shape)}, {torch.get_num_threads()} threads")
    print(f"largest difference from avg_pool2d in float64: {max(float((a - b).abs().max()) for a, b in pairs):.1e}")
    with torch.no_grad():
        interleaved(
            {
                "avg_pool2d": lambda: torch_pools(features),
                "avg_pool2d, channels_last": lambda: torch_pools(last),
                "ours": lambda: our_pools(features),
                "ours, channels_last": lambda: our_pools(last),
            },
            arguments.rounds,
        )
    trained, trained_last = features.clone().requires_grad_(), last.clone().requires_grad_()
    upstream = torch.randn(shape)
    upstream_last = upstream.to(memory_format=torch.channels_last)
    interleaved(
        {
            "avg_pool2d, with gradient": lambda: torch.autograd.grad(torch_pools(trained), trained, [upstream] * 3),
            "ours, with gradient": lambda: torch.autograd.grad(our_pools(trained), trained, [upstream] * 3),
            "ours, channels_last, with gradient": lambda: torch.autograd.grad(
                our_pools(trained_last), trained_last, [upstream_last] * 3
            ),
        },
        arguments.rounds,
    )


if __name__ == "__main__":
    main()
