import itertools

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from repro.nn import GALD, ResNet, Segmenter
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

GA = {
    "none": {},
    "psp": {"ga.level_width": 3, "ga.width": 8},
    "aspp": {"ga.inner_width": 4, "ga.width": 8},
    "nonlocal": {"ga.width": 8, "ga.inner_width": 4},
    "cgnl": {"ga.width": 8, "ga.inner_width": 4, "ga.groups": 2},
}
LD = {
    "none": {},
    "v1": {"ld.width": 8},
    "v2": {"ld.local_width": 8, "ld.key_width": 4, "ld.value_width": 8, "ld.dilation": 2},
}
ALLOWED = [
    (arrangement, ga, ld)
    for arrangement, ga, ld in itertools.product(("gald", "ldga", "parallel"), GA, LD)
    if ("none" not in (ga, ld) or arrangement == "gald") and not ga == ld == "none"
]


def small(arrangement: str = "gald", ga: str = "cgnl", ld: str = "v1", **switches: object) -> GALD:
    torch.manual_seed(0)
    changes = {"arrangement": arrangement, "ga": ga, "ld": ld, "width": 8, **GA[ga], **LD[ld], **switches}
    return head_from_yaml("gald", CHANNELS, 5, **changes)


def test_every_allowed_combination_is_tested() -> None:
    assert len(ALLOWED) == 14 + 2 * 8


@pytest.mark.parametrize(("arrangement", "ga", "ld"), ALLOWED)
def test_sizes_and_gradients(arrangement: str, ga: str, ld: str) -> None:
    assert_follows_input_size(small(arrangement, ga, ld), 5)
    assert_gradient_reaches_every_parameter(small(arrangement, ga, ld))


@pytest.mark.parametrize("ld", ["none", "v1", "v2"])
@pytest.mark.parametrize("switches", [{"transform": True}, {"concatenate_original": False}, {"dropout": 0.5}])
def test_switches_use_all_that_they_build(ld: str, switches: dict) -> None:
    assert_gradient_reaches_every_parameter(small(ld=ld, **switches))


def tail_by_hand(head: GALD, original: Tensor, result: Tensor) -> Tensor:
    """Equation 3 and the layers behind it."""
    joined = torch.cat([original, result], 1)
    fused = F.relu(head.fusion.norm(F.conv2d(joined, head.fusion.convolution.weight, padding=1)))
    return F.conv2d(fused, head.classifier.logits.weight, head.classifier.logits.bias)


def test_switches_behind_the_result() -> None:
    maps = features()
    head = small(transform=True).eval()
    result = head.ld(maps["res5"], head.ga(maps["res5"]))
    transformed = F.relu(head.transform.norm(F.conv2d(result, head.transform.convolution.weight, padding=1)))
    torch.testing.assert_close(head(maps), tail_by_hand(head, maps["res5"], transformed))
    head = small(concatenate_original=False).eval()
    result = head.ld(maps["res5"], head.ga(maps["res5"]))
    torch.testing.assert_close(head(maps), tail_by_hand(head, result[:, :0], result))


def test_the_aggregation_follows_the_output_stride() -> None:
    head = small(ga="aspp")
    assert head.ga.context.rates == (1, 12, 24, 36)
    backbone = ResNet(18, output_stride=16)
    model = Segmenter(
        backbone, head_from_yaml("gald", backbone.channels, 5, ga="aspp", ld="v2", **GA["aspp"], **LD["v2"])
    )
    assert model.head.ga.context.rates == (1, 6, 12, 18)
    model.set_output_stride(8)
    assert model.head.ga.context.rates == (1, 12, 24, 36)
    assert model.head.ld.dilation == 2
    with pytest.raises(ValueError, match=r"rate 12 at output stride 8 would become 0\.75 at output stride 128"):
        model.head.set_output_stride(128)
    assert model.head.ga.context.rates == (1, 12, 24, 36)
    for ga in ("none", "psp", "cgnl", "nonlocal"):
        small(ga=ga).set_output_stride(16)


REDUCED = conv_bn(2048, 512, 3)
DEPTHWISE = 9 * 512 + 2 * 512
LDV1 = 3 * DEPTHWISE
LDV2 = conv_bn(2048, 512, 1) + 1024 * (256 + 256 + 512)
ASPP = conv_bn(2048, 256, 1) + 3 * conv_bn(2048, 256, 3) + conv_bn(2048, 256, 1) + conv_bn(5 * 256, 512, 1)
PSP = 4 * conv_bn(2048, 512, 1) + conv_bn(2 * 2048, 512, 3)
NONLOCAL = REDUCED + DEPTHWISE + 4 * 512 * 256 + 256 + 2 * 512
CGNL = REDUCED + DEPTHWISE + 3 * 512 * 256 + 256 * 512 // 8 + 2 * 512
TAIL = conv_bn(2048 + 512, 512, 3) + 512 * 19 + 19


