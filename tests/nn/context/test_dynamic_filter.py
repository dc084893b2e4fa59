import pytest
import torch
import torch.nn.functional as F
from torch import Tensor
from torch._subclasses.fake_tensor import FakeTensorMode

from repro.nn.context.dynamic_filter import GeneratedFilter


def reference(module: GeneratedFilter, features: Tensor) -> Tensor:
    """Image by image and channel by channel."""
    size = module.kernel_size
    kernels = module.kernels(F.adaptive_avg_pool2d(module.reduction(features), size))
    filtered = [
        torch.cat([F.conv2d(plane[None, None], kernel[None, None], padding=size // 2) for plane, kernel in pairs], 1)
        for pairs in (zip(image, own, strict=True) for image, own in zip(features, kernels, strict=True))
    ]
    return F.relu(module.norm(torch.cat(filtered)))


@pytest.mark.parametrize("size", [(1, 1), (1, 7), (5, 3), (13, 18)])
@pytest.mark.parametrize("kernel_size", [1, 3, 5])
@pytest.mark.parametrize("layout", [torch.contiguous_format, torch.channels_last])
def test_every_channel_of_every_image_has_its_kernel(
    size: tuple[int, int], kernel_size: int, layout: torch.memory_format
) -> None:
    torch.manual_seed(0)
    module = GeneratedFilter(4, kernel_size, generator_kernel=1).eval()
    features = torch.randn(3, 4, *size).to(memory_format=layout)
    filtered = module(features)
    assert filtered.is_contiguous(memory_format=layout)
    torch.testing.assert_close(filtered, reference(module, features), rtol=1e-4, atol=1e-5)


def test_one_image_does_not_reach_another() -> None:
    torch.manual_seed(0)
    module = GeneratedFilter(4, 3, generator_kernel=1).eval()
    features = torch.randn(3, 4, 7, 9)
    torch.testing.assert_close(module(features)[1], module(features[1:2])[0])


def test_half_precision() -> None:
    torch.manual_seed(0)
    module = GeneratedFilter(4, 3, generator_kernel=1)
    features = torch.randn(2, 4, 17, 15)
    exact = module(features)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        torch.testing.assert_close(module(features).float(), exact, rtol=0.1, atol=0.1)


def test_runs_without_data() -> None:
    with torch.device("meta"):
        assert GeneratedFilter(4, 3, generator_kernel=1)(torch.empty(2, 4, 7, 9)).shape == (2, 4, 7, 9)
    with FakeTensorMode():
        assert GeneratedFilter(4, 3, generator_kernel=1)(torch.empty(2, 4, 7, 9)).shape == (2, 4, 7, 9)


def test_an_even_kernel_is_refused() -> None:
    with pytest.raises(ValueError, match="kernel_size must be an odd number"):
        GeneratedFilter(4, 2, generator_kernel=1)
    with pytest.raises(ValueError, match="generator_kernel must be an odd number"):
        GeneratedFilter(4, 3, generator_kernel=2)
