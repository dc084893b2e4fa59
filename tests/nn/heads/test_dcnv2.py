import pytest
import torch

from repro.nn import ResNet, Segmenter
from tests.nn.heads.checks import (
    CHANNELS,
    assert_follows_input_size,
    assert_gradient_reaches_every_parameter,
    auxiliary_from_yaml,
    conv_bn,
    features,
    head_from_yaml,
    on_meta,
    parameters,
)

ASPP_LAYERS = 2 * conv_bn(2048, 256, 1) + 3 * conv_bn(2048, 256, 3) + conv_bn(5 * 256, 256, 1)
LAYER = conv_bn(256, 256, 3) + (9 * 256 + 1) * 27
TAIL = conv_bn(2 * 256, 256, 3) + 256 * 21 + 21
SMALL = {"context.width": 4, "width": 4}


@pytest.mark.parametrize(
    ("switches", "expected"),
    [
        ({}, ASPP_LAYERS + LAYER + TAIL),
        ({"concatenate": False}, ASPP_LAYERS + LAYER + TAIL - 9 * 256 * 256),
        ({"kernel_size": 1}, ASPP_LAYERS + conv_bn(256, 256, 1) + 257 * 3 + TAIL),
        ({"classifier.width": None}, ASPP_LAYERS + LAYER + 512 * 21 + 21),
        ({"classifier.extra_conv": True}, ASPP_LAYERS + LAYER + TAIL + conv_bn(256, 256, 3)),
    ],
)
def test_parameters_by_hand(switches: dict, expected: int) -> None:
    assert parameters(on_meta("dcnv2", **switches)) == expected


@pytest.mark.parametrize(
    "switches", [{}, {"concatenate": False, "kernel_size": 5, "context.fusion": "direct"}, {"context": "none"}]
)
def test_sizes_and_gradients(switches: dict) -> None:
    torch.manual_seed(0)
    assert_follows_input_size(head_from_yaml("dcnv2", CHANNELS, 5, **(SMALL | switches)), 5)
    assert_gradient_reaches_every_parameter(head_from_yaml("dcnv2", CHANNELS, 5, **(SMALL | switches)))


def test_aspp_is_that_of_head_aspp() -> None:
    """Runs of one seed share its first weights."""
    torch.manual_seed(3)
    aspp = head_from_yaml("aspp", CHANNELS, 5, width=4)
    torch.manual_seed(3)
    head = head_from_yaml("dcnv2", CHANNELS, 5, **SMALL)
    shared = head.context.state_dict()
    assert all(torch.equal(value, shared[name]) for name, value in aspp.context.state_dict().items())


def test_trains_beside_an_auxiliary_head_at_either_output_stride() -> None:
    torch.manual_seed(0)
    backbone = ResNet(18, output_stride=16)
    head = head_from_yaml("dcnv2", backbone.channels, 5, **SMALL)
    model = Segmenter(backbone, head, auxiliary_from_yaml(backbone.channels, 5, width=4))
    for output_stride, rates in ((8, (1, 12, 24, 36)), (16, (1, 6, 12, 18))):
        model.set_output_stride(output_stride)
        assert head.context.rates == rates
        logits = model(torch.randn(2, 3, 65, 97))
        assert {value.shape for value in logits.values()} == {(2, 5, 65, 97)}
        model.zero_grad()
        sum(value.square().mean() for value in logits.values()).backward()
        assert [name for name, value in model.named_parameters() if value.grad is None] == []


def test_rates_stay_if_they_cannot_or_must_not_change() -> None:
    head = head_from_yaml("dcnv2", CHANNELS, 5, **{"context.rates": (6, 9)})
    with pytest.raises(ValueError, match=r"rate 9 at output stride 16 would become 4\.5 at output stride 32"):
        head.set_output_stride(32)
    assert head.context.rates == (1, 6, 9)
    fixed = head_from_yaml("dcnv2", CHANNELS, 5, **{"context.rates_follow_output_stride": False})
    fixed.set_output_stride(8)
    assert fixed.context.rates == (1, 6, 12, 18)


def test_without_the_map_of_aspp_only_the_sampled_one_is_classified() -> None:
    torch.manual_seed(0)
    head = head_from_yaml("dcnv2", CHANNELS, 5, concatenate=False, **SMALL).eval()
    maps = features(batch=1)
    expected = head.classifier([head.refinement(head.context(maps["res5"]))])
    assert torch.equal(head(maps), expected)


@pytest.mark.parametrize(
    ("switches", "sentence"),
    [
        ({"source": "res6"}, "source 'res6' is no output of this backbone"),
        ({"kernel_size": 2}, "kernel_size must be an odd number"),
        ({"width": 0}, "width must be at least 1"),
    ],
)
def test_a_wrong_value_is_a_sentence(switches: dict, sentence: str) -> None:
    with pytest.raises(ValueError, match=sentence):
        head_from_yaml("dcnv2", CHANNELS, 5, **switches)