@pytest.mark.parametrize(
    ("switches", "expected"),
    [
        ({"ga": "aspp", "ld": "none"}, ASPP + TAIL),
        ({"ga": "psp", "ld": "v1"}, PSP + LDV1 + TAIL),
        ({"ga": "nonlocal", "ld": "v1"}, NONLOCAL + LDV1 + TAIL),
        ({"ga": "cgnl", "ld": "v1"}, CGNL + LDV1 + TAIL),
        ({"ga": "aspp", "ld": "v2"}, ASPP + LDV2 + TAIL),
        ({"ga": "none", "ld": "v1"}, REDUCED + LDV1 + TAIL),
        ({"ga": "none", "ld": "v2"}, LDV2 - 512 * 1024 + TAIL),
        ({"ga": "cgnl", "ld": "none", "transform": True}, CGNL + conv_bn(512, 512, 3) + TAIL),
        ({"ga": "aspp", "ld": "none", "concatenate_original": False}, ASPP + TAIL - 9 * 2048 * 512),
        (
            {"ga": "cgnl", "ld": "v1", "arrangement": "ldga"},
            REDUCED + LDV1 + CGNL - 9 * (2048 - 512) * 512 + TAIL,
        ),
        (
            {"ga": "cgnl", "ld": "v1", "arrangement": "parallel"},
            REDUCED + LDV1 + CGNL + TAIL + 9 * 512 * 512,
        ),
    ],
)
def test_parameters_by_hand(switches: dict, expected: int) -> None:
    assert parameters(on_meta("gald", 19, **switches)) == expected


@pytest.mark.parametrize(
    ("depth", "switches", "millions", "printed"),
    [
        (50, {"ga": "aspp", "ld": "none"}, 51.2, 47.5),
        (101, {"ga": "aspp", "ld": "none"}, 70.2, 65.4),
        (101, {"ga": "cgnl", "ld": "v1"}, 64.2, 65.3),
        (101, {"ga": "aspp", "ld": "v2"}, 72.3, 66.8),
    ],
)
def test_parameters_beside_the_printed_ones(depth: int, switches: dict, millions: float, printed: float) -> None:
    """Tables IV and VI, whose numbers do not fit each other: the two backbones differ by 19.0M, not by 17.9M."""
    with torch.device("meta"):
        backbone = ResNet(depth)
        model = Segmenter(backbone, head_from_yaml("gald", backbone.channels, 19, **switches))
    assert parameters(model) / 1e6 == pytest.approx(millions, abs=0.05)
    assert parameters(model) / 1e6 == pytest.approx(printed, rel=0.09)


def test_the_public_code_is_a_set_of_switches() -> None:
    """Its ResNet-50 with the deep stem has 47.67M; the biases that ours lacks stand before normalisation."""
    changes = {"ga.padding": 0, "ga.std": None, "ld.padding": 0, "ld.residuals": 2}
    head = on_meta("gald", 19, ga="cgnl", ld="v1", transform=True, **changes)
    assert parameters(head) + 4 * 512 == 24_040_979
    maps = {"res5": torch.randn(1, 2048, 33, 33)}
    with torch.device("meta"):
        assert head.eval()({"res5": maps["res5"].to("meta")}).shape == (1, 19, 33, 33)


def test_what_the_public_code_ends_with_is_the_default() -> None:
    head = on_meta("gald", ga="cgnl", ld="v1")
    assert head.fusion.convolution.weight.shape == (512, 2048 + 512, 3, 3)
    assert head.classifier.extra is None
    assert isinstance(head.classifier.dropout, nn.Dropout)
    assert head.classifier.dropout.p == 0


@pytest.mark.parametrize(
    ("switches", "message"),
    [
        ({"arrangement": "lagd"}, "arrangement must be gald, ldga or parallel, not 'lagd'"),
        ({"ga": "none", "ld": "none"}, "neither ga nor ld is given; give one of them, or use head=fcn"),
        ({"arrangement": "ldga", "ga": "none"}, "arrangement ldga needs both ga and ld, and ga is none"),
        ({"arrangement": "parallel", "ld": "none"}, "arrangement parallel needs both ga and ld, and ld is none"),
    ],
)
def test_mistakes_are_named(switches: dict, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        small(**switches)


@pytest.mark.parametrize("arrangement", ["ldga", "parallel"])
def test_what_is_made_from_the_context_needs_one(arrangement: str) -> None:
    with pytest.raises(ValueError, match="key is to be made from the context, but no global aggregation comes before"):
        small(arrangement, "aspp", "v2", **{"ld.key": "context"})
