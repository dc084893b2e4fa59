import pytest
import torch
import torch.nn.functional as F
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor
from torch._subclasses.fake_tensor import FakeTensorMode
from torchvision.ops import deform_conv2d

from repro.nn.context.dynamic_sampling import (
    PointGenerator,
    SampledConvolution,
    odd_kernel,
    regular_grid,
    sample,
)
from tests.nn.heads.checks import part


def point_generator(channels: int, kernel_size: int, **changes: object) -> PointGenerator:
    switches = {"sampler": "convolution", "origin": "grid", "point_kernel": 3}
    return PointGenerator(channels, kernel_size, **(switches | changes))


def reference(features: Tensor, points: Tensor, mask: Tensor | None = None) -> Tensor:
    """Every pixel of the map, weighed by a tent of one pixel around the point: bilinear sampling by definition."""
    height, width = features.shape[-2:]
    rows, columns = points.unflatten(1, (-1, 2)).unbind(2)  # [B, n, h, w]
    rows = rows + torch.arange(points.shape[2]).view(-1, 1)
    columns = columns + torch.arange(points.shape[3])
    tents = [
        F.relu(1 - (places.unsqueeze(-1) - torch.arange(size)).abs())
        for places, size in ((rows, height), (columns, width))
    ]
    values = torch.einsum("bnijr,bnijs,bcrs->bncij", *tents, features)
    if mask is not None:
        values = values * mask.unsqueeze(2)
    return values.flatten(1, 2)


def close(found: Tensor, expected: Tensor, share: float) -> bool:
    largest = expected.abs().max().clamp(min=1e-6) if expected.numel() else torch.tensor(1.0)
    return bool((found.double() - expected).abs().max() <= share * largest)


@settings(max_examples=60, deadline=None)
@given(
    map_size=st.tuples(st.integers(1, 9), st.integers(1, 9)),
    size=st.tuples(st.integers(1, 9), st.integers(1, 9)),
    taps=st.integers(1, 9),
    reach=st.sampled_from([0.5, 3.0, 20.0]),
    masked=st.booleans(),
    channels_last=st.booleans(),
    seed=st.integers(0, 2**31),
)
def test_equals_the_definition(map_size, size, taps, reach, masked, channels_last, seed):
    generator = torch.Generator().manual_seed(seed)
    layout = torch.channels_last if channels_last else torch.contiguous_format
    features = torch.randn(2, 3, *map_size, generator=generator).to(memory_format=layout).requires_grad_()
    points = (reach * torch.randn(2, 2 * taps, *size, generator=generator)).requires_grad_()
    mask = torch.rand(2, taps, *size, generator=generator).requires_grad_() if masked else None
    upstream = torch.randn(2, 3 * taps, *size, generator=generator)
    given_ = [value for value in (features, points, mask) if value is not None]
    exact = [value.detach().double().requires_grad_() for value in given_]
    values, expected = sample(*given_), reference(*exact)
    assert values.shape == expected.shape
    assert close(values, expected, 1e-5)
    gradients = torch.autograd.grad(values, given_, upstream)
    for found, wanted in zip(gradients, torch.autograd.grad(expected, exact, upstream.double()), strict=True):
        assert close(found, wanted, 1e-4)


def test_points_on_the_border_and_beyond():
    """On pixels of the first and last row and column, one row further, where the value is zero, and far away."""
    torch.manual_seed(0)
    features = torch.randn(1, 4, 7, 5)
    places = [-torch.inf, -1e30, -8.0, -1.0, -0.5, 0.0, 4.0, 4.5, 5.0, 6.0, 6.5, 7.0, 7.5, 1e30, torch.inf]
    points = torch.cartesian_prod(torch.tensor(places), torch.tensor(places)).view(1, -1, 1, 1)
    torch.testing.assert_close(
        sample(features, points), reference(features.double(), points.double()).float(), rtol=0, atol=1e-6
    )


