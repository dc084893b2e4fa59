import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils.flop_counter import FlopCounterMode

from repro.nn.context.local_attention import local_attention
from tests.nn.context import plain


def attention(*tensors: Tensor, scale: float = 1.0, masked_border: bool = False, **neighbours: int) -> Tensor:
    return local_attention(*tensors, scale=scale, masked_border=masked_border, **neighbours)


def maps(
    *channels: int, height: int, width: int, batch: int = 2, layout: torch.memory_format = torch.contiguous_format
) -> list[Tensor]:
    generator = torch.Generator().manual_seed(0)
    shapes = [(batch, count, height, width) for count in channels]
    return [torch.randn(shape, generator=generator).to(memory_format=layout) for shape in shapes]


@settings(max_examples=60)
@given(
    batch=st.integers(1, 3),
    height=st.integers(1, 24),
    width=st.integers(1, 40),
    channels=st.integers(1, 6),
    wanted=st.integers(1, 6),
    kernel_size=st.sampled_from([1, 3, 5, 7]),
    dilation=st.integers(1, 7),
    scale=st.sampled_from([1.0, 0.3]),
    masked_border=st.booleans(),
    layout=st.sampled_from(plain.LAYOUTS),
)
def test_equals_the_softmax_over_unfolded_neighbours(
    batch: int,
    height: int,
    width: int,
    channels: int,
    wanted: int,
    layout: torch.memory_format,
    **switches: float | bool,
) -> None:
    inputs = maps(channels, channels, wanted, height=height, width=width, batch=batch, layout=layout)
    plain.assert_same(
        lambda *tensors: attention(*tensors, **switches),
        lambda *tensors: plain.local_attention(*tensors, **switches),
        inputs,
    )
    assert attention(*inputs, **switches).is_contiguous(memory_format=layout)


@pytest.mark.parametrize(("kernel_size", "dilation"), [(5, 6), (5, 1), (3, 2)])
def test_equals_it_across_the_blocks_of_wide_maps(kernel_size: int, dilation: int) -> None:
    switches = {"kernel_size": kernel_size, "dilation": dilation}
    plain.assert_same(
        lambda *tensors: attention(*tensors, **switches),
        lambda *tensors: plain.local_attention(*tensors, **switches),
        maps(8, 8, 16, height=13, width=209),
    )


@pytest.mark.parametrize("masked_border", [False, True])
@pytest.mark.parametrize(("height", "width"), [(4, 5), (2, 19)])  # rows with neighbours on both sides; two blocks
def test_gradient_in_double_precision(masked_border: bool, height: int, width: int) -> None:
    inputs = [tensor.double().requires_grad_() for tensor in maps(2, 2, 3, height=height, width=width)]

    def attend(*tensors: Tensor) -> Tensor:
        return attention(*tensors, kernel_size=3, dilation=1, scale=0.5, masked_border=masked_border)

    assert attend(*inputs).dtype == torch.float64
    assert torch.autograd.gradcheck(attend, inputs)


@pytest.mark.parametrize("masked_border", [False, True])
def test_large_products_do_not_overflow(masked_border: bool) -> None:
    inputs = [100 * tensor for tensor in maps(4, 4, 3, height=7, width=9)]
    switches = {"kernel_size": 5, "dilation": 2, "masked_border": masked_border}
    exact = plain.local_attention(*(tensor.double() for tensor in inputs), **switches)
    result = attention(*inputs, **switches)
    torch.testing.assert_close(result.double(), exact, rtol=1e-3, atol=1e-2)


