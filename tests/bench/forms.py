"""Several forms of one function of maps, compared in time and in memory: what the benchmarks of attention share."""

import argparse
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from tests.bench.memory import peak_mebibytes
from tests.bench.timing import interleaved

DTYPES = {"float32": torch.float32, "bfloat16": torch.bfloat16, "float16": torch.float16}
Form = Callable[..., Tensor]


@dataclass(frozen=True)
class Case:
    """One form on inputs of some shapes, drawn at random in one memory format."""

    form: Form
    shapes: Sequence[tuple[int, ...]]
    channels_last: bool
    backward: bool
    device: str
    dtype: str

    def prepare(self) -> Callable[[], object]:
        """Makes the inputs; the function returned runs the form, and the gradients of all inputs if asked to."""
        generator = torch.Generator().manual_seed(0)
        layout = torch.channels_last if self.channels_last else torch.contiguous_format
        inputs = [self._on_device(torch.randn(shape, generator=generator), layout) for shape in self.shapes]
        with torch.no_grad():
            like = self.form(*(tensor[:1, :, :7, :7] for tensor in inputs))  # libraries are loaded, too
            shape = (*self.shapes[-1][:1], like.shape[1], *self.shapes[0][2:])
            upstream = self._on_device(torch.randn(shape, generator=generator), layout)
        for tensor in inputs:
            tensor.requires_grad_(self.backward)

        def run() -> None:
            result = self.form(*inputs)
            if self.backward:
                torch.autograd.grad(result, inputs, upstream)
            if result.is_cuda:
                torch.cuda.synchronize()

        return run

    def _on_device(self, tensor: Tensor, layout: torch.memory_format) -> Tensor:
        return tensor.to(self.device, DTYPES[self.dtype]).contiguous(memory_format=layout)

    def peak_mebibytes(self) -> float:
        """MiB beyond the inputs."""
        return peak_mebibytes(Case.prepare, self, device=self.device)


def parser(description: str | None) -> argparse.ArgumentParser:
    """The options that all of them have."""
    result = argparse.ArgumentParser(description=description, formatter_class=argparse.RawDescriptionHelpFormatter)
    result.add_argument("--rounds", type=int, default=7)
    result.add_argument("--device", default="cpu")
    result.add_argument("--dtype", choices=DTYPES, default="float32")
    return result


def compare(forms: Mapping[str, Form], shapes: Sequence[tuple[int, ...]], arguments: argparse.Namespace) -> None:
    """Prints medians and peaks of all forms on maps of these shapes, without gradients and with them.

    The first form is the baseline, in PyTorch's usual memory format; the others are measured in both.
    """
    print(f"\n{', '.join(map(str, map(list, shapes)))}: {arguments.device}, {arguments.dtype}", end="")
    print(f", {torch.get_num_threads()} threads; MiB above the inputs")
    for backward in (False, True):
        print("forward and backward" if backward else "forward")
        cases = {
            f"{name}{', channels_last' * last}": Case(form, shapes, last, backward, arguments.device, arguments.dtype)
            for number, (name, form) in enumerate(forms.items())
            for last in ([False, True] if number else [False])
        }
        interleaved({name: case.prepare() for name, case in cases.items()}, arguments.rounds)
        peaks = {name: case.peak_mebibytes() for name, case in cases.items()}
        baseline = next(iter(peaks.values()))
        for name, peak in peaks.items():
            print(f"{name:{max(map(len, peaks))}}  {peak:9.1f} MiB  {baseline / max(peak, 0.1):7.2f}x less")
