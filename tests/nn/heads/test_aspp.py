import pytest
import torch
from torch import nn

from tests.nn.heads.checks import (
    CHANNELS,
    assert_follows_input_size,
    assert_gradient_reaches_every_parameter,
    conv_bn,
    features,
    head_from_yaml,
    on_meta,
    parameters,
)

ATROUS = 3 * conv_bn(2048, 256, 3)
POINT = conv_bn(2048, 256, 1)
LOGITS = 256 * 21 + 21


@pytest.mark.parametrize(
    ("head", "switches", "expected"),
    [
        ("aspp", {}, POINT + ATROUS + POINT + conv_bn(5 * 256, 256, 1) + LOGITS),
        ("aspp", {"image_pooling": False}, POINT + ATROUS + conv_bn(4 * 256, 256, 1) + LOGITS),
        ("aspp", {"fusion": "direct"}, POINT + ATROUS + POINT + 5 * 256 * 21 + 21),
        ("aspp", {"extra_conv": True}, POINT + ATROUS + POINT + conv_bn(1280, 256, 1) + conv_bn(256, 256, 3) + LOGITS),
        ("aspp", {"rates": (6, 12, 18, 24)}, POINT + 4 * ATROUS // 3 + POINT + conv_bn(6 * 256, 256, 1) + LOGITS),
        ("aspp_plus", {}, 4 * ATROUS // 3 + POINT + conv_bn(5 * 256, 256, 1) + LOGITS),
    ],
)
def test_parameters_by_hand(head: str, switches: dict, expected: int) -> None:
    assert parameters(on_meta(head, **switches)) == expected


@pytest.mark.parametrize("head", ["aspp", "aspp_plus"])
@pytest.mark.parametrize("switches", [{}, {"image_pooling": False, "fusion": "direct", "extra_conv": True}])
def test_sizes_and_gradients(head: str, switches: dict) -> None:
    assert_follows_input_size(head_from_yaml(head, CHANNELS, 5, width=4, **switches), 5)
    assert_gradient_reaches_every_parameter(head_from_yaml(head, CHANNELS, 5, width=4, **switches))


def test_first_branch() -> None:
    assert head_from_yaml("aspp", CHANNELS, 5).context.branches[0].convolution.kernel_size == (1, 1)
    assert head_from_yaml("aspp_plus", CHANNELS, 5).context.branches[0].convolution.kernel_size == (3, 3)


def test_rates_follow_the_output_stride() -> None:
    head = head_from_yaml("aspp", CHANNELS, 5)
    assert head.context.rates == (1, 6, 12, 18)
    head.set_output_stride(8)
    assert head.context.rates == (1, 12, 24, 36)  # DeepLabv3, section 3.3
    head.set_output_stride(16)
    assert head.context.rates == (1, 6, 12, 18)


def test_the_dense_branch_stays_dense() -> None:
    head = head_from_yaml("aspp_plus", CHANNELS, 5)
    head.set_output_stride(8)
    assert head.context.rates == (1, 12, 24, 36)


def test_rates_can_be_meant_for_another_output_stride() -> None:
    head = head_from_yaml("aspp", CHANNELS, 5, rates=(12, 24, 36), reference_output_stride=8)
    head.set_output_stride(16)
    assert head.context.rates == (1, 6, 12, 18)


def test_rates_can_stay() -> None:
    head = head_from_yaml("aspp", CHANNELS, 5, rates_follow_output_stride=False)
    head.set_output_stride(8)
    assert head.context.rates == (1, 6, 12, 18)


def test_a_rate_that_would_not_be_whole_is_refused() -> None:
    head = head_from_yaml("aspp", CHANNELS, 5, rates=(6, 9))
    with pytest.raises(ValueError, match=r"rate 9 at output stride 16 would become 4\.5 at output stride 32"):
        head.set_output_stride(32)
    assert head.context.rates == (1, 6, 9)


def test_image_pooling_sees_the_whole_map() -> None:
    torch.manual_seed(0)
    for image_pooling in (True, False):
        head = head_from_yaml("aspp", CHANNELS, 5, width=4, rates=(1, 2), image_pooling=image_pooling).eval()
        maps = features((31, 31), batch=1)
        before = head(maps)[..., 0, 0]
        maps["res5"][..., 30, 30] += 100
        assert bool((head(maps)[..., 0, 0] != before).any()) is image_pooling


def test_dropout_is_that_of_the_switches() -> None:
    assert type(head_from_yaml("aspp", CHANNELS, 5).classifier.dropout) is nn.Dropout
    dropout = head_from_yaml("aspp", CHANNELS, 5, dropout=0.5, dropout_kind="channel").classifier.dropout
    assert type(dropout) is nn.Dropout2d
    assert dropout.p == 0.5
