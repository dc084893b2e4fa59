import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode

from repro.nn.context.attention import dot_product_attention
from tests.nn.context import plain


def maps(
    channels: int,
    wanted: int,
    sizes: tuple[int, int, int, int],
    *,
    batch: int = 2,
    layout: torch.memory_format = torch.contiguous_format,
) -> list[Tensor]:
    generator = torch.Generator().manual_seed(0)
    shapes = [(channels, *sizes[:2]), (channels, *sizes[2:]), (wanted, *sizes[2:])]
    return [torch.randn(batch, *shape, generator=generator).to(memory_format=layout) for shape in shapes]


@settings(max_examples=40)
@given(
    sizes=st.tuples(*[st.integers(1, 13)] * 4),
    channels=st.integers(2, 20),  # a map of one channel has no memory format
    wanted=st.integers(1, 20),
    batch=st.integers(1, 2),
    scale=st.sampled_from([None, 1.0, 0.3]),
    layout=st.sampled_from(plain.LAYOUTS),
)
def test_equals_the_softmax_over_the_whole_matrix(
    sizes: tuple[int, int, int, int],
    channels: int,
    wanted: int,
    batch: int,
    scale: float | None,
    layout: torch.memory_format,
) -> None:
    inputs = maps(channels, wanted, sizes, batch=batch, layout=layout)
    plain.assert_same(
        lambda *tensors: dot_product_attention(*tensors, scale),
        lambda *tensors: plain.dot_product_attention(*tensors, scale),
        inputs,
    )
    assert dot_product_attention(*inputs).is_contiguous(memory_format=layout)


class Operators(TorchDispatchMode):
    """Remembers the names of all operations."""

    def __init__(self) -> None:
        super().__init__()
        self.names: set[str] = set()

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):  # type: ignore[no-untyped-def]
        self.names.add(func.overloadpacket.__name__)
        return func(*args, **(kwargs or {}))


@pytest.mark.parametrize(("channels", "wanted"), [(8, 8), (8, 24), (24, 8), (3, 3), (1, 5)])
@pytest.mark.parametrize("layout", plain.LAYOUTS)
def test_the_kernel_that_holds_no_matrix_is_taken(channels: int, wanted: int, layout: torch.memory_format) -> None:
    inputs = [tensor.requires_grad_() for tensor in maps(channels, wanted, (9, 7, 5, 3), layout=layout)]
    with Operators() as operators:
        dot_product_attention(*inputs).sum().backward()
    kernel = "_scaled_dot_product_flash_attention_for_cpu"
    assert {kernel, f"{kernel}_backward"} <= operators.names


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16])
def test_half_precision_is_close(dtype: torch.dtype) -> None:
    inputs = [tensor.to(dtype) for tensor in maps(8, 16, (9, 7, 9, 7))]
    result = dot_product_attention(*inputs)
    assert result.dtype == dtype
    exact = dot_product_attention(*(tensor.float() for tensor in inputs))
    torch.testing.assert_close(result.float(), exact, rtol=2e-2, atol=1e-2)


def test_autocast_is_followed() -> None:
    inputs = maps(8, 8, (9, 7, 9, 7))
    with torch.autocast("cpu", dtype=torch.bfloat16):
        result = dot_product_attention(*inputs)
    assert result.dtype == torch.bfloat16
    torch.testing.assert_close(result.float(), dot_product_attention(*inputs), rtol=3e-2, atol=2e-2)


def test_runs_without_computing() -> None:
    with torch.device("meta"):
        inputs = [torch.empty(2, 64, 65, 65), torch.empty(2, 64, 33, 33), torch.empty(2, 64, 33, 33)]
    assert dot_product_attention(*inputs).shape == (2, 64, 65, 65)
