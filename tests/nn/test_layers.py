import pytest
import torch
import torch.nn.functional as F
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn
from torch.nn.utils.fusion import fuse_conv_bn_eval

from repro.nn.layers import AtrousConv2d, ConvBNReLU, dropout_layer, logits_layer


@settings(max_examples=60, deadline=None)
@given(
    height=st.integers(1, 14),
    width=st.integers(1, 14),
    rate=st.integers(1, 18),
    kernel_size=st.sampled_from([1, 3]),
    stride=st.integers(1, 3),
)
def test_atrous_convolution_equals_the_full_one(
    height: int, width: int, rate: int, kernel_size: int, stride: int
) -> None:
    torch.manual_seed(0)
    layer = AtrousConv2d(3, 4, kernel_size, rate, stride=stride).double()
    image = torch.randn(2, 3, height, width, dtype=torch.float64, requires_grad=True)
    padding = rate * (kernel_size // 2)
    expected = F.conv2d(image, layer.weight, stride=stride, padding=padding, dilation=rate)
    upstream = torch.randn_like(expected)
    expected_gradients = torch.autograd.grad(expected, (image, layer.weight), upstream)
    ours = layer(image)
    gradients = torch.autograd.grad(ours, (image, layer.weight), upstream)
    torch.testing.assert_close(ours, expected)
    torch.testing.assert_close(gradients, expected_gradients)


@pytest.mark.parametrize("size", [(20, 30), (6, 30), (5, 6)])
def test_what_is_folded_into_it_or_set_on_it_counts_with_skipped_taps_too(size: tuple[int, int]) -> None:
    torch.manual_seed(0)
    layer, norm = AtrousConv2d(4, 6, rate=6).eval(), nn.BatchNorm2d(6).eval()
    nn.init.uniform_(norm.bias)
    image = torch.randn(2, 4, *size)
    torch.testing.assert_close(fuse_conv_bn_eval(layer, norm)(image), norm(layer(image)))
    layer.groups, layer.weight = 2, nn.Parameter(layer.weight[:, :2].detach())
    torch.testing.assert_close(layer(image), F.conv2d(image, layer.weight, None, 1, 6, 6, 2))


def test_rate_changes_after_construction() -> None:
    layer = AtrousConv2d(2, 2, 3, rate=6)
    weight = layer.weight.clone()
    layer.set_rate(12)
    assert (layer.rate, layer.padding) == (12, (12, 12))
    assert torch.equal(layer.weight, weight)
    assert layer(torch.randn(1, 2, 20, 30)).shape == (1, 2, 20, 30)


def test_relu_can_be_left_out() -> None:
    image = torch.randn(2, 3, 8, 8)
    assert ConvBNReLU(3, 4)(image).min() == 0
    assert ConvBNReLU(3, 4, relu=False)(image).min() < 0


def test_logits_are_drawn_with_the_stated_deviation() -> None:
    torch.manual_seed(0)
    layer = logits_layer(4096, 21, 0.01)
    assert layer.weight.std().item() == pytest.approx(0.01, rel=0.02)
    assert not layer.bias.any()
    assert logits_layer(4096, 21, None).bias.any()


def test_channel_dropout_drops_whole_channels() -> None:
    torch.manual_seed(0)
    dropped = dropout_layer(0.5, "channel")(torch.ones(2, 16, 4, 4)).flatten(2)
    assert torch.equal(dropped.amin(2), dropped.amax(2))
    assert set(dropped.unique().tolist()) == {0.0, 2.0}
    single = dropout_layer(0.5, "elementwise")(torch.ones(2, 16, 4, 4)).flatten(2)
    assert (single.amin(2) < single.amax(2)).all()


def test_mistakes_are_named() -> None:
    with pytest.raises(ValueError, match="dropout_kind must be elementwise or channel, not 'spatial'"):
        dropout_layer(0.1, "spatial")
    with pytest.raises(ValueError, match="dropout must be at least 0 and below 1, not 1"):
        dropout_layer(1, "channel")
    with pytest.raises(ValueError, match="at least 2 classes, not 1"):
        logits_layer(8, 1, 0.01)
    with pytest.raises(ValueError, match="logits_std must be above 0"):
        logits_layer(8, 2, 0)
    for rate in (2.0, "2", True, 0):
        with pytest.raises(ValueError, match=f"an atrous rate must be a whole number of at least 1, not {rate!r}"):
            AtrousConv2d(3, 3, rate=rate)
    with pytest.raises(ValueError, match="width must be at least 1, not 0"):
        ConvBNReLU(3, 0)
