import warnings

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from repro.nn.tensors import exact_type, is_recorded, layout, neighbours, without_autocast


def test_layout() -> None:
    features = torch.rand(2, 3, 5, 7)
    assert layout(features) == torch.contiguous_format
    assert layout(features.to(memory_format=torch.channels_last)) == torch.channels_last
    assert layout(torch.rand(2, 1, 5, 7).to(memory_format=torch.channels_last)) == torch.contiguous_format


@pytest.mark.parametrize(
    ("dtype", "exact"),
    [
        (torch.float16, torch.float32),
        (torch.bfloat16, torch.float32),
        (torch.float32, torch.float32),
        (torch.float64, torch.float64),
    ],
)
def test_exact_type(dtype: torch.dtype, exact: torch.dtype) -> None:
    assert exact_type(torch.empty(1, dtype=dtype)) == exact


@pytest.mark.parametrize("device", ["cpu", "meta"])
def test_autocast_is_switched_off_where_there_is_one(device: str) -> None:
    matrix = torch.ones(2, 2, device=device)
    with torch.autocast("cpu", dtype=torch.bfloat16), without_autocast(matrix.device):
        assert (matrix @ matrix).dtype == torch.float32


class Asked(nn.Module):
    """Adds 1 if the call is recorded."""

    def forward(self, features: Tensor) -> Tensor:
        return features + int(is_recorded())


@pytest.mark.parametrize("strict", [False, True])
def test_a_call_is_recorded_where_a_program_is_made_of_it(strict: bool) -> None:
    zero = torch.zeros(2)
    assert not Asked()(zero).any()
    assert not torch.compile(Asked(), backend="eager")(zero).any()
    assert torch.export.export(Asked(), (zero,), strict=strict).module()(zero).all()
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "`torch.jit.trace", FutureWarning)
        assert torch.jit.trace(Asked(), zero, check_trace=False)(zero).all()


@pytest.mark.parametrize(("kernel_size", "dilation"), [(1, 1), (3, 1), (5, 4)])
def test_neighbours_are_those_of_unfold(kernel_size: int, dilation: int) -> None:
    features = torch.randn(2, 3, 5, 7)
    unfolded = F.unfold(features, kernel_size, dilation, kernel_size // 2 * dilation)
    expected = unfolded.view(2, 3, -1, 5, 7).unbind(2)
    assert all(map(torch.equal, neighbours(features, kernel_size, dilation), expected))
