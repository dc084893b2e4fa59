"""What backbones and heads must declare and give; every sentence is also met through the command, in the flows."""

from types import SimpleNamespace

import pytest
import torch
from torch import nn

from repro.nn import Aggregation, ResNet
from repro.nn.contract import (
    blank_images,
    check_backbone,
    check_features,
    check_head,
    check_logits,
    check_part,
    check_set_output_stride,
)

IMAGE = torch.zeros(2, 3, 64, 96)


def backbone(**changes):
    values = {"channels": {"res4": 4, "res5": 8}, "output_stride": 16, "set_output_stride": print}
    return SimpleNamespace(**values | changes)


def features(**changes):
    return {"res4": torch.zeros(2, 4, 8, 12), "res5": torch.zeros(2, 8, 4, 6)} | changes


@pytest.mark.parametrize("output_stride", [8, 16, 32])
@pytest.mark.parametrize("side", [64, 65, 97])
def test_our_backbone_gives_what_it_declares(output_stride, side):
    ours = ResNet(18, output_stride=output_stride).eval()
    check_backbone(ours)
    image = blank_images(side, side + 30, ours)
    assert image.shape == (2, 3, side, side + 30)
    with torch.no_grad():
        check_features(ours, ours(image), image)
        ours.keep({"res3"})
        check_features(ours, ours(image), image)


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"channels": {}}, "channels is {}"),
        ({"channels": {"res5": 0}}, "channels has 'res5': 0"),
        ({"output_stride": 0}, "output_stride is 0"),
        ({"set_output_stride": None}, "no method set_output_stride"),
    ],
)
def test_a_wrong_declaration_is_told(changes, sentence):
    check_backbone(backbone())
    with pytest.raises(ValueError, match=sentence):
        check_backbone(backbone(**changes))


@pytest.mark.parametrize(
    ("found", "sentence"),
    [
        (IMAGE, r"forward gave a tensor \[2, 3, 64, 96\]; it must give a dict of res4, res5"),
        ({}, "channels declares res4, which forward does not give; it gives nothing"),
        (features(res4=None), r"output res4 is nothing; channels declares a tensor \[2, 4, height, width\]"),
        (features(res5=torch.zeros(2, 8, 4)), r"output res5 is a tensor \[2, 8, 4\]"),
        (features(res5=torch.zeros(2, 8, 6, 6)), "output res5 is 6x6 for an image of 96x64; .* about 6x4"),
    ],
)
def test_wrong_outputs_are_told(found, sentence):
    check_features(backbone(), features(more=torch.zeros(1)), IMAGE)
    with pytest.raises(ValueError, match=sentence):
        check_features(backbone(), found, IMAGE)


def test_wrong_logits_are_told():
    check_logits(torch.zeros(2, 5, 4, 4), 5)
    for wrong in (None, {}, torch.zeros(2, 5, 4), torch.zeros(1, 5, 4, 4), torch.zeros(2, 4, 4, 4)):
        with pytest.raises(ValueError, match=r"forward gave .*; it must give a tensor \[2, 5, height, width\]"):
            check_logits(wrong, 5)
    with pytest.raises(ValueError, match="floating point"):
        check_logits(torch.zeros(2, 5, 4, 4, dtype=torch.long), 5)


def head(**changes):
    return SimpleNamespace(**{"set_output_stride": print} | changes)


@pytest.mark.parametrize(
    ("sources", "found"),
    [
        ("res5", "'res5'"),
        ((), r"\(\)"),
        (("res4", "res9"), r"\('res4', 'res9'\)"),
        ([["res5"]], r"\[\['res5'\]\]"),
        (lambda: ("res5",), "a function"),
        (None, "nothing"),
    ],
)
def test_a_head_that_does_not_name_outputs_is_told(sources, found):
    channels = backbone().channels
    check_head(head(), channels)
    check_head(head(sources=("res4",)), channels)
    with pytest.raises(ValueError, match=f"sources is {found}; it must be a tuple of the outputs .*, among res4, res5"):
        check_head(head(sources=sources), channels)
    with pytest.raises(ValueError, match="has no method set_output_stride"):
        check_head(nn.Identity(), channels)


class Context(Aggregation):
    def __init__(self, **changes):
        super().__init__()
        vars(self).update(changes)

    def forward(self, features):
        return features


def test_a_context_that_does_not_tell_its_channels_is_told():
    for fine in (Context(out_channels=8), nn.Identity()):
        check_part(fine)
    for changes in ({}, {"out_channels": 0}, {"out_channels": 8.0}):
        with pytest.raises(ValueError, match=r"out_channels is (None|0|8\.0); it must be the number of channels"):
            check_part(Context(**changes))


def test_a_part_without_a_method_is_told():
    check_set_output_stride(backbone())
    with pytest.raises(ValueError, match="has no method set_output_stride"):
        check_set_output_stride(nn.Identity())
