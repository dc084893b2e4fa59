from pathlib import Path

import pytest
import torch
from torch import nn

from repro.errors import ConfigError, DataError
from repro.nn import ResNet, Segmenter, load_network_weights, load_published_weights
from tests.nn.heads.checks import auxiliary_from_yaml, head_from_yaml


def two_layers() -> nn.Module:
    return nn.Sequential(nn.Linear(3, 2), nn.Linear(2, 1))


@pytest.mark.parametrize("wrapper", [None, "model", "model_state_dict", "state_dict"])
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


def test_a_drop_of_everything_or_of_another_network_is_told(tmp_path: Path) -> None:
    torch.save(two_layers().state_dict(), tmp_path / "weights.pt")
    for drop, sentence in (
        (["head"], r"init\.drop names 'head', with which no weight begins; there are 0, 1$"),
        (["0", "1"], r"init\.drop is \[0, 1\], which leaves no weight to take over; set init=none"),
        ([""], r"leaves no weight to take over"),
    ):
        with pytest.raises(ConfigError, match=sentence):
            load_network_weights(two_layers(), tmp_path / "weights.pt", drop=drop)


def test_a_file_of_another_network_is_refused(tmp_path: Path) -> None:
    torch.save(nn.Linear(3, 2).state_dict(), tmp_path / "weights.pt")
    with pytest.raises(DataError, match=r"does not fit this Sequential; missing: 0\.weight.*unexpected: weight, bias"):
        load_network_weights(two_layers(), tmp_path / "weights.pt")


def test_an_unknown_published_network_is_named() -> None:
    with pytest.raises(
        ConfigError, match=r"init\.from names torchvision's 'pspnet'; the names are deeplabv3_resnet101"
    ):
        load_published_weights(two_layers(), "pspnet")


def test_stages_that_this_network_does_not_have_are_left_out(tmp_path: Path) -> None:
    def network() -> Segmenter:
        backbone = ResNet(18)
        head = head_from_yaml("fcn", backbone.channels, 5, source="res3", width=4)
        return Segmenter(backbone, head, auxiliary_from_yaml(backbone.channels, 5, source="res3", width=4))

    whole, part = network(), network()
    part.backbone.keep({"res3"})
    torch.save(whole.state_dict(), tmp_path / "whole.pt")
    assert load_network_weights(part, tmp_path / "whole.pt") == ("backbone.layer4.", "backbone.layer3.")
    assert torch.equal(part.backbone.layer2[0].conv1.weight, whole.backbone.layer2[0].conv1.weight)
    part.auxiliary = None
    assert "auxiliary." in load_network_weights(part, tmp_path / "whole.pt")
    torch.save(part.state_dict(), tmp_path / "part.pt")
    whole.backbone.keep({"res3"})
    with pytest.raises(DataError, match=r"missing: auxiliary\..*set auxiliary=none, or init\.drop=\[auxiliary\]"):
        load_network_weights(whole, tmp_path / "part.pt")
