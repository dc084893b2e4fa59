import pytest
import torch
import torch.nn.functional as F
from torch._subclasses.fake_tensor import FakeTensorMode
from torchvision.ops import deform_conv2d

from repro.nn.context.deformable import ModulatedConvolution


@pytest.mark.parametrize("kernel_size", [1, 3, 5])
def test_equals_deform_conv2d(kernel_size: int) -> None:
    torch.manual_seed(0)
    module = ModulatedConvolution(6, 5, kernel_size)
    torch.nn.init.normal_(module.sampling.weight, std=0.3)
    torch.nn.init.normal_(module.sampling.bias, std=2)
    features = torch.randn(2, 6, 13, 9, requires_grad=True)
    offsets, factors = module.sampling(features).split([2 * kernel_size**2, kernel_size**2], 1)
    sampled = deform_conv2d(
        features, offsets, module.convolution.weight, padding=kernel_size // 2, mask=factors.sigmoid()
    )
    # Not in place, so that the two share no memory; in training both see the statistics of this batch.
    expected = F.relu(F.batch_norm(sampled, None, None, module.norm.weight, module.norm.bias, training=True))
    found = module(features)
    torch.testing.assert_close(found, expected, rtol=0, atol=1e-5)
    inputs = [features, *module.parameters()]
    upstream = torch.randn_like(found)
    wanted = torch.autograd.grad(expected, inputs, upstream)
    for gradient, other in zip(torch.autograd.grad(found, inputs, upstream), wanted, strict=True):
        assert (gradient - other).abs().max() <= 1e-4 * other.abs().max()


def test_starts_as_half_of_an_ordinary_convolution() -> None:
    """Zhu et al. 2019, section 3.2: no offsets, and every factor 0.5."""
    torch.manual_seed(0)
    module = ModulatedConvolution(6, 5, 3).eval()
    features = torch.randn(2, 6, 7, 9)
    ordinary = F.conv2d(features, module.convolution.weight, padding=1)
    torch.testing.assert_close(module(features), F.relu(module.norm(ordinary / 2)))


def test_first_weights_are_mmcvs() -> None:
    weight = ModulatedConvolution(16, 64, 3).convolution.weight
    bound = (16 * 9) ** -0.5
    assert weight.abs().max() <= bound
    assert weight.std().item() == pytest.approx(bound / 3**0.5, rel=0.05)


@pytest.mark.parametrize("layout", [torch.contiguous_format, torch.channels_last])
def test_the_memory_format_stays_and_autocast_is_followed(layout: torch.memory_format) -> None:
    torch.manual_seed(0)
    module = ModulatedConvolution(4, 5, 3)
    features = torch.randn(2, 4, 7, 9).to(memory_format=layout)
    exact = module(features)
    assert exact.is_contiguous(memory_format=layout)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        rounded = module(features)
    assert rounded.is_contiguous(memory_format=layout)
    torch.testing.assert_close(rounded.float(), exact, rtol=0.05, atol=0.05)


def test_runs_without_data() -> None:
    with torch.device("meta"):
        assert ModulatedConvolution(4, 5, 3)(torch.empty(2, 4, 7, 9)).shape == (2, 5, 7, 9)
    with FakeTensorMode():
        assert ModulatedConvolution(4, 5, 3)(torch.empty(2, 4, 7, 9)).shape == (2, 5, 7, 9)


def test_wrong_values_are_named() -> None:
    with pytest.raises(ValueError, match="kernel_size must be an odd number"):
        ModulatedConvolution(4, 5, 2)
    with pytest.raises(ValueError, match="width must be at least 1, not 0"):
        ModulatedConvolution(4, 0, 3)
