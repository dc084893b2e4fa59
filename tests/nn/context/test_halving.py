import pytest
import torch
import torch.nn.functional as F

from repro.errors import ConfigError
from repro.nn.context.halving import Halving


@pytest.mark.parametrize(("padding", "size"), [(1, (7, 4)), (0, (6, 3))])
@pytest.mark.parametrize("relu", [True, False])
def test_a_plain_reference(padding: int, size: tuple[int, int], relu: bool) -> None:
    module = Halving(3, padding=padding, relu=relu)
    features = torch.randn(2, 3, 13, 8)
    reduced = F.conv2d(features, module.convolution.weight, stride=2, padding=padding, groups=3)
    expected = F.batch_norm(reduced, None, None, training=True)
    assert expected.shape == (2, 3, *size)
    torch.testing.assert_close(module(features), expected.relu() if relu else expected)


def test_padded_windows_have_their_middles_at_every_second_position() -> None:
    module = Halving(1, padding=1, relu=False).eval()
    module.convolution.weight.data = torch.zeros(1, 1, 3, 3)
    module.convolution.weight.data[..., 1, 1] = 1
    features = torch.randn(1, 1, 9, 7)
    torch.testing.assert_close(module(features), features[..., ::2, ::2], atol=1e-4, rtol=1e-4)


def test_what_is_too_small_is_named() -> None:
    with pytest.raises(ConfigError, match=r"a map of 2x9 is too small .* set padding to 1"):
        Halving(3, padding=0)(torch.randn(2, 3, 2, 9))
    with pytest.raises(ConfigError, match="a map reduced to one position cannot train"):
        Halving(3, padding=1)(torch.randn(1, 3, 2, 2))
    with pytest.raises(ValueError, match="must be 0 or 1, not 2"):
        Halving(3, padding=2)
