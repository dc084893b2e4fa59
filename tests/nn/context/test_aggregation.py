import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from repro.nn.context.cgnl import CGNLBlock
from repro.nn.context.nonlocal_block import NonLocalBlock
from repro.nn.context.parts import Aggregation
from repro.nn.layers import ConvBNReLU
from tests.nn.heads.checks import leaves, part

SMALL = {
    "aspp": {"inner_width": 4, "width": 6, "rates": (2, 4)},
    "psp": {"width": 6},
    "nonlocal": {"width": 6, "inner_width": 4},
    "cgnl": {"width": 6, "inner_width": 4, "groups": 2},
    "convolution": {"width": 6},
}
KINDS = list(SMALL)


def small(kind: str, **switches: object) -> Aggregation:
    torch.manual_seed(0)
    module = part(f"ga/{kind}", **(SMALL[kind] | switches))(24)
    for layer in module.modules():
        if isinstance(layer, nn.BatchNorm2d):  # normalisation that does something
            layer.running_mean.normal_(0, 0.1)
            layer.running_var.uniform_(0.5, 1.5)
    return module


def conv_bn_relu(layer: ConvBNReLU, features: Tensor, rate: int = 1) -> Tensor:
    weight = layer.convolution.weight
    return F.relu(layer.norm(F.conv2d(features, weight, padding=rate * (weight.shape[2] // 2), dilation=rate)))


def halved(module: Aggregation, features: Tensor) -> Tensor:
    convolution = module.halving.convolution
    small_map = F.conv2d(features, convolution.weight, stride=2, padding=convolution.padding, groups=features.shape[1])
    return F.relu(module.halving.norm(small_map))


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("size", [(1, 1), (1, 7), (13, 9), (33, 47)])
@pytest.mark.parametrize("layout", [torch.contiguous_format, torch.channels_last])
def test_the_size_stays(kind: str, size: tuple[int, int], layout: torch.memory_format) -> None:
    module = small(kind).eval()
    context = module(torch.randn(2, 24, *size).to(memory_format=layout))
    assert context.shape == (2, module.out_channels, *size)
    assert module.out_channels == 6


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("switches", [{}, {"width": 8, "align_corners": False, "downsample": False}])
def test_gradient_reaches_every_parameter(kind: str, switches: dict) -> None:
    taken = {name: value for name, value in switches.items() if name in leaves(f"head/ga/{kind}")}
    module = small(kind, **taken)
    module(torch.randn(2, 24, 9, 13)).square().mean().backward()
    assert [name for name, value in module.named_parameters() if not value.grad.any()] == []


@pytest.mark.parametrize("kind", KINDS)
def test_half_precision_and_meta(kind: str) -> None:
    with torch.autocast("cpu", dtype=torch.bfloat16):
        assert small(kind)(torch.randn(2, 24, 13, 9)).isfinite().all()
    with torch.device("meta"):
        assert part(f"ga/{kind}", **SMALL[kind])(24)(torch.randn(2, 24, 13, 9)).shape == (2, 6, 13, 9)


@pytest.mark.parametrize("kind", ["nonlocal", "cgnl"])
@pytest.mark.parametrize("switches", [{}, {"padding": 0}, {"align_corners": False}, {"downsample": False}])
def test_attention_sees_a_map_of_half_the_size(kind: str, switches: dict) -> None:
    module = small(kind, **switches).eval()
    features = torch.randn(2, 24, 13, 9)
    context = conv_bn_relu(module.reduction, features)
    if switches.get("downsample", True):
        related = module.block(halved(module, context))
        assert related.shape[-2:] == ((6, 4) if "padding" in switches else (7, 5))
        aligned = switches.get("align_corners", True)
        context = F.interpolate(related, (13, 9), mode="bilinear", align_corners=aligned)
    else:
        assert module.halving is None
        context = module.block(context)
    torch.testing.assert_close(module(features), context)


def test_the_blocks_take_their_switches() -> None:
    block = small("nonlocal", scaled=False).block
    assert isinstance(block, NonLocalBlock)
    assert block.scale == 1
    block = small("cgnl", zero_init=True, std=None).block
    assert isinstance(block, CGNLBlock)
    assert block.norm.num_groups == 2
    features = torch.randn(2, 6, 5, 5)
    assert torch.equal(block(features), features)


def test_rates_follow_the_output_stride_all_or_none() -> None:
    module = part("ga/aspp")(24)
    module.set_output_stride(16)
    assert module.context.rates == (1, 6, 12, 18)
    with pytest.raises(ValueError, match=r"rate 12 at output stride 8 would become 1\.5 at output stride 64"):
        module.set_output_stride(64)
    assert module.context.rates == (1, 6, 12, 18)
    fixed = part("ga/aspp", rates_follow_output_stride=False)(24)
    fixed.set_output_stride(16)
    assert fixed.context.rates == (1, 12, 24, 36)
    for kind in ("psp", "nonlocal", "cgnl"):
        small(kind).set_output_stride(64)


@pytest.mark.parametrize("kind", ["aspp", "psp"])
def test_dropout_is_that_of_the_switches(kind: str) -> None:
    dropout = small(kind).dropout
    assert type(dropout) is nn.Dropout2d
    assert dropout.p == 0.1
    assert type(small(kind, dropout=0.5, dropout_kind="elementwise").dropout) is nn.Dropout
