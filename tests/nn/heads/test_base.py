from collections.abc import Mapping

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from repro.nn import Head, ResNet, Segmenter
from repro.nn.heads.base import Classifier
from tests.nn.heads.checks import CHANNELS, features

PLAIN = {"dropout": 0.0, "dropout_kind": "elementwise", "logits_std": None}


class LastTwoStages(Head):
    """A head as a user would write it."""

    def __init__(self, channels: Mapping[str, int], num_classes: int, *, width: int = 8) -> None:
        super().__init__(channels, num_classes)
        self.join = nn.Conv2d(channels["res4"] + channels["res5"], width, 1)
        self.logits = nn.Conv2d(width, num_classes, 1)

    def forward(self, features: dict[str, Tensor]) -> Tensor:
        return self.logits(self.join(torch.cat([features["res4"], features["res5"]], 1)))


def test_a_head_of_ones_own_needs_a_constructor_and_forward() -> None:
    assert LastTwoStages(CHANNELS, 5)(features()).shape == (2, 5, 13, 9)
    backbone = ResNet(18, output_stride=16)
    model = Segmenter(backbone, LastTwoStages(backbone.channels, 5))
    assert model(torch.randn(2, 3, 49, 65))["main"].shape == (2, 5, 49, 65)


def test_an_unknown_source_is_named() -> None:
    with pytest.raises(
        ValueError, match=r"source 'res6' is no output of this backbone; it gives res2, res3, res4, res5"
    ):
        Head(CHANNELS, 5, source="res6")


def test_the_base_itself_gives_no_logits() -> None:
    with pytest.raises(NotImplementedError):
        Head(CHANNELS, 5)(features())


def test_the_extra_convolution_keeps_the_width() -> None:
    classifier = Classifier(24, 5, extra_conv=True, **PLAIN)
    assert classifier.extra.convolution.weight.shape == (24, 24, 3, 3)
    assert classifier(torch.rand(2, 24, 7, 5)).shape == (2, 5, 7, 5)
    assert Classifier(24, 5, **PLAIN).extra is None


@pytest.mark.parametrize("kind", ["elementwise", "channel"])
@pytest.mark.parametrize(("before", "behind"), [(0.5, 0.0), (0.0, 0.5), (0.5, 0.1)])
def test_dropout_acts_in_its_place_before_or_behind_the_extra_convolution(
    kind: str, before: float, behind: float
) -> None:
    torch.manual_seed(0)
    switches = PLAIN | {"dropout_kind": kind, "extra_conv_dropout": before, "dropout": behind}
    classifier = Classifier(24, 5, extra_conv=True, **switches)
    maps, drop = torch.rand(2, 24, 7, 5), F.dropout if kind == "elementwise" else F.dropout2d
    torch.manual_seed(1)
    found = classifier(maps)
    torch.manual_seed(1)
    extra = classifier.extra(drop(maps, before))
    assert torch.equal(found, classifier.logits(drop(extra, behind)))
    with pytest.raises(ValueError, match="dropout must be at least 0 and below 1, not 1"):
        Classifier(24, 5, **(PLAIN | {"extra_conv_dropout": 1}))
