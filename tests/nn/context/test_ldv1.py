import pytest
import torch
import torch.nn.functional as F
from torch import Tensor

from repro.errors import ConfigError
from repro.nn.context.ldv1 import LDv1
from tests.nn.heads.checks import part


def ldv1(original_channels: int, context_channels: int | None, **changes: object) -> LDv1:
    return part("ld/v1", **changes)(original_channels, context_channels)


def randomised(module: LDv1) -> LDv1:
    """In eval mode, with normalisation that does something."""
    torch.manual_seed(0)
    for name, value in module.state_dict().items():
        if "norm" in name and value.is_floating_point():
            value.copy_(torch.rand_like(value) + 0.5)
    return module.eval()


def mask_by_hand(module: LDv1, context: Tensor) -> Tensor:
    """Equation 1 for three depth-wise convolutions, in PyTorch's own functions."""
    reduced = context
    for layer in module.convolutions:
        weight, norm = layer.convolution.weight, layer.norm
        reduced = F.conv2d(reduced, weight, stride=2, padding=layer.convolution.padding, groups=context.shape[1])
        reduced = F.batch_norm(reduced, norm.running_mean, norm.running_var, norm.weight, norm.bias)
        reduced = F.relu(reduced) if layer.relu else reduced
    upsampled = F.interpolate(reduced, context.shape[-2:], mode="bilinear", align_corners=module.align_corners)
    return upsampled.sigmoid()


@pytest.mark.parametrize("size", [(33, 47), (65, 97), (16, 15), (1, 5)])
@pytest.mark.parametrize("switches", [{}, {"relu": False}, {"align_corners": False}, {"residuals": 2}])
@pytest.mark.parametrize("layout", [torch.contiguous_format, torch.channels_last])
def test_equations_1_and_2(size: tuple[int, int], switches: dict, layout: torch.memory_format) -> None:
    module = randomised(ldv1(24, 6, **switches))
    context = torch.randn(2, 6, *size).to(memory_format=layout)
    mask = mask_by_hand(module, context)
    expected = mask * context + switches.get("residuals", 1) * context
    torch.testing.assert_close(module.mask(context), mask)
    torch.testing.assert_close(module(torch.randn(2, 24, *size), context), expected)


def test_the_public_code_is_a_set_of_switches() -> None:
    module = randomised(ldv1(24, 6, padding=0, residuals=2))
    context = torch.randn(2, 6, 33, 47)
    mask = mask_by_hand(module, context)
    torch.testing.assert_close(module(context, context), (2 + mask) * context)


def test_the_last_relu_keeps_the_mask_above_a_half() -> None:
    context = torch.randn(2, 6, 40, 40)
    assert ldv1(24, 6).mask(context).min() == 0.5
    assert ldv1(24, 6, relu=False).mask(context).min() < 0.5
    assert [layer.relu for layer in ldv1(24, 6, relu=False).convolutions] == [True, True, False]


@pytest.mark.parametrize(("padding", "off"), [(1, 0.0), (0, 9.0)])
def test_padding_keeps_the_mask_in_its_place(padding: int, off: float) -> None:
    module = ldv1(24, 1, padding=padding).eval()
    for layer in module.convolutions:
        layer.convolution.weight.data.zero_()
        layer.convolution.weight.data[..., 1, 1] = 1
        layer.norm.eps = 0
    # Where every position comes back to is read off a map whose values are the positions.
    positions = torch.arange(97.0).expand(1, 1, 97, 97)
    found = module.mask(positions / 97).logit() * 97
    assert (found - positions).abs().max().item() == pytest.approx(off, abs=1.5 if off else 0.01)


