import pytest
import torch
from torch import Tensor, nn

from repro.nn.context.nonlocal_block import NonLocalBlock
from tests.nn.context import plain


def by_hand(block: NonLocalBlock, features: Tensor) -> Tensor:
    """Wang et al. 2018, equation 6, written again."""
    query, key, value = block.query(features), block.key(features), block.value(features)
    return features + block.norm(block.expand(plain.dot_product_attention(query, key, value, block.scale)))


@pytest.mark.parametrize("scaled", [True, False])
@pytest.mark.parametrize("layout", plain.LAYOUTS)
@pytest.mark.parametrize("training", [True, False])
def test_function_is_the_one_written_by_hand(scaled: bool, layout: torch.memory_format, training: bool) -> None:
    torch.manual_seed(0)
    block = NonLocalBlock(12, 6, scaled=scaled).train(training)
    features = torch.randn(2, 12, 13, 9).to(memory_format=layout)
    plain.assert_same(block, lambda tensor: by_hand(block, tensor), [features])
    assert block(features).is_contiguous(memory_format=layout)


def test_scale() -> None:
    assert NonLocalBlock(8, 4).scale == 0.5
    assert NonLocalBlock(8, 4, scaled=False).scale == 1


def test_gradient_reaches_every_parameter() -> None:
    torch.manual_seed(0)
    block = NonLocalBlock(16, 8)
    block(10 * torch.randn(2, 16, 9, 13)).square().mean().backward()
    assert [name for name, value in block.named_parameters() if value.grad is None or not value.grad.any()] == []


def test_biases_that_are_left_out_would_change_nothing() -> None:
    torch.manual_seed(0)
    block = NonLocalBlock(16, 8)
    features = torch.randn(2, 16, 9, 13)
    expected = block(features)
    block.key.bias, block.value.bias = nn.Parameter(torch.randn(8)), nn.Parameter(torch.randn(8))
    torch.testing.assert_close(block(features), expected, rtol=1e-4, atol=1e-3)


def test_zero_start_is_the_identity() -> None:
    features = torch.randn(2, 16, 9, 13)
    assert torch.equal(NonLocalBlock(16, 8, zero_init=True)(features), features)
    assert not torch.equal(NonLocalBlock(16, 8)(features), features)


def test_operations_are_counted_without_computing() -> None:
    with torch.device("meta"):
        block = NonLocalBlock(64, 32)
        assert block(torch.empty(2, 64, 33, 47)).shape == (2, 64, 33, 47)


def test_a_block_without_inner_channels_is_refused() -> None:
    with pytest.raises(ValueError, match="needs at least 1 inner channel, not 0"):
        NonLocalBlock(1, 0)
    with pytest.raises(ValueError, match=r"std must be above 0, or null for PyTorch's own draw, not 0"):
        NonLocalBlock(2, 1, std=0)


def test_it_starts_by_its_deviation_with_the_bias_at_zero_or_as_pytorch_draws():
    block = NonLocalBlock(256, 128)
    assert block.query.weight.std().item() == pytest.approx(0.01, rel=0.05)
    assert not block.query.bias.any()
    block = NonLocalBlock(256, 128, std=None)
    assert block.query.weight.std().item() == pytest.approx((3 * 256) ** -0.5, rel=0.05)
    assert block.query.bias.any()
