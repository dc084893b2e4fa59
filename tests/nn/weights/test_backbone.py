import urllib.error
from pathlib import Path

import pytest
import torch
from torch import nn

from repro.errors import ConfigError, DataError
from repro.nn import ResNet, load_backbone_weights
from tests.nn.weights.published import file_of, holds, published


@pytest.mark.parametrize("wrapper", [None, "state_dict", "model"])
def test_a_local_file(tmp_path: Path, wrapper: str | None) -> None:
    backbone = ResNet(18)
    load_backbone_weights(backbone, file_of(published() if wrapper is None else {wrapper: published()}, tmp_path))
    assert holds(backbone, published())


def test_batch_counters_may_be_missing(tmp_path: Path) -> None:
    old = {key: value for key, value in published().items() if not key.endswith("num_batches_tracked")}
    backbone = ResNet(18)
    load_backbone_weights(backbone, file_of(old, tmp_path))
    assert holds(backbone, published())


@pytest.fixture
def offline(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """A machine without network and with an empty cache; gives the folder for checkpoints."""

    def refuse(*_: object, **__: object) -> None:
        raise urllib.error.URLError("no route to host")

    monkeypatch.setattr("torch.hub.download_url_to_file", refuse)
    monkeypatch.setattr("torch.hub._hub_dir", str(tmp_path))
    return tmp_path / "checkpoints"


def test_without_network_one_sentence_says_what_to_put_where(offline: Path) -> None:
    with pytest.raises(DataError) as error:
        load_backbone_weights(ResNet(50), "IMAGENET1K_V1")
    message = str(error.value)
    assert "resnet50-0676ba61.pth" in message
    assert str(offline) in message
    assert "no route to host" in message
    assert "\n" not in message


def test_cached_weights_need_no_network(offline: Path) -> None:
    offline.mkdir(exist_ok=True)
    file_of(published(), offline, "resnet18-f37072fd.pth")
    backbone = ResNet(18)
    load_backbone_weights(backbone, "IMAGENET1K_V1")
    assert holds(backbone, published())


def test_a_damaged_cache_is_named(offline: Path) -> None:
    offline.mkdir(exist_ok=True)
    (offline / "resnet18-f37072fd.pth").write_bytes(b"torn")
    with pytest.raises(DataError, match=r"resnet18-f37072fd\.pth cannot be read .*; delete it and run again"):
        load_backbone_weights(ResNet(18), "IMAGENET1K_V1")


def test_names_are_checked() -> None:
    with pytest.raises(ConfigError, match=r"'IMAGENET1K_V2' is neither .* ResNet-18; the names are IMAGENET1K_V1, and"):
        load_backbone_weights(ResNet(18), "IMAGENET1K_V2")
    with pytest.raises(ConfigError, match="fits the plain stem only"):
        load_backbone_weights(ResNet(18, stem="deep"), "IMAGENET1K_V1")
    with pytest.raises(ConfigError, match=r"weights by name exist for repro\.nn\.ResNet only"):
        load_backbone_weights(nn.Linear(1, 1), "IMAGENET1K_V1")


def test_added_blocks_of_a_file_are_taken_over_or_named(tmp_path: Path) -> None:
    donor, backbone, plain = ResNet(18, blocks=5), ResNet(18, blocks=5), ResNet(18)
    path = file_of(donor.state_dict(), tmp_path)
    load_backbone_weights(backbone, path)
    assert holds(backbone, donor.state_dict())
    with pytest.raises(DataError, match=r"unexpected: block5\.0\.conv1\.weight"):
        load_backbone_weights(plain, path)
    state = {key: value for key, value in donor.state_dict().items() if key != "block5.0.conv1.weight"}
    with pytest.raises(DataError, match=r"missing: block5\.0\.conv1\.weight"):
        load_backbone_weights(backbone, file_of(state, tmp_path))


def test_the_backbone_of_a_whole_network_is_found(tmp_path: Path) -> None:
    whole = {f"module.backbone.{key}": value for key, value in published().items() if not key.startswith("fc.")}
    backbone = ResNet(18)
    load_backbone_weights(backbone, file_of(whole | {"module.head.weight": torch.ones(1)}, tmp_path))
    assert holds(backbone, published())


def test_mmsegmentations_stem_is_ours(tmp_path: Path) -> None:
    donor, backbone = ResNet(18, stem="v1c"), ResNet(18, stem="v1c")
    theirs = {
        key.replace("conv1.", "stem.") if key.startswith("conv1.") else key.replace("bn1.", "stem.7.", 1)
        if key.startswith("bn1.") else key: value
        for key, value in donor.state_dict().items()
    }  # fmt: skip
    load_backbone_weights(backbone, file_of(theirs, tmp_path))
    assert holds(backbone, donor.state_dict())
