"""Whole networks as programs and as ONNX: made at one size, run at others."""

import warnings

import pytest
import torch

from tests.bench.export import Run, network, onnx, program
from tests.nn.heads.test_programs import PARTS

FIRST = (2, 3, 97, 129)
OTHERS = [(1, 3, 193, 121), (3, 3, 81, 305)]


@torch.no_grad()
def assert_same(run: Run, name: str) -> None:
    model = network(name)
    for shape in (FIRST, *OTHERS):
        image = torch.randn(shape)
        expected = model(image)
        torch.testing.assert_close(run(image), expected, rtol=0, atol=1e-4 * expected.abs().max().item())


@pytest.mark.slow
def test_a_program() -> None:
    assert_same(program(network("vortex"), torch.randn(FIRST)), "vortex")


@pytest.mark.real
@pytest.mark.parametrize("name", ["aspp", *PARTS])
def test_onnx(name: str) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the exporter's own
        run = onnx(network(name), torch.randn(FIRST))
    assert_same(run, name)
