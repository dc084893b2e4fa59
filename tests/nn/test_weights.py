import urllib.error
from pathlib import Path

import pytest
import torch
import torchvision
from torch import Tensor, nn

from repro.errors import ConfigError, DataError
from repro.nn import ResNet, Segmenter, from_torchvision, load_backbone_weights
from tests.nn.heads.checks import auxiliary_from_yaml, head_from_yaml
from tests.nn.test_resnet import randomise_norms


@pytest.fixture(scope="module")
def published() -> dict[str, Tensor]:
    """A state dict as torchvision publishes them, classifier included."""
    torch.manual_seed(1)
    return torchvision.models.resnet18(weights=None).state_dict()


def file_of(state: object, folder: Path, name: str = "weights.pth") -> str:
    torch.save(state, folder / name)
    return str(folder / name)


def holds(backbone: nn.Module, state: dict[str, Tensor]) -> bool:
    return all(torch.equal(value, state[key]) for key, value in backbone.state_dict().items())


@pytest.mark.parametrize("wrapper", [None, "state_dict", "model"])
def test_a_local_file(published: dict[str, Tensor], tmp_path: Path, wrapper: str | None) -> None:
    backbone = ResNet(18)
    load_backbone_weights(backbone, file_of(published if wrapper is None else {wrapper: published}, tmp_path))
    assert holds(backbone, published)


def test_batch_counters_may_be_missing(published: dict[str, Tensor], tmp_path: Path) -> None:
    old = {key: value for key, value in published.items() if not key.endswith("num_batches_tracked")}
    backbone = ResNet(18)
    load_backbone_weights(backbone, file_of(old, tmp_path))
    assert holds(backbone, published)


def test_missing_unexpected_and_misshapen_entries_are_listed(published: dict[str, Tensor], tmp_path: Path) -> None:
    state = dict(published) | {"head.weight": torch.zeros(1), "conv1.weight": torch.zeros(64, 3, 3, 3)}
    del state["layer1.0.bn1.bias"]
    backbone = ResNet(18)
    before = backbone.conv1.weight.clone()
    with pytest.raises(DataError) as error:
        load_backbone_weights(backbone, file_of(state, tmp_path))
    message = str(error.value)
    assert "does not fit ResNet-18 with the plain stem" in message
    assert "missing: layer1.0.bn1.bias" in message
    assert "unexpected: head.weight" in message
    assert "conv1.weight [64, 3, 3, 3] instead of [64, 3, 7, 7]" in message
    assert torch.equal(backbone.conv1.weight, before)


def test_weights_of_another_depth_are_summed_up(published: dict[str, Tensor], tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"does not fit ResNet-50.*and \d+ more"):
        load_backbone_weights(ResNet(50), file_of(published, tmp_path))


def test_bad_files_are_named(published: dict[str, Tensor], tmp_path: Path) -> None:
    backbone = ResNet(18)
    with pytest.raises(DataError, match=r"weights file .*absent\.pth does not exist"):
        load_backbone_weights(backbone, str(tmp_path / "absent.pth"))
    whole = Path(file_of(published, tmp_path))
    for name, content in {"empty": b"", "text": b"not weights", "torn": whole.read_bytes()[:100_000]}.items():
        damaged = tmp_path / f"{name}.pth"
        damaged.write_bytes(content)
        with pytest.raises(DataError, match=rf"{name}\.pth cannot be read"):
            load_backbone_weights(backbone, str(damaged))
    with pytest.raises(DataError, match="does not hold a state dict"):
        load_backbone_weights(backbone, file_of([1, 2], tmp_path, "list.pth"))
    with pytest.raises(DataError, match=r"objects\.pth cannot be read \(it is damaged, or holds more"):
        load_backbone_weights(backbone, file_of(nn.Linear(1, 1), tmp_path, "objects.pth"))


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


def test_cached_weights_need_no_network(offline: Path, published: dict[str, Tensor]) -> None:
    offline.mkdir(exist_ok=True)
    file_of(published, offline, "resnet18-f37072fd.pth")
    backbone = ResNet(18)
    load_backbone_weights(backbone, "IMAGENET1K_V1")
    assert holds(backbone, published)


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
