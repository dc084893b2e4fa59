import torch
import torch.nn.functional as F

from repro.data import IMAGENET_MEAN, IMAGENET_STD
from repro.nn.weights import gald
from repro.nn.weights.gald import from_gald


def test_our_colours_are_those_of_the_data() -> None:
    assert (gald.MEAN_RGB, gald.STD_RGB) == (IMAGENET_MEAN, IMAGENET_STD)


def test_the_first_convolution_sees_our_colours_as_it_saw_its_own() -> None:
    weight, mean = torch.randn(4, 3, 3, 3), torch.randn(4)
    theirs = {"conv1.0.weight": weight, "conv1.1.running_mean": mean}
    levels = torch.randint(0, 256, (1, 3, 9, 9)).float()
    seen = levels.flip(1) - torch.tensor((104.00698793, 116.66876762, 122.67891434))[:, None, None]
    ours = (levels / 255 - torch.tensor(IMAGENET_MEAN)[:, None, None]) / torch.tensor(IMAGENET_STD)[:, None, None]
    found = from_gald(theirs, bgr=True)
    before = F.conv2d(seen, weight) - mean[:, None, None]
    after = F.conv2d(ours, found["backbone.conv1.0.weight"]) - found["backbone.conv1.1.running_mean"][:, None, None]
    torch.testing.assert_close(after, before, rtol=1e-4, atol=1e-2)
    same = from_gald(theirs, bgr=False)
    assert torch.equal(same["backbone.conv1.0.weight"], weight)
    assert torch.equal(same["backbone.conv1.1.running_mean"], mean)
