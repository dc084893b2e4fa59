from collections.abc import Sequence

import pytest
import torch
import torch.nn.functional as F
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from repro.errors import ConfigError
from repro.nn.context.pyramid import PyramidPooling, region_averages
from tests.nn.context import plain


@settings(max_examples=30)
@given(
    batch=st.integers(1, 2),
    height=st.integers(1, 20),
    width=st.integers(1, 20),
    bins=st.lists(st.integers(1, 8), min_size=1, max_size=4),
    layout=st.sampled_from(plain.LAYOUTS),
)
def test_regions_are_those_of_the_adaptive_pool(
    batch: int, height: int, width: int, bins: list[int], layout: torch.memory_format
) -> None:
    features = torch.randn(batch, 5, height, width, generator=torch.Generator().manual_seed(0))
    plain.assert_same(
        lambda tensor: torch.cat([part.flatten() for part in region_averages(tensor, bins)]),
        lambda tensor: torch.cat([F.adaptive_avg_pool2d(tensor, count).flatten() for count in bins]),
        [features.to(memory_format=layout)],
    )


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16])
def test_half_precision_is_rounded_once(dtype: torch.dtype) -> None:
    features = (100 * torch.rand(2, 3, 33, 17)).to(dtype)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        averages = region_averages(features, [1, 6])
    for average, exact in zip(averages, region_averages(features.float(), [1, 6]), strict=True):
        assert torch.equal(average, exact.to(dtype))


def pyramid_pooling(
    in_channels: int,
    width: int,
    bins: Sequence[int] = (1, 2, 3, 6),
    *,
    level_width: int | None = None,
    level_relu: bool = True,
    align_corners: bool = True,
) -> PyramidPooling:
    return PyramidPooling(
        in_channels, width, bins, level_width=level_width, level_relu=level_relu, align_corners=align_corners
    )


def by_hand(pyramid: PyramidPooling, features: Tensor) -> Tensor:
    outputs = [features]
    for count, level in zip(pyramid.bins, pyramid.levels, strict=True):
        pooled = level(F.adaptive_avg_pool2d(features, count))
        outputs.append(F.interpolate(pooled, features.shape[-2:], mode="bilinear", align_corners=pyramid.align_corners))
    return pyramid.fusion(torch.cat(outputs, 1))


@pytest.mark.parametrize("layout", plain.LAYOUTS)
@pytest.mark.parametrize("align_corners", [True, False])
@pytest.mark.parametrize("training", [True, False])
def test_function_is_the_one_written_by_hand(layout: torch.memory_format, align_corners: bool, training: bool) -> None:
    torch.manual_seed(0)
    pyramid = pyramid_pooling(12, 8, align_corners=align_corners).train(training)
    features = torch.randn(2, 12, 13, 9).to(memory_format=layout)
    plain.assert_same(pyramid, lambda tensor: by_hand(pyramid, tensor), [features])
    assert pyramid(features).is_contiguous(memory_format=layout)


def test_widths() -> None:
    assert [level.convolution.out_channels for level in pyramid_pooling(64, 8).levels] == [16] * 4
    pyramid = pyramid_pooling(64, 8, (1, 2), level_width=5, level_relu=False)
    assert [level.relu for level in pyramid.levels] == [False] * 2
    assert pyramid.fusion.convolution.in_channels == 64 + 2 * 5
    assert pyramid.fusion.convolution.kernel_size == (3, 3)
    assert pyramid.out_channels == 8


def test_gradient_reaches_every_parameter() -> None:
    torch.manual_seed(0)
    pyramid = pyramid_pooling(16, 8)
    pyramid(torch.randn(2, 16, 9, 13)).square().mean().backward()
    assert [name for name, value in pyramid.named_parameters() if value.grad is None or not value.grad.any()] == []


def test_a_single_image_in_training_is_named() -> None:
    pyramid, features = pyramid_pooling(16, 8), torch.randn(1, 16, 9, 13)
    with pytest.raises(ConfigError, match=r"pyramid pooling cannot train on a batch of 1 image.*leave 1 out of bins"):
        pyramid(features)
    assert pyramid.eval()(features).shape == (1, 8, 9, 13)
    assert pyramid_pooling(16, 8, (2, 3))(features).shape == (1, 8, 9, 13)


def test_operations_are_counted_without_computing() -> None:
    least = 2 * 2 * 33 * 47 * 9 * 128 * 32
    assert least < plain.operations(lambda features: pyramid_pooling(64, 32)(features), (2, 64, 33, 47)) < 1.2 * least


@pytest.mark.parametrize("bins", [(), (1, 0), (1.5,), (True, 2)])
def test_bins_without_a_region_are_refused(bins: tuple[int, ...]) -> None:
    with pytest.raises(ValueError, match="bins must be one or more whole numbers of at least 1, not"):
        pyramid_pooling(16, 8, bins)
