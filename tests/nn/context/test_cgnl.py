import pytest
import torch
import torch.nn.functional as F
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from repro.nn.context.cgnl import CGNLBlock, grouped_attention
from tests.nn.context import plain


def cgnl_block(
    channels: int, inner_channels: int, groups: int = 8, *, std: float | None = 0.01, zero_init: bool = False
) -> CGNLBlock:
    return CGNLBlock(channels, inner_channels, groups, std=std, zero_init=zero_init)


@settings(max_examples=30)
@given(
    batch=st.integers(1, 2),
    height=st.integers(1, 13),
    width=st.integers(1, 13),
    groups=st.integers(1, 4),
    each=st.integers(1, 3),
    layout=st.sampled_from(plain.LAYOUTS),
)
def test_equals_products_of_matrices_group_by_group(
    batch: int, height: int, width: int, groups: int, each: int, layout: torch.memory_format
) -> None:
    generator = torch.Generator().manual_seed(0)
    shape = (3, batch, groups * each, height, width)
    # As large as 1 when summed up, since 1e-5 is asked of the sums.
    size = (each * height * width) ** -0.25
    inputs = [size * tensor.to(memory_format=layout) for tensor in torch.randn(shape, generator=generator)]
    plain.assert_same(
        lambda *tensors: grouped_attention(*tensors, groups),
        lambda *tensors: plain.cgnl_attention(*tensors, groups),
        inputs,
    )
    assert grouped_attention(*inputs, groups).is_contiguous(memory_format=layout)


def by_hand(block: CGNLBlock, features: Tensor) -> Tensor:
    """The published order: attention first, then the last convolution and its normalisation."""
    groups = block.norm.num_groups
    attended = plain.cgnl_attention(block.theta(features), block.phi(features), block.g(features), groups)
    expanded = F.conv2d(attended, block.expand.weight, groups=groups)
    return features + block.norm(expanded)


@pytest.mark.parametrize("layout", plain.LAYOUTS)
@pytest.mark.parametrize("size", [(13, 9), (1, 7)])
def test_function_is_the_one_written_by_hand(layout: torch.memory_format, size: tuple[int, int]) -> None:
    torch.manual_seed(0)
    block = cgnl_block(12, 6, 3).double()
    features = torch.randn(2, 12, *size).double().to(memory_format=layout)
    torch.testing.assert_close(block(features), by_hand(block, features), rtol=1e-9, atol=1e-9)
    plain.assert_same(block.float(), lambda tensor: by_hand(block, tensor), [features.float()])
    assert block(features.float()).is_contiguous(memory_format=layout)


def test_gradient_reaches_every_parameter() -> None:
    torch.manual_seed(0)
    block = cgnl_block(16, 8)
    block(torch.randn(2, 16, 9, 13)).square().mean().backward()
    assert [name for name, value in block.named_parameters() if value.grad is None or not value.grad.any()] == []


def test_normalisation_takes_the_size_of_the_factor_away() -> None:
    torch.manual_seed(0)
    block = cgnl_block(16, 8, std=None)
    features = torch.randn(2, 16, 33, 33)
    before = block(features)
    with torch.no_grad():
        block.phi.weight.mul_(100)
    torch.testing.assert_close(block(features), before, rtol=1e-2, atol=1e-2)
    with torch.no_grad():
        block.phi.weight.neg_()
    torch.testing.assert_close(block(features) - features, features - before, rtol=1e-2, atol=1e-2)


def test_zero_start_is_the_identity() -> None:
    features = torch.randn(2, 16, 9, 13)
    assert torch.equal(cgnl_block(16, 8, zero_init=True)(features), features)
    assert not torch.equal(cgnl_block(16, 8)(features), features)


def test_first_draw() -> None:
    torch.manual_seed(0)
    assert float(cgnl_block(512, 256).theta.weight.detach().std()) == pytest.approx(0.01, rel=0.05)
    assert float(cgnl_block(512, 256, std=None).theta.weight.detach().std()) == pytest.approx(
        (3 * 512) ** -0.5, rel=0.05
    )


def test_the_sums_do_not_overflow_in_half_precision() -> None:
    torch.manual_seed(0)
    block = cgnl_block(16, 8, std=1.0)
    features = 10 * torch.randn(2, 16, 33, 33)
    products = (block.phi(features) * block.g(features)).detach()
    assert float(products.sum((2, 3)).abs().max()) > torch.finfo(torch.float16).max
    for dtype in (torch.float16, torch.bfloat16):
        with torch.autocast("cpu", dtype=dtype):
            result = block(features)
        assert result.dtype == torch.float32
        assert float((result - block(features)).detach().abs().mean()) < 0.05
    half = block.half()(features.half())
    assert half.dtype == torch.float16
    assert half.isfinite().all()


def test_operations_are_counted_without_computing() -> None:
    assert plain.operations(lambda features: cgnl_block(512, 256)(features), (2, 512, 33, 47)) == 2 * (
        2 * 33 * 47 * (3 * 512 * 256 + 512 * 256 // 8)
    )


@pytest.mark.parametrize(("channels", "inner_channels", "groups"), [(12, 6, 4), (10, 8, 4), (8, 4, 0), (8, 0, 1)])
def test_groups_that_do_not_divide_are_refused(channels: int, inner_channels: int, groups: int) -> None:
    with pytest.raises(ValueError, match=rf"groups must divide the {channels} channels .* {groups} does not"):
        cgnl_block(channels, inner_channels, groups)


def test_a_deviation_that_is_none_is_refused() -> None:
    with pytest.raises(ValueError, match=r"std must be above 0, or null for PyTorch's own draw, not 0\.0"):
        cgnl_block(8, 8, std=0.0)
