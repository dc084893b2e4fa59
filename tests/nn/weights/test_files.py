from pathlib import Path

import pytest
import torch
from torch import nn

from repro.errors import DataError
from repro.nn import ResNet, load_backbone_weights
from repro.nn.weights.files import fill, listed
from tests.faults import flipped
from tests.nn.weights.published import file_of, published


def test_missing_unexpected_and_misshapen_entries_are_listed(tmp_path: Path) -> None:
    state = dict(published()) | {"head.weight": torch.zeros(1), "conv1.weight": torch.zeros(64, 3, 3, 3)}
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


def test_weights_of_another_depth_are_summed_up(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"does not fit ResNet-50.*and \d+ more"):
        load_backbone_weights(ResNet(50), file_of(published(), tmp_path))


def test_bad_files_are_named(tmp_path: Path) -> None:
    backbone = ResNet(18)
    with pytest.raises(DataError, match=r"weights file .*absent\.pth does not exist"):
        load_backbone_weights(backbone, str(tmp_path / "absent.pth"))
    whole = Path(file_of(published(), tmp_path))
    for name, content in {"empty": b"", "text": b"not weights", "torn": whole.read_bytes()[:100_000]}.items():
        damaged = tmp_path / f"{name}.pth"
        damaged.write_bytes(content)
        with pytest.raises(DataError, match=rf"{name}\.pth cannot be read"):
            load_backbone_weights(backbone, str(damaged))
    with pytest.raises(DataError, match="does not hold a state dict"):
        load_backbone_weights(backbone, file_of([1, 2], tmp_path, "list.pth"))
    with pytest.raises(DataError, match=r"objects\.pth cannot be read \(it is damaged, or holds more"):
        load_backbone_weights(backbone, file_of(nn.Linear(1, 1), tmp_path, "objects.pth"))


def test_one_flipped_bit_is_noticed(tmp_path: Path) -> None:
    file = Path(file_of(published(), tmp_path))
    file.write_bytes(flipped(file.read_bytes()))
    with pytest.raises(DataError, match=r"is damaged: .* is not what its sum was taken of"):
        load_backbone_weights(ResNet(18), str(file))


def test_what_is_dropped_keeps_its_own_values() -> None:
    backbone = ResNet(18)
    before = backbone.conv1.weight.clone()
    fill(backbone, published(), "a file", drop=("conv1", "fc."))
    assert torch.equal(backbone.conv1.weight, before)
    assert torch.equal(backbone.bn1.weight, published()["bn1.weight"])


def test_long_lists_are_cut() -> None:
    assert listed(["a", "b"]) == "a, b"
    assert listed(["a", "b", "c", "d"], most=2) == "a, b and 2 more"
