import pytest
import torch
import torch.nn.functional as F
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor, nn

from repro.errors import ConfigError
from repro.nn.context import pooling
from repro.nn.context.pooling import ImagePooling, average_pool

sizes = st.integers(1, 40)
kernels = st.integers(0, 14).map(lambda half: 2 * half + 1)


def reference(features: Tensor, kernel_size: int, count_include_pad: bool) -> Tensor:
    return F.avg_pool2d(features, kernel_size, 1, kernel_size // 2, count_include_pad=count_include_pad)


@settings(max_examples=80, deadline=None)
@given(
    height=sizes,
    width=sizes,
    kernel_size=kernels,
    count_include_pad=st.booleans(),
    channels_last=st.booleans(),
    seed=st.integers(0, 2**31),
)
def test_equals_avg_pool2d(
    height: int, width: int, kernel_size: int, count_include_pad: bool, channels_last: bool, seed: int
) -> None:
    layout = torch.channels_last if channels_last else torch.contiguous_format
    generator = torch.Generator().manual_seed(seed)
    features = torch.rand(2, 5, height, width, generator=generator).to(memory_format=layout).requires_grad_()
    upstream = torch.rand(2, 5, height, width, generator=generator)
    # In double precision, because avg_pool2d's own sum over a 27 x 27 window is off by 1e-6 in single.
    exact = features.detach().double().requires_grad_()
    expected = reference(exact, kernel_size, count_include_pad)
    (expected_gradient,) = torch.autograd.grad(expected, exact, upstream.double())
    pooled = average_pool(features, kernel_size, count_include_pad=count_include_pad)
    (gradient,) = torch.autograd.grad(pooled, features, upstream)
    assert pooled.dtype == torch.float32
    assert pooled.is_contiguous(memory_format=layout)
    torch.testing.assert_close(pooled.double(), expected, rtol=0, atol=1e-6)
    torch.testing.assert_close(gradient.double(), expected_gradient, rtol=1e-6, atol=2e-6)


def test_double_precision_stays_double() -> None:
    features = torch.rand(1, 2, 9, 7, dtype=torch.float64, requires_grad=True)
    torch.testing.assert_close(
        average_pool(features, 5, count_include_pad=False), reference(features, 5, False), rtol=0, atol=1e-14
    )
    assert torch.autograd.gradcheck(lambda values: average_pool(values, 5, count_include_pad=True), features)
    assert torch.autograd.gradgradcheck(lambda values: average_pool(values, 5, count_include_pad=False), features)


@pytest.mark.parametrize("batch", [0, 1, 3])
def test_planes_are_done_in_parts_that_a_cache_holds(batch: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pooling, "_CACHED_NUMBERS", 4 * 9 * 7)
    features = torch.rand(batch, 5, 9, 7)
    torch.testing.assert_close(average_pool(features, 3, count_include_pad=False), reference(features, 3, False))


@pytest.mark.parametrize("device", ["cpu", "meta"])
def test_an_upstream_gradient_may_lie_in_memory_as_it_likes(device: str) -> None:
    features = torch.rand(2, 5, 9, 7, device=device).to(memory_format=torch.channels_last).requires_grad_()
    pooled = average_pool(features, 3, count_include_pad=True)
    assert torch.autograd.grad(pooled.sum(), features)[0].shape == features.shape


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16])
def test_half_precision_is_rounded_once(dtype: torch.dtype) -> None:
    features = (100 * torch.rand(2, 3, 33, 33)).to(dtype)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        pooled = average_pool(features, 27, count_include_pad=False)
    assert pooled.dtype == dtype
    assert torch.equal(pooled, average_pool(features.float(), 27, count_include_pad=False).to(dtype))


@pytest.mark.real
def test_inductor_takes_a_pool_before_a_convolution_at_any_size() -> None:
    """Compiled at once for all sizes, as `torch.compile` does by itself once it has seen a second one."""
    convolution = nn.Conv2d(4, 4, 3)

    def pooled(features: Tensor) -> Tensor:
        return convolution(average_pool(features, 5, count_include_pad=False))

    features = torch.rand(2, 4, 9, 13, requires_grad=True)
    found, expected = torch.compile(pooled, dynamic=True)(features), pooled(features)
    torch.testing.assert_close(found, expected)
    gradients = (torch.autograd.grad(result.square().sum(), features)[0] for result in (found, expected))
    torch.testing.assert_close(*gradients)


def test_a_constant_map_stays_constant_without_padding_in_the_count() -> None:
    features = torch.full((1, 1, 10, 10), 3.0)
    torch.testing.assert_close(average_pool(features, 9, count_include_pad=False), features)
    assert average_pool(features, 9, count_include_pad=True)[0, 0, 0, 0] == pytest.approx(3 * 25 / 81)


def test_training_works_after_inference_mode() -> None:
    features = torch.rand(1, 2, 6, 6)
    with torch.inference_mode():
        average_pool(features, 3, count_include_pad=False)
    average_pool(features.requires_grad_(), 3, count_include_pad=False).sum().backward()
    assert features.grad is not None


def test_window_of_one_is_the_map_itself() -> None:
    features = torch.rand(1, 2, 6, 6)
    assert average_pool(features, 1, count_include_pad=False) is features


@pytest.mark.parametrize("kernel_size", [0, 2, -3])
def test_a_window_without_a_middle_is_refused(kernel_size: int) -> None:
    with pytest.raises(ValueError, match=f"needs an odd window, not {kernel_size}"):
        average_pool(torch.rand(1, 1, 4, 4), kernel_size, count_include_pad=True)


def test_image_pooling_spreads_what_bilinear_upsampling_would() -> None:
    torch.manual_seed(0)
    module = ImagePooling(6, 4, relu=True).eval()
    features = torch.randn(2, 6, 5, 9)
    single = module.transform(F.adaptive_avg_pool2d(features, 1))
    expected = F.interpolate(single, size=(5, 9), mode="bilinear", align_corners=False)
    torch.testing.assert_close(module(features), expected)


@pytest.mark.parametrize("layout", [torch.contiguous_format, torch.channels_last])
def test_image_pooling_keeps_the_memory_format_that_a_concatenation_needs(layout: torch.memory_format) -> None:
    features = torch.randn(2, 6, 5, 9).to(memory_format=layout)
    assert torch.cat([features, ImagePooling(6, 4, relu=True)(features)], 1).is_contiguous(memory_format=layout)


def test_image_pooling_names_the_single_image_in_training() -> None:
    module = ImagePooling(6, 4, relu=True)
    features = torch.randn(1, 6, 5, 9)
    with pytest.raises(ConfigError, match=r"cannot train on a batch of 1 image.*at least 2 images per process"):
        module(features)
    module.transform.norm.eval()  # frozen batch normalisation
    assert module(features).shape == (1, 4, 5, 9)
    assert module.eval()(features).shape == (1, 4, 5, 9)
    # A batch normalisation that is synchronised sees the other processes' images.
    assert isinstance(nn.SyncBatchNorm.convert_sync_batchnorm(module).transform.norm, nn.SyncBatchNorm)
