from collections.abc import Sequence

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor

from repro.nn.context.aspp import aspp_branches
from repro.nn.context.parallel import Branch, ParallelContext
from repro.nn.context.vortex import module_a_branches, vortex_branches


def parallel(in_channels: int, width: int, branches: Sequence[Branch], **changes: object) -> ParallelContext:
    switches = {
        "image_pooling": True,
        "branch_relu": True,
        "fusion": "projected",
        "reference_output_stride": 16,
        "rates_follow_output_stride": True,
    }
    return ParallelContext(in_channels, width, branches, **(switches | changes))


def by_hand(context: ParallelContext, features: Tensor) -> Tensor:
    """The module's function, written again with PyTorch's own pool and convolution."""
    outputs = []
    for branch, layer in zip(context.specification, context.branches, strict=True):
        size = branch.pool_size
        pooled = F.avg_pool2d(features, size, 1, size // 2, count_include_pad=context.count_include_pad)
        padding = branch.rate * (branch.kernel_size // 2)
        weight = layer.convolution.weight
        outputs.append(F.relu(layer.norm(F.conv2d(pooled, weight, padding=padding, dilation=branch.rate))))
    image = context.image_pooling.transform(F.adaptive_avg_pool2d(features, 1))
    outputs.append(F.interpolate(image, size=features.shape[-2:], mode="bilinear"))
    projection = context.projection
    return F.relu(projection.norm(F.conv2d(torch.cat(outputs, 1), projection.convolution.weight)))


@pytest.mark.parametrize(
    "branches",
    [
        aspp_branches((2, 4, 6)),
        aspp_branches((2, 20), first_branch_kernel=3),
        module_a_branches(5, (2, 4, 6)),
        vortex_branches((1, 3, 9, 27), (1, 3, 9, 27), first_branch_kernel=3),
    ],
    ids=["aspp", "aspp_plus", "module_a", "vortex"],
)
@pytest.mark.parametrize("count_include_pad", [False, True])
@pytest.mark.parametrize("layout", [torch.contiguous_format, torch.channels_last])
def test_function_is_the_one_written_by_hand(
    branches: tuple[Branch, ...], count_include_pad: bool, layout: torch.memory_format
) -> None:
    torch.manual_seed(0)
    context = parallel(12, 8, branches, count_include_pad=count_include_pad).eval()
    features = torch.randn(2, 12, 13, 17).to(memory_format=layout)
    with torch.no_grad():
        torch.testing.assert_close(context(features), by_hand(context, features), rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize(
    ("fusion", "out_channels", "kernel_size", "below_zero"),
    [("projected", 4, 1, False), ("projected_linear", 4, 1, True), ("projected_3x3", 4, 3, False)],
)
def test_fusion(fusion: str, out_channels: int, kernel_size: int, below_zero: bool) -> None:
    context = parallel(6, 4, aspp_branches((2,)), fusion=fusion)
    fused = context(torch.randn(2, 6, 9, 9))
    assert fused.shape[1] == context.out_channels == out_channels
    assert context.projection.convolution.kernel_size == (kernel_size, kernel_size)
    assert bool(fused.min() < 0) is below_zero


def test_direct_fusion_is_the_concatenation() -> None:
    context = parallel(6, 4, aspp_branches((2,)), fusion="direct")
    assert context(torch.randn(2, 6, 9, 9)).shape[1] == context.out_channels == 12
    assert context.projection is None


def test_branches_without_relu() -> None:
    torch.manual_seed(0)
    features = torch.randn(2, 6, 9, 9)
    assert parallel(6, 4, aspp_branches((2,)), fusion="direct")(features).min() == 0
    assert parallel(6, 4, aspp_branches((2,)), fusion="direct", branch_relu=False)(features).min() < 0


def test_scaling_starts_from_the_reference_every_time() -> None:
    context = parallel(6, 4, aspp_branches((6, 12, 18)))
    for output_stride, rates in ((8, (1, 12, 24, 36)), (32, (1, 3, 6, 9)), (16, (1, 6, 12, 18))):
        context.set_output_stride(output_stride)
        assert context.rates == rates


def test_a_refused_rate_changes_nothing() -> None:
    context = parallel(6, 4, aspp_branches((6, 5)))
    with pytest.raises(ValueError, match=r"rate 5 at output stride 16 would become 2\.5 at output stride 32"):
        context.set_output_stride(32)
    assert context.rates == (1, 6, 5)


@pytest.mark.parametrize("output_stride", [16.0, "16", True, 0, -8])
def test_an_output_stride_is_a_whole_number(output_stride: object) -> None:
    for follows in (True, False):
        context = parallel(6, 4, aspp_branches((6,)), rates_follow_output_stride=follows)
        with pytest.raises(ValueError, match=f"^output_stride must be a whole number .* not {output_stride!r}$"):
            context.set_output_stride(output_stride)
        assert context.rates == (1, 6)
    with pytest.raises(ValueError, match=f"^reference_output_stride must be a whole number .* not {output_stride!r}$"):
        parallel(6, 4, aspp_branches((6,)), reference_output_stride=output_stride)


@pytest.mark.parametrize(
    ("branches", "message"),
    [
        ([], "at least one branch"),
        ([Branch(5)], "kernel must be 1 or 3, not 5"),
        ([Branch(3, 0)], "not rate 0 and pool size 1"),
        ([Branch(3, 1.5)], r"not rate 1\.5 and pool size 1"),
        ([Branch(3, 2, 4)], "odd pool size, not rate 2 and pool size 4"),
    ],
)
def test_mistakes_in_branches_are_named(branches: list[Branch], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        parallel(6, 4, branches)


def test_an_unknown_fusion_is_named() -> None:
    with pytest.raises(ValueError, match=r"fusion must be one of projected, .* or direct, not 'summed'"):
        parallel(6, 4, [Branch(1)], fusion="summed")
