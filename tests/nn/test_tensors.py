import pytest
import torch

from repro.nn.tensors import exact_type, layout, without_autocast


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
