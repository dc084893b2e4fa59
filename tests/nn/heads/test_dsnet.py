from itertools import product

import pytest
import torch
from torch import nn

from repro.nn import ResNet, Segmenter
from tests.nn.heads.checks import (
    CHANNELS,
    ODD_SIZES,
    auxiliary_from_yaml,
    conv_bn,
    features,
    head_from_yaml,
    on_meta,
    parameters,
)

ASPP_LAYERS = 2 * conv_bn(2048, 256, 1) + 3 * conv_bn(2048, 256, 3) + conv_bn(5 * 256, 256, 1)
POINTS = (9 * 256 + 1) * 18
TAIL = conv_bn(3 * 256, 256, 3) + 256 * 21 + 21
FROM_ASPP = ASPP_LAYERS + POINTS + conv_bn(256, 256, 3)
SMALL = {"context.width": 4, "sampling.width": 4, "modified_width": 6, "classifier.width": 8}
PAIRS = [("res3", "context"), ("res3", "res5"), ("res4", "context"), ("res5", "context")]  # Table 1


@pytest.mark.parametrize(
    ("switches", "expected"),
    [
        ({}, FROM_ASPP + conv_bn(512, 256, 3) + TAIL),
        ({"sampled": "res4"}, FROM_ASPP + conv_bn(1024, 256, 3) + TAIL),
        ({"sampled": "res5"}, FROM_ASPP + conv_bn(2048, 256, 3) + TAIL),
        ({"guide": "res5"}, FROM_ASPP + conv_bn(512, 256, 3) + TAIL + 9 * 1792 * 18),
        (
            {"guide": "res5", "context": "none"},
            FROM_ASPP - ASPP_LAYERS + conv_bn(512, 256, 3) + TAIL + 9 * 1792 * 18 + 9 * 1792 * 256,
        ),
        (
            {"modified_kernel": 1, "modified_width": 48, "sampling.normalised": False},
            FROM_ASPP - 9 * 208 * 256 - 512 + conv_bn(512, 48, 1) + TAIL - 9 * 208 * 256,
        ),
        ({"sampling.kernel_size": 5}, FROM_ASPP + conv_bn(512, 256, 3) + TAIL + 16 * 256 * 256 + 32 * (9 * 256 + 1)),
        ({"classifier.width": None}, FROM_ASPP + conv_bn(512, 256, 3) + 768 * 21 + 21),
        ({"classifier.extra_conv": True}, FROM_ASPP + conv_bn(512, 256, 3) + TAIL + conv_bn(256, 256, 3)),
    ],
)
def test_parameters_by_hand(switches: dict, expected: int) -> None:
    assert parameters(on_meta("dsnet", **switches)) == expected


@pytest.mark.parametrize(("sampled", "guide"), PAIRS)
@pytest.mark.parametrize("sampler", ["convolution", "nonlocal"])
def test_logits_have_the_size_of_the_sampled_map(sampled: str, guide: str, sampler: str) -> None:
    head = head_from_yaml(
        "dsnet", CHANNELS, 5, sampled=sampled, guide=guide, **SMALL, **{"sampling.sampler": sampler}
    ).eval()
    for size in ODD_SIZES:
        maps = features(size, batch=1)
        assert head(maps).shape == (1, 5, *maps[sampled].shape[-2:])


@pytest.mark.parametrize(
    ("sampled", "guide", "sampler", "switches"),
    [
        *product(("res3", "res4", "res5"), ("context", "res5"), ("convolution", "nonlocal"), ({},)),
        *product(("res3",), ("context", "res5"), ("convolution", "nonlocal"), ({"sampling.origin": "centre"},)),
        ("res3", "res5", "convolution", {"context": "none"}),
        (
            "res3",
            "context",
            "convolution",
            {"sampling.normalised": False, "classifier.width": None, "classifier.extra_conv": True},
        ),
    ],
)
def test_every_parameter_learns(sampled: str, guide: str, sampler: str, switches: dict) -> None:
    torch.manual_seed(0)
    head = head_from_yaml(
        "dsnet", CHANNELS, 5, sampled=sampled, guide=guide, **(SMALL | {"sampling.sampler": sampler} | switches)
    )
    head(features((20, 22))).square().mean().backward()
    assert [name for name, value in head.named_parameters() if value.grad is None or not value.grad.any()] == []


@pytest.mark.parametrize(("sampled", "guide"), PAIRS)
@pytest.mark.parametrize("sampler", ["convolution", "nonlocal"])
def test_trains_beside_an_auxiliary_head(sampled: str, guide: str, sampler: str) -> None:
    torch.manual_seed(0)
    backbone = ResNet(18, output_stride=16)
    head = head_from_yaml(
        "dsnet", backbone.channels, 5, sampled=sampled, guide=guide, **SMALL, **{"sampling.sampler": sampler}
    )
    model = Segmenter(backbone, head, auxiliary_from_yaml(backbone.channels, 5, width=4))
    logits = model(torch.randn(2, 3, 65, 97))
    assert {name: value.shape for name, value in logits.items()} == {
        "main": (2, 5, 65, 97),
        "auxiliary": (2, 5, 65, 97),
    }
    sum(value.square().mean() for value in logits.values()).backward()
    assert [name for name, value in model.named_parameters() if value.grad is None] == []


