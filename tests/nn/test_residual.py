import pytest
import torch
import torch.nn.functional as F
from torch import Tensor

from repro.nn.residual import BasicUnit, BottleneckUnit


def by_hand(unit: BottleneckUnit, features: Tensor, stride: int, rate: int) -> Tensor:
    """The unit with an identity shortcut, written again with PyTorch's own convolution."""
    residual = F.relu(unit.bn1(F.conv2d(features, unit.conv1.weight)))
    residual = F.conv2d(residual, unit.conv2.weight, stride=stride, padding=rate, dilation=rate)
    residual = unit.bn3(F.conv2d(F.relu(unit.bn2(residual)), unit.conv3.weight))
    return F.relu(residual + F.max_pool2d(features, 1, stride))


@pytest.mark.parametrize(("stride", "rate"), [(1, 1), (1, 20), (2, 1), (2, 3), (2, 20)])
@pytest.mark.parametrize("size", [(12, 9), (1, 1)])
def test_an_identity_shortcut_under_a_stride_is_every_second_pixel(
    stride: int, rate: int, size: tuple[int, int]
) -> None:
    torch.manual_seed(0)
    unit = BottleneckUnit(16, 4, project=False).eval()
    unit.set_sampling(stride, rate, rate)
    features = torch.randn(2, 16, *size)
    torch.testing.assert_close(unit(features), by_hand(unit, features, stride, rate))


@pytest.mark.parametrize("unit", [BasicUnit, BottleneckUnit])
def test_a_projected_shortcut_follows_the_stride(unit: type[BasicUnit] | type[BottleneckUnit]) -> None:
    layers = unit(6, 4, project=True)
    for stride, size in ((2, (7, 5)), (1, (13, 9))):
        layers.set_sampling(stride, 2, 2)
        assert layers(torch.randn(2, 6, 13, 9)).shape == (2, 4 * unit.expansion, *size)