@pytest.mark.parametrize("kernel_size", [1, 3, 5])
@pytest.mark.parametrize("reach", [0.0, 1.0, 30.0])
@pytest.mark.parametrize("masked", [False, True])
def test_equals_deform_conv2d(kernel_size: int, reach: float, masked: bool) -> None:
    torch.manual_seed(0)
    convolution = SampledConvolution(6, 5, kernel_size)
    features = torch.randn(2, 6, 13, 9, requires_grad=True)
    offsets = (reach * torch.randn(2, 2 * kernel_size**2, 13, 9)).requires_grad_()
    mask = torch.rand(2, kernel_size**2, 13, 9, requires_grad=True) if masked else None
    wanted = deform_conv2d(features, offsets, convolution.weight, padding=kernel_size // 2, mask=mask)
    found = convolution(features, offsets + regular_grid(kernel_size, offsets.device), mask)
    assert close(found, wanted.double(), 1e-5)
    inputs = [value for value in (features, offsets, convolution.weight, mask) if value is not None]
    upstream = torch.randn_like(found)
    wanted_gradients = torch.autograd.grad(wanted, inputs, upstream)
    for gradient, expected in zip(torch.autograd.grad(found, inputs, upstream), wanted_gradients, strict=True):
        assert close(gradient, expected.double(), 1e-4)


def test_on_the_grid_it_is_an_ordinary_convolution() -> None:
    convolution = SampledConvolution(4, 3, 3)
    features = torch.randn(2, 4, 7, 11)
    points = regular_grid(3, features.device).expand(2, -1, 7, 11)
    torch.testing.assert_close(convolution(features, points), F.conv2d(features, convolution.weight, padding=1))
    module = part("sampling/dynamic", width=3, normalised=False)(4, 8)
    wanted = F.conv2d(features, module.convolution.weight, padding=1)
    torch.testing.assert_close(module(features, torch.randn(2, 8, 7, 11)), wanted)


def test_points_alone_can_be_trained() -> None:
    """The map of a frozen network has no gradient; the points still have one."""
    points = torch.full((1, 2, 4, 4), 0.25, requires_grad=True)
    sample(torch.randn(1, 3, 4, 4), points).sum().backward()
    assert points.grad is not None
    assert points.grad.any()


def test_double_precision_stays_double() -> None:
    torch.manual_seed(0)
    features = torch.randn(1, 2, 5, 4, dtype=torch.float64, requires_grad=True)
    points = (2 * torch.randn(1, 4, 5, 4, dtype=torch.float64)).requires_grad_()
    mask = torch.rand(1, 2, 5, 4, dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(sample, (features, points, mask))


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16])
def test_half_precision_is_rounded_once(dtype: torch.dtype) -> None:
    torch.manual_seed(0)
    features, points = torch.randn(2, 3, 33, 33).to(dtype), torch.randn(2, 18, 33, 33).to(dtype)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        values = sample(features, points)
    assert values.dtype == dtype
    assert torch.equal(values, sample(features.float(), points.float()).to(dtype))


@pytest.mark.parametrize("layout", [torch.contiguous_format, torch.channels_last])
def test_the_memory_format_stays(layout: torch.memory_format) -> None:
    module = part("sampling/dynamic", width=5)(4, 6)
    features = torch.randn(2, 4, 7, 9).to(memory_format=layout)
    assert module(features, torch.randn(2, 6, 7, 9)).is_contiguous(memory_format=layout)


def test_a_point_that_is_no_number_gives_none() -> None:
    """The run then stops at its loss; an index out of range would end a process on GPU."""
    values = sample(torch.randn(1, 3, 4, 4), torch.full((1, 2, 4, 4), torch.nan))
    assert values.isnan().all()


@pytest.mark.parametrize("origin", ["grid", "centre"])
@pytest.mark.parametrize("sampler", ["convolution", "nonlocal"])
def test_runs_without_data(origin: str, sampler: str) -> None:
    with torch.device("meta"):
        module = part("sampling/dynamic", width=5, origin=origin, sampler=sampler)(4, 6)
        assert module(torch.empty(2, 4, 7, 9), torch.empty(2, 6, 7, 9)).shape == (2, 5, 7, 9)
    with FakeTensorMode():
        module = part("sampling/dynamic", width=5, origin=origin, sampler=sampler)(4, 6)
        assert module(torch.empty(2, 4, 7, 9), torch.empty(2, 6, 7, 9)).shape == (2, 5, 7, 9)


def test_offsets_from_the_grid_start_at_zero() -> None:
    generator = point_generator(8, 3)
    points = generator(torch.randn(2, 8, 5, 5))
    assert points.shape == (2, 18, 5, 5)
    taps = [(row, column) for row in (-1, 0, 1) for column in (-1, 0, 1)]
    assert torch.equal(points[1, :, 2, 3], torch.tensor(taps, dtype=torch.float32).flatten())


def test_behind_a_non_local_block_offsets_start_near_zero() -> None:
    torch.manual_seed(0)
    offsets = point_generator(64, 3, sampler="nonlocal")(torch.randn(2, 64, 9, 9).relu()) - regular_grid(
        3, torch.device("cpu")
    )
    assert 0 < offsets.abs().max() < 0.1


@pytest.mark.parametrize("kernel_size", [3, 5])
def test_points_from_the_centre_start_as_far_apart_as_the_grid(kernel_size: int) -> None:
    torch.manual_seed(0)
    generator = point_generator(256, kernel_size, origin="centre")
    points = generator(torch.randn(2, 256, 17, 17).relu())[..., 1:-1, 1:-1]
    steps = torch.arange(kernel_size).float()
    assert points.std().item() == pytest.approx(steps.std(correction=0).item(), rel=0.1)
    taps = points.unflatten(1, (-1, 2))
    # Nothing keeps the points of one position apart but the draw.
    assert taps.std(1).mean().item() == pytest.approx(steps.std(correction=0).item(), rel=0.2)


@pytest.mark.parametrize("kernel_size", [0, 2, -3, 3.0])
def test_a_kernel_without_a_middle_is_refused(kernel_size: int) -> None:
    with pytest.raises(ValueError, match=f"kernel_size must be an odd number.*not {kernel_size}"):
        odd_kernel(kernel_size)
    with pytest.raises(ValueError, match="point_kernel must be an odd number"):
        point_generator(8, 3, point_kernel=kernel_size)


def test_other_wrong_values_are_named() -> None:
    with pytest.raises(ValueError, match="sampler must be convolution or nonlocal, not 'attention'"):
        point_generator(8, 3, sampler="attention")
    with pytest.raises(ValueError, match="origin must be grid or centre, not 'middle'"):
        point_generator(8, 3, origin="middle")
    with pytest.raises(ValueError, match="width must be at least 1, not 0"):
        SampledConvolution(4, 0, 3)
