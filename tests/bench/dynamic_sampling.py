"""DSNet's sampled convolution against torchvision's `deform_conv2d`: `python -m tests.bench.dynamic_sampling`."""

import argparse
from collections.abc import Callable

import torch
import torch.nn.functional as F
from torch import Tensor
from torchvision.ops import deform_conv2d

from repro.nn.context.dynamic_sampling import SampledConvolution, regular_grid
from tests.bench.timing import interleaved

KERNEL_SIZE = 3
DTYPES = {"float32": torch.float32, "bfloat16": torch.bfloat16, "float16": torch.float16}
Form = Callable[[Tensor, Tensor, Tensor], Tensor]


def ours(features: Tensor, offsets: Tensor, convolution: SampledConvolution) -> Tensor:
    """What DSNet and DCNv2 run."""
    return convolution(features, offsets + regular_grid(KERNEL_SIZE, offsets.device))


def torchvisions(features: Tensor, offsets: Tensor, convolution: SampledConvolution) -> Tensor:
    """The operator of torchvision, in float32 as it also runs under autocast on GPU."""
    return deform_conv2d(features.float(), offsets, convolution.weight, padding=KERNEL_SIZE // 2).to(features.dtype)


def grid_samples(features: Tensor, offsets: Tensor, convolution: SampledConvolution) -> Tensor:
    """All taps below each other in one call of `grid_sample`, then the same product."""
    batch, channels, height, width = features.shape
    points = (offsets + regular_grid(KERNEL_SIZE, offsets.device)).unflatten(1, (-1, 2))
    rows = points[:, :, 0] + torch.arange(height, device=points.device).view(-1, 1)
    columns = points[:, :, 1] + torch.arange(width, device=points.device)
    grid = torch.stack([2 * columns / (width - 1) - 1, 2 * rows / (height - 1) - 1], -1)
    sampled = F.grid_sample(features.float(), grid.flatten(1, 2), align_corners=True).to(features.dtype)
    weight = convolution.weight.flatten(1)[..., None, None]
    return F.conv2d(sampled.reshape(batch, channels * KERNEL_SIZE**2, height, width), weight)


FORMS = {"deform_conv2d": torchvisions, "grid_sample": grid_samples, "ours": ours}


def case(arguments: argparse.Namespace, side: int) -> tuple[Tensor, Tensor, SampledConvolution]:
    """A map, offsets of some pixels and a convolution, on the device and with gradients."""
    torch.manual_seed(0)
    shape = (arguments.batch, arguments.channels, side, side)
    layout = torch.channels_last if arguments.channels_last else torch.contiguous_format
    features = torch.randn(shape, device=arguments.device).to(DTYPES[arguments.dtype]).to(memory_format=layout)
    offsets = 2 * torch.randn(arguments.batch, 2 * KERNEL_SIZE**2, side, side, device=arguments.device)
    convolution = SampledConvolution(arguments.channels, arguments.width, KERNEL_SIZE).to(arguments.device)
    return features.requires_grad_(), offsets.requires_grad_(), convolution


def measure(arguments: argparse.Namespace, side: int) -> None:
    """Prints the medians at one size of the map, and the largest difference in float32."""
    features, offsets, convolution = case(arguments, side)
    inputs = [features, offsets, convolution.weight]
    half = arguments.dtype != "float32"

    def run(form: Form, *, backward: bool) -> None:
        with torch.autocast(features.device.type, DTYPES[arguments.dtype] if half else None, enabled=half):
            result = form(features, offsets, convolution)
        if backward:
            torch.autograd.grad(result, inputs, torch.ones_like(result))
        if features.is_cuda:
            torch.cuda.synchronize()

    print(f"{KERNEL_SIZE}x{KERNEL_SIZE}, {list(features.shape)} to {arguments.width} channels, {arguments.dtype}")
    with torch.no_grad():
        single = features.float()
        difference = ours(single, offsets, convolution) - torchvisions(single, offsets, convolution)
        print(f"largest difference from deform_conv2d in float32: {float(difference.abs().max()):.1e}")
        interleaved(
            {name: lambda form=form: run(form, backward=False) for name, form in FORMS.items()}, arguments.rounds
        )
    interleaved(
        {f"{name}, with gradients": lambda form=form: run(form, backward=True) for name, form in FORMS.items()},
        arguments.rounds,
    )


def main() -> None:
    """Prints medians per size of the map, forward and with the gradients of map, offsets and weights."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--maps", type=int, nargs="+", default=[33, 65], help="heights and widths in pixels")
    parser.add_argument("--channels", type=int, default=256)
    parser.add_argument("--width", type=int, default=256, help="channels of the result")
    parser.add_argument("--batch", type=int, default=2)
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--dtype", choices=DTYPES, default="float32", help="of the map; half precision under autocast")
    parser.add_argument("--channels-last", action="store_true")
    arguments = parser.parse_args()
    print(f"{arguments.device}, {torch.get_num_threads()} threads")
    for side in arguments.maps:
        measure(arguments, side)


if __name__ == "__main__":
    main()
