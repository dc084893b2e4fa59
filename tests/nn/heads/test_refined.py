import pytest
import torch
from torch import nn

from repro.nn.heads.refined import JointClassifier, RefinedContext, context_of
from tests.nn.heads.checks import CHANNELS, features, part


class Doubled(nn.Module):
    """A refinement without weights."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.out_channels = channels

    def forward(self, context: torch.Tensor) -> torch.Tensor:
        return 2 * context


def classifier(in_channels: int, num_classes: int, width: int | None = None) -> JointClassifier:
    return JointClassifier(
        in_channels,
        num_classes,
        width=width,
        extra_conv=False,
        extra_conv_dropout=0.0,
        dropout=0.0,
        dropout_kind="elementwise",
        logits_std=None,
    )


def test_maps_side_by_side_are_classified_at_once() -> None:
    maps = [torch.randn(2, 3, 4, 5), torch.randn(2, 1, 4, 5)]
    module = classifier(4, 7)
    torch.testing.assert_close(module(maps), module.classifier(torch.cat(maps, 1)))
    assert isinstance(module.hidden, nn.Identity)
    assert classifier(4, 7, width=6).hidden.convolution.weight.shape == (6, 4, 3, 3)


def test_without_a_context_the_backbones_map_stands_in_its_place() -> None:
    module, channels = context_of(None, 24)
    assert (type(module), channels) == (nn.Identity, 24)
    module, channels = context_of(part("context/aspp", width=4), 24)
    assert channels == module.out_channels == 4


@pytest.mark.parametrize("concatenate", [True, False])
def test_the_context_is_refined_and_may_stand_beside_the_result(concatenate: bool) -> None:
    head = RefinedContext(
        CHANNELS, 5, Doubled, source="res4", context=None, concatenate=concatenate, classifier=classifier
    )
    maps = features()
    joined = [maps["res4"], 2 * maps["res4"]] if concatenate else [2 * maps["res4"]]
    torch.testing.assert_close(head(maps), head.classifier(joined))