def test_constant_values_fade_at_a_border_of_zeros_and_stay_at_a_masked_one() -> None:
    query, value = torch.zeros(1, 2, 9, 9), torch.ones(1, 1, 9, 9)
    faded = attention(query, query, value, kernel_size=3, dilation=2)
    assert faded[0, 0, 0, 0] == pytest.approx(4 / 9)
    assert faded[0, 0, 4, 4] == pytest.approx(1)
    torch.testing.assert_close(attention(query, query, value, kernel_size=3, dilation=2, masked_border=True), value)


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16])
@pytest.mark.parametrize("autocast", [False, True])
def test_half_precision_is_rounded_once(dtype: torch.dtype, autocast: bool) -> None:
    inputs = [tensor.to(dtype).requires_grad_() for tensor in maps(4, 4, 3, height=13, width=9)]
    wide = [tensor.detach().float().requires_grad_() for tensor in inputs]
    with torch.autocast("cpu", dtype=torch.bfloat16, enabled=autocast):
        result = attention(*inputs, kernel_size=5, dilation=2)
        gradients = torch.autograd.grad(result.sum(), inputs)
    expected = attention(*wide, kernel_size=5, dilation=2)
    assert result.dtype == dtype
    assert torch.equal(result, expected.to(dtype))
    for gradient, right in zip(gradients, torch.autograd.grad(expected.sum(), wide), strict=True):
        assert gradient.dtype == dtype
        torch.testing.assert_close(gradient.float(), right, rtol=2e-2, atol=2e-2)


def test_keys_and_values_may_differ_in_type() -> None:
    query, key, value = maps(4, 4, 3, height=9, width=9)
    result = attention(query.bfloat16(), key, value.half(), kernel_size=3, dilation=2)
    assert result.dtype == torch.float16
    expected = attention(query.bfloat16().float(), key, value.half().float(), kernel_size=3, dilation=2)
    torch.testing.assert_close(result, expected.half())


def test_a_second_derivative_is_refused() -> None:
    inputs = [tensor.requires_grad_() for tensor in maps(2, 2, 2, height=5, width=5)]
    result = attention(*inputs, kernel_size=3, dilation=1)
    (gradient,) = torch.autograd.grad(result.square().sum(), inputs[:1], create_graph=True)
    with pytest.raises(RuntimeError, match="once_differentiable"):
        gradient.sum().backward()


class Largest(TorchDispatchMode):
    """Remembers how many numbers the largest tensor had that any operation gave."""

    numbers = 0

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):  # type: ignore[no-untyped-def]
        result = func(*args, **(kwargs or {}))
        if isinstance(result, Tensor):
            self.numbers = max(self.numbers, result.numel())
        return result


def test_neighbourhoods_are_never_gathered() -> None:
    inputs = [tensor.requires_grad_() for tensor in maps(16, 16, 64, height=65, width=65)]
    with Largest() as largest:
        attention(*inputs, kernel_size=5, dilation=6).sum().backward()
    assert largest.numbers == inputs[2].numel()


def test_operations_are_counted_without_computing() -> None:
    shapes = [(2, 64, 65, 65), (2, 64, 65, 65), (2, 512, 65, 65)]
    least = 2 * 2 * 65 * 65 * 25 * (64 + 512)

    def attend(*tensors: Tensor) -> Tensor:
        return attention(*tensors, kernel_size=5, dilation=6)

    forward = plain.operations(attend, *shapes)
    assert least < forward < 3 * least
    inputs = [torch.empty(shape, device="meta", requires_grad=True) for shape in shapes]
    result = attend(*inputs)
    with FlopCounterMode(display=False) as backward:
        result.sum().backward()
    assert backward.get_total_flops() == 2 * forward


@pytest.mark.parametrize("kernel_size", [0, 4, -3])
def test_a_kernel_without_a_middle_is_refused(kernel_size: int) -> None:
    with pytest.raises(ValueError, match=f"needs an odd kernel, so that a position has a middle, not {kernel_size}"):
        attention(*maps(2, 2, 2, height=5, width=5), kernel_size=kernel_size, dilation=1)


def test_a_dilation_below_one_is_refused() -> None:
    with pytest.raises(ValueError, match="needs a dilation of at least 1, not 0"):
        attention(*maps(2, 2, 2, height=5, width=5), kernel_size=3, dilation=0)