@pytest.mark.parametrize(
    ("switches", "sources"),
    [
        ({}, ("res3", "res5")),
        ({"sampled": "res5"}, ("res5",)),
        ({"sampled": "res4", "guide": "res5"}, ("res4", "res5")),
        ({"guide": "res4"}, ("res3", "res5", "res4")),
        ({"guide": "res5", "context": "none"}, ("res3", "res5")),
        ({"source": "res4", "context": "none"}, ("res3", "res4")),
        ({"guide": "res4", "source": "res2"}, ("res3", "res2", "res4")),
    ],
)
def test_it_reads_its_sources_and_nothing_else(switches: dict, sources: tuple[str, ...]) -> None:
    head = head_from_yaml("dsnet", CHANNELS, 5, **SMALL, **switches).eval()
    assert head.sources == sources
    maps = features(batch=1)
    assert torch.equal(head({name: maps[name] for name in sources}), head(maps))


def test_the_guide_moves_the_points_and_nothing_else() -> None:
    """Guided by `res5`, the points follow it, while what is concatenated still comes from ASPP."""
    torch.manual_seed(0)
    head = head_from_yaml("dsnet", CHANNELS, 5, guide="res5", **SMALL).eval()
    nn.init.normal_(head.sampling.points.convolution.weight, std=0.1)
    seen = {}
    head.sampling.points.register_forward_hook(lambda _module, given, points: seen.update(guide=given[0]))
    head.classifier.register_forward_hook(lambda _module, given, _logits: seen.update(joined=given[0]))
    maps = features(batch=1)
    head(maps)
    enlarged = nn.functional.interpolate(maps["res5"], scale_factor=2, mode="bilinear")
    torch.testing.assert_close(seen["guide"], enlarged)
    context = nn.functional.interpolate(head.context(maps["res5"]), scale_factor=2, mode="bilinear")
    modified = head.modification(maps["res3"])
    sampled = head.sampling(modified, enlarged)
    torch.testing.assert_close(seen["joined"], [modified, sampled, context])


def test_align_corners_is_that_of_the_switch() -> None:
    torch.manual_seed(0)
    head = head_from_yaml("dsnet", CHANNELS, 5, **SMALL).eval()
    other = head_from_yaml("dsnet", CHANNELS, 5, align_corners=True, **SMALL).eval()
    other.load_state_dict(head.state_dict())
    maps = features((5, 7), batch=1)
    assert not torch.allclose(head(maps), other(maps))


def test_rates_follow_the_output_stride_and_come_back() -> None:
    torch.manual_seed(0)
    backbone = ResNet(18, output_stride=16)
    model = Segmenter(backbone, head_from_yaml("dsnet", backbone.channels, 5, **SMALL)).eval()
    image = torch.randn(1, 3, 65, 49)
    before = model(image)["main"]
    model.set_output_stride(8)
    assert model.head.context.rates == (1, 12, 24, 36)
    assert model(image)["main"].shape == before.shape
    model.set_output_stride(16)
    assert model.head.context.rates == (1, 6, 12, 18)
    assert torch.equal(model(image)["main"], before)


def test_rates_that_would_not_be_whole_change_nothing() -> None:
    head = head_from_yaml("dsnet", CHANNELS, 5, **SMALL, **{"context.rates": (6, 9)})
    with pytest.raises(ValueError, match=r"rate 9 at output stride 16 would become 4\.5 at output stride 32"):
        head.set_output_stride(32)
    assert head.context.rates == (1, 6, 9)
    fixed = head_from_yaml("dsnet", CHANNELS, 5, **SMALL, **{"context.rates_follow_output_stride": False})
    fixed.set_output_stride(8)
    assert fixed.context.rates == (1, 6, 12, 18)
    without = head_from_yaml("dsnet", CHANNELS, 5, guide="res5", context="none", **SMALL)
    without.set_output_stride(32)
    assert type(without.context) is nn.Identity


@pytest.mark.parametrize(
    ("switches", "sentence"),
    [
        ({"sampled": "res6"}, "sampled 'res6' is no output of this backbone; it gives res2, res3, res4, res5"),
        ({"source": "res6"}, "source 'res6' is no output of this backbone; it gives res2, res3, res4, res5"),
        ({"guide": "asp"}, "guide 'asp' is neither context nor an output of this backbone: res2, res3, res4, res5"),
        ({"sampling.sampler": "attention"}, "sampler must be convolution or nonlocal, not 'attention'"),
        ({"sampling.origin": "middle"}, "origin must be grid or centre, not 'middle'"),
        ({"sampling.kernel_size": 2}, "kernel_size must be an odd number"),
        ({"sampling.point_kernel": 4}, "point_kernel must be an odd number"),
        ({"modified_kernel": 0}, "modified_kernel must be an odd number"),
        ({"modified_width": 0}, "width must be at least 1, not 0"),
        ({"sampling.width": 0}, "width must be at least 1, not 0"),
        ({"classifier.width": 0}, "width must be at least 1, not 0"),
        ({"context.rates": ()}, "ASPP needs at least one rate"),
        ({"classifier.dropout": 1.0}, "dropout must be at least 0 and below 1"),
    ],
)
def test_a_wrong_value_is_a_sentence(switches: dict, sentence: str) -> None:
    with pytest.raises(ValueError, match=sentence):
        head_from_yaml("dsnet", CHANNELS, 5, **switches)
