"""The convolution over sampled points of DSNet and DCNv2 against torchvision's `deform_conv2d`, in time and memory.

python -m tests.bench.dynamic_sampling [--rounds 7] [--device cuda --dtype bfloat16]
"""

from collections.abc import Callable
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor
from torchvision.ops import deform_conv2d

from repro.nn.context.dynamic_sampling import SampledConvolution, regular_grid
from tests.bench.forms import DTYPES, parser
from tests.bench.memory import peak_mebibytes
from tests.bench.timing import interleaved

KERNEL_SIZE = 3
Form = Callable[[Tensor, Tensor, SampledConvolution], Tensor]


def torchvisions(features: Tensor, offsets: Tensor, convolution: SampledConvolution) -> Tensor:
    """The operator of torchvision, in float32 as it also runs under autocast on GPU."""
    sampled: Tensor = deform_conv2d(features.float(), offsets, convolution.weight, padding=KERNEL_SIZE // 2)
    return sampled.to(features.dtype)


def grid_samples(features: Tensor, offsets: Tensor, convolution: SampledConvolution) -> Tensor:
    """All taps below each other in one call of `grid_sample`, then the same product as ours."""
    batch, channels, height, width = features.shape
    points = (offsets + regular_grid(KERNEL_SIZE, offsets.device)).view(batch, -1, 2, height, width)
    rows = points[:, :, 0] + torch.arange(height, device=points.device).view(-1, 1)
    columns = points[:, :, 1] + torch.arange(width, device=points.device)
    grid = torch.stack([2 * columns / (width - 1) - 1, 2 * rows / (height - 1) - 1], -1)
    sampled = F.grid_sample(features.float(), grid.flatten(1, 2), align_corners=True).to(features.dtype)
    weight = convolution.weight.flatten(1)[..., None, None]
    return F.conv2d(sampled.reshape(batch, channels * KERNEL_SIZE**2, height, width), weight)


def ours(features: Tensor, offsets: Tensor, convolution: SampledConvolution) -> Tensor:
    """What DSNet and DCNv2 run."""
    sampled: Tensor = convolution(features, offsets + regular_grid(KERNEL_SIZE, offsets.device))
    return sampled


FORMS: dict[str, Form] = {"deform_conv2d": torchvisions, "grid_sample": grid_samples, "ours": ours}


@dataclass(frozen=True)
class Case:
    """One form on a map of `side` x `side` positions, with offsets of some pixels."""

    form: Form
    batch: int
    channels: int
    width: int
    side: int
    backward: bool
    device: str
    dtype: str
    channels_last: bool

    def inputs(self, side: int) -> tuple[Tensor, Tensor, SampledConvolution]:
        """Map, offsets and convolution, with gradients."""
        torch.manual_seed(0)
        layout = torch.channels_last if self.channels_last else torch.contiguous_format
        features = torch.randn(self.batch, self.channels, side, side).to(self.device, DTYPES[self.dtype])
        offsets = 2 * torch.randn(self.batch, 2 * KERNEL_SIZE**2, side, side).to(self.device)
        convolution = SampledConvolution(self.channels, self.width, KERNEL_SIZE).to(self.device)
        return features.contiguous(memory_format=layout).requires_grad_(), offsets.requires_grad_(), convolution

    def prepare(self) -> Callable[[], None]:
        """What is measured: the form, and the gradients of map, offsets and weights if asked to."""
        self._run(*self.inputs(7))  # libraries are loaded
        inputs = self.inputs(self.side)
        return lambda: self._run(*inputs)

    def _run(self, features: Tensor, offsets: Tensor, convolution: SampledConvolution) -> None:
        dtype = DTYPES[self.dtype]
        autocast = torch.autocast(features.device.type, dtype, enabled=dtype != torch.float32)
        with torch.set_grad_enabled(self.backward), autocast:
            result = self.form(features, offsets, convolution)
        if self.backward:
            torch.autograd.grad(result, [features, offsets, convolution.weight], torch.ones_like(result))
        if features.is_cuda:
            torch.cuda.synchronize()

    def peak_mebibytes(self) -> float:
        """MiB beyond the inputs."""
        return peak_mebibytes(Case.prepare, self, device=self.device)


def main() -> None:
    """Prints medians and peaks per size of the map, forward and with the gradients of map, offsets and weights."""
    options = parser(__doc__)
    options.add_argument("--batch", type=int, default=2)
    options.add_argument("--channels", type=int, default=256)
    options.add_argument("--width", type=int, default=256, help="channels of the result")
    options.add_argument("--maps", type=int, nargs="+", default=[33, 65], help="heights and widths in positions")
    options.add_argument("--channels-last", action="store_true")
    given = vars(options.parse_args())
    rounds, maps = given.pop("rounds"), given.pop("maps")
    exact = Case(ours, side=0, backward=False, **(given | {"dtype": "float32"})).inputs(33)
    difference = float((ours(*exact) - torchvisions(*exact)).detach().abs().max())
    print(
        f"{given['device']}, {torch.get_num_threads()} threads; from deform_conv2d in float32: {difference:.1e} at most"
    )
    for side in maps:
        for backward in (False, True):
            shape = [given["batch"], given["channels"], side, side]
            print(f"\n{KERNEL_SIZE}x{KERNEL_SIZE}, {shape} to {given['width']} channels, {given['dtype']}", end="")
            print(", forward and backward" if backward else ", forward")
            cases = {name: Case(form, side=side, backward=backward, **given) for name, form in FORMS.items()}
            interleaved({name: case.prepare() for name, case in cases.items()}, rounds)
            peaks = {name: case.peak_mebibytes() for name, case in cases.items()}
            print(", ".join(f"{name} {peak:.1f} MiB" for name, peak in peaks.items()), "above the inputs")


if __name__ == "__main__":
    main()
