from pathlib import Path

import pytest
import torch
import torchvision
from torch import nn

from repro.errors import ConfigError, DataError
from repro.nn import ResNet, Segmenter, from_torchvision, load_network_weights, load_published_weights
from tests.nn.heads.checks import auxiliary_from_yaml, head_from_yaml
from tests.nn.test_resnet import randomise_norms


def same_logits(theirs: nn.Module, ours: Segmenter) -> None:
    """Carries the weights over and compares the logits of both heads."""
    randomise_norms(theirs)
    ours.load_state_dict(from_torchvision(theirs.state_dict()))
    image = torch.randn(1, 3, 97, 129)
    theirs.eval()
    ours.eval()
    with torch.no_grad():
        expected, logits = theirs(image), ours(image)["main"]
        assert expected["out"].std() > 1e-3
        torch.testing.assert_close(logits, expected["out"], rtol=1e-4, atol=1e-4)
        if ours.auxiliary is not None:
            auxiliary = ours._resized(ours.auxiliary(ours.backbone(image)), image)
            torch.testing.assert_close(auxiliary, expected["aux"], rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("auxiliary", [False, True])
def test_deeplabv3_of_torchvision_gives_the_same_logits(auxiliary: bool) -> None:
    torch.manual_seed(0)
    theirs = torchvision.models.segmentation.deeplabv3_resnet50(weights=None, weights_backbone=None, aux_loss=auxiliary)
    backbone = ResNet(50, output_stride=8)
    head = head_from_yaml("aspp_torchvision", backbone.channels, 21)
    same_logits(theirs, Segmenter(backbone, head, auxiliary_from_yaml(backbone.channels, 21) if auxiliary else None))


def test_fcn_of_torchvision_gives_the_same_logits() -> None:
    torch.manual_seed(0)
    theirs = torchvision.models.segmentation.fcn_resnet50(weights=None, weights_backbone=None, aux_loss=True)
    backbone = ResNet(50, output_stride=8)
    same_logits(
        theirs,
        Segmenter(backbone, head_from_yaml("fcn", backbone.channels, 21), auxiliary_from_yaml(backbone.channels, 21)),
    )


def test_an_unknown_entry_is_named() -> None:
    with pytest.raises(ValueError, match=r"'decoder\.weight' is no entry of torchvision's DeepLabv3 or FCN"):
        from_torchvision({"backbone.conv1.weight": torch.zeros(1), "decoder.weight": torch.zeros(1)})


def two_layers() -> nn.Module:
    return nn.Sequential(nn.Linear(3, 2), nn.Linear(2, 1))


@pytest.mark.parametrize("wrapper", [None, "model"])
def test_a_file_fills_all_but_what_is_dropped(tmp_path: Path, wrapper: str | None) -> None:
    theirs, ours = two_layers(), two_layers()
    last = ours[1].weight.clone()
    torch.save(theirs.state_dict() if wrapper is None else {wrapper: theirs.state_dict()}, tmp_path / "weights.pt")
    load_network_weights(ours, tmp_path / "weights.pt", drop=["1."])
    assert torch.equal(ours[0].weight, theirs[0].weight)
    assert torch.equal(ours[1].weight, last)


def test_a_beginning_that_fits_nothing_is_named(tmp_path: Path) -> None:
    torch.save(two_layers().state_dict(), tmp_path / "weights.pt")
    with pytest.raises(
        ConfigError, match=r"init\.drop names '1\.wight', with which no weight begins; there are 1\.bias"
    ):
        load_network_weights(two_layers(), tmp_path / "weights.pt", drop=["1.wight"])


def test_a_file_of_another_network_is_refused(tmp_path: Path) -> None:
    torch.save(nn.Linear(3, 2).state_dict(), tmp_path / "weights.pt")
    with pytest.raises(DataError, match=r"does not fit this Sequential; missing: 0\.weight.*unexpected: weight, bias"):
        load_network_weights(two_layers(), tmp_path / "weights.pt")


def test_an_unknown_published_network_is_named() -> None:
    with pytest.raises(
        ConfigError, match=r"init\.from names torchvision's 'pspnet'; the names are deeplabv3_resnet101"
    ):
        load_published_weights(two_layers(), "pspnet")