@pytest.mark.parametrize("size", [(33, 47), (32, 8), (3, 1)])
def test_other_reductions(size: tuple[int, int]) -> None:
    context = torch.randn(2, 6, *size)
    small = tuple(-(-side // 8) for side in size)
    bilinear = F.interpolate(context, small, mode="bilinear", align_corners=True)
    average = F.avg_pool2d(context, 8, ceil_mode=True)
    assert average.shape[-2:] == small
    for kind, reduced in (("bilinear", bilinear), ("average", average)):
        module = ldv1(24, 6, kind=kind)
        mask = F.interpolate(reduced, size, mode="bilinear", align_corners=True).sigmoid()
        torch.testing.assert_close(module(context, context), mask * context + context)
        assert list(module.parameters()) == []


def test_means_at_the_border_are_those_of_what_lies_inside() -> None:
    context = torch.full((1, 1, 11, 9), 3.0)
    torch.testing.assert_close(ldv1(1, 1, kind="average").mask(context), torch.full_like(context, 3.0).sigmoid())


def test_without_a_context_the_backbones_map_is_reduced_first() -> None:
    original = torch.randn(2, 24, 13, 9)
    module = randomised(ldv1(24, None, width=6))
    reduced = module.reduction(original)
    torch.testing.assert_close(module(original), (1 + module.mask(reduced)) * reduced)
    assert module(original).shape[1] == module.out_channels == 6
    bare = randomised(ldv1(24, None, width=None))
    torch.testing.assert_close(bare(original), (1 + bare.mask(original)) * original)
    assert bare.out_channels == 24
    assert ldv1(24, 5).reduction is None
    assert ldv1(24, 5).out_channels == 5


@pytest.mark.parametrize("context_channels", [None, 6])
def test_gradient_reaches_every_parameter(context_channels: int | None) -> None:
    module = ldv1(24, context_channels, width=6)
    context = None if context_channels is None else torch.randn(2, 6, 65, 97, requires_grad=True)
    module(torch.randn(2, 24, 65, 97), context).square().mean().backward()
    assert all(parameter.grad.any() for parameter in module.parameters())
    assert context is None or context.grad.any()


def test_parameters_by_hand() -> None:
    assert sum(value.numel() for value in ldv1(2048, 512).parameters()) == 3 * (512 * 9 + 2 * 512)
    assert len(ldv1(2048, 512, ratio=16).convolutions) == 4


def test_half_precision_and_meta() -> None:
    with torch.autocast("cpu", dtype=torch.bfloat16):
        assert ldv1(24, None, width=6)(torch.randn(2, 24, 33, 17)).isfinite().all()
    with torch.device("meta"):
        assert ldv1(24, 6)(torch.randn(2, 24, 33, 17), torch.randn(2, 6, 33, 17)).shape == (2, 6, 33, 17)


def test_a_map_too_small_for_unpadded_convolutions_is_named() -> None:
    module = ldv1(24, 6, padding=0).eval()
    assert module(torch.randn(1, 24, 15, 15), torch.randn(1, 6, 15, 15)).shape == (1, 6, 15, 15)
    with pytest.raises(ConfigError, match=r"a map of 3x2 is too small .* set padding to 1"):
        module(torch.randn(1, 24, 15, 14), torch.randn(1, 6, 15, 14))


def test_a_single_image_of_which_one_position_remains_cannot_train() -> None:
    module = ldv1(24, 6)
    with pytest.raises(ConfigError, match=r"a map reduced to one position cannot train .* or use larger crops"):
        module(torch.randn(1, 24, 8, 8), torch.randn(1, 6, 8, 8))
    assert module(torch.randn(1, 24, 8, 9), torch.randn(1, 6, 8, 9)).shape == (1, 6, 8, 9)


@pytest.mark.parametrize(
    ("switches", "message"),
    [
        ({"kind": "max"}, "kind must be depthwise, bilinear or average, not 'max'"),
        ({"ratio": 6}, "ratio must be a power of 2, such as 8, not 6"),
        ({"ratio": 1}, "not 1"),
        ({"padding": 2}, "must be 0 or 1, not 2"),
        ({"residuals": 3}, "residuals must be 1 or 2, not 3"),
    ],
)
def test_mistakes_are_named(switches: dict, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        ldv1(24, 6, **switches)
