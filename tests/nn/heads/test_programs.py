"""Heads traced, exported, compiled and folded: made at one size and run at others, against the heads themselves."""

import copy
import warnings
from collections.abc import Callable
from functools import partial

import pytest
import torch
from torch import Tensor, nn
from torch.export import Dim
from torch.nn.utils.fusion import fuse_conv_bn_eval

from repro.nn import Head
from tests.nn.heads.checks import CHANNELS, features
from tests.nn.heads.variants import make, variants

# Batch, height and width. A rate of 12, 24 or 36 reaches over both sides, over one, or over none. `torch.export` takes
# no side for one that may be 1, so the smallest is one that LDv1's reduction by 8 leaves 2 of.
FIRST = (2, (9, 13))
OTHERS = [(3, (38, 17)), (2, (10, 41))]
MAY_VARY = {"features": {name: {0: Dim.AUTO, 2: Dim.AUTO, 3: Dim.AUTO} for name in CHANNELS}}
every = pytest.mark.parametrize("name", variants())
# One head for each part that has a way of its own through a program; `python -m tests.bench.export` exports all.
PARTS = ["vortex", "dsnet aspp dynamic joint", "dynamic_filter none joint", "gald psp v1", "gald none v2"]
parts = pytest.mark.parametrize("name", PARTS)


def maps(shape: tuple[int, tuple[int, int]]) -> dict[str, Tensor]:
    torch.manual_seed(1)
    return features(shape[1], shape[0])


def assert_same(program: Callable[[dict[str, Tensor]], Tensor], head: nn.Module) -> None:
    for shape in (FIRST, *OTHERS):
        expected = head(maps(shape))
        tolerance = 1e-5 * expected.abs().max().item()
        torch.testing.assert_close(program(maps(shape)), expected, rtol=0, atol=tolerance)


@every
def test_a_trace_holds_for_other_sizes(name: str) -> None:
    head = make(name)
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "`torch.jit.trace", FutureWarning)
        # What Python decides or counts while a trace is made is fixed in it, and warned of.
        warnings.filterwarnings("error", category=torch.jit.TracerWarning)
        # Group normalisation counts its values, attention the larger number of channels: no size of a map.
        warnings.filterwarnings(
            "ignore", category=torch.jit.TracerWarning, module=r"torch\.nn\.functional|repro\.nn\.context\.attention"
        )
        program = torch.jit.trace(head, (maps(FIRST),), check_trace=False)
    assert_same(program, head)


@pytest.mark.slow
@parts
def test_an_exported_program_holds_for_other_sizes(name: str) -> None:
    head = make(name)
    program = torch.export.export(head, (maps(FIRST),), dynamic_shapes=MAY_VARY, strict=False)
    assert_same(program.module(), head)


def folded(head: Head) -> Head:
    """The head with every batch normalisation that reads a convolution folded into it."""
    head = copy.deepcopy(head)
    made_by: list[tuple[Tensor, str]] = []
    pairs: dict[str, str] = {}

    def note(name: str, module: nn.Module, inputs: tuple[Tensor, ...], output: Tensor) -> None:
        if isinstance(module, nn.Conv2d):
            made_by.append((output, name))
        else:
            pairs.update({convolution: name for made, convolution in made_by if made is inputs[0]})

    seen = [(name, part) for name, part in head.named_modules() if isinstance(part, nn.Conv2d | nn.BatchNorm2d)]
    hooks = [part.register_forward_hook(partial(note, name)) for name, part in seen]
    head(maps(FIRST))
    for hook in hooks:
        hook.remove()
    for convolution, norm in pairs.items():
        head.set_submodule(convolution, fuse_conv_bn_eval(head.get_submodule(convolution), head.get_submodule(norm)))
        head.set_submodule(norm, nn.Identity())
    return head


@every
@torch.no_grad()
def test_batch_normalisation_can_be_folded(name: str) -> None:
    assert_same(folded(make(name)), make(name))


def gradients(
    run: Callable[[dict[str, Tensor]], Tensor], head: Head, shape: tuple[int, tuple[int, int]]
) -> list[Tensor]:
    inputs = {key: value.requires_grad_() for key, value in maps(shape).items() if key in head.sources}
    result = run(maps(shape) | inputs)
    return [result, *torch.autograd.grad(result.square().mean(), [*inputs.values(), *head.parameters()])]


@pytest.mark.real
@every
@torch.no_grad()
def test_one_compiled_program_holds_for_other_sizes(name: str) -> None:
    torch.compiler.reset()
    head = make(name)
    # What is done to the operations of a graph, behind its capture, is seen on one head of each way.
    compiled = torch.compile(head, backend="aot_eager" if name in PARTS else "eager", fullgraph=True)
    # Every rate reaches over the same sides in both, so that one program must do.
    for stance, shape in (("default", (2, (10, 13))), ("fail_on_recompile", (3, (11, 14)))):
        given = {key: value for key, value in maps(shape).items() if key in head.sources}
        expected = head(given)
        for value in given.values():
            torch._dynamo.mark_dynamic(value, [0, 2, 3])
        with torch.compiler.set_stance(stance):
            found = compiled(given)
        torch.testing.assert_close(found, expected, rtol=0, atol=1e-5 * expected.abs().max().item())


@pytest.mark.real
@parts
def test_a_compiled_head_learns_the_same_at_changing_sizes(name: str) -> None:
    torch.compiler.reset()
    head = make(name)
    compiled = torch.compile(head, backend="aot_eager")
    for shape in (FIRST, *OTHERS):
        for ours, expected in zip(gradients(compiled, head, shape), gradients(head, head, shape), strict=True):
            torch.testing.assert_close(ours, expected, rtol=0, atol=1e-4 * expected.abs().max().item() + 1e-7)
