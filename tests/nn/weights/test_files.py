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


def test_what_others_wrap_a_state_dict_in_is_understood(tmp_path: Path) -> None:
    state = dict(published())
    wrapped = {
        "epoch": 3,
        "checkpoint": 1,
        "model_state_dict": {f"module.{key}": value for key, value in state.items()},
    }
    for number, content in enumerate((wrapped, {"state_dict": {"model": state, "epoch": 3}})):
        backbone = ResNet(18)
        load_backbone_weights(backbone, file_of(content, tmp_path, f"{number}.pth"))
        assert torch.equal(backbone.conv1.weight, state["conv1.weight"])


def test_a_file_of_something_else_says_what_it_has(tmp_path: Path) -> None:
    state = dict(published())
    cases = {
        "holds model and model_ema, of the same names; save the one": {"model": state, "model_ema": state},
        "epoch, generator are none; save the state dict alone": {"epoch": 3, "generator": {"weight": torch.zeros(1)}},
        "names with tensors: epoch are none": {"epoch": 3, **state},
        "does not hold a state dict": {},
    }
    for sentence, content in cases.items():
        with pytest.raises(DataError) as error:
            load_backbone_weights(ResNet(18), file_of(content, tmp_path))
        assert sentence in str(error.value)


@pytest.mark.parametrize("value", [torch.nan, torch.inf])
def test_values_that_are_not_finite_are_named(tmp_path: Path, value: float) -> None:
    state = {key: item.clone() for key, item in published().items()}
    state["layer2.0.bn1.running_var"][3] = value
    with pytest.raises(DataError, match=r"weights\.pth does not fit .*; not finite: layer2\.0\.bn1\.running_var$"):
        load_backbone_weights(ResNet(18), file_of(state, tmp_path))


def test_values_of_another_kind_are_named(tmp_path: Path) -> None:
    state = {key: item.half() if item.is_floating_point() else item for key, item in published().items()}
    load_backbone_weights(ResNet(18), file_of(state, tmp_path))
    state["bn1.weight"] = torch.ones(64, dtype=torch.uint8)
    with pytest.raises(DataError, match=r"of another kind: bn1\.weight torch\.uint8 instead of torch\.float32"):
        load_backbone_weights(ResNet(18), file_of(state, tmp_path))
    for hollow in (published()["bn1.weight"].to_sparse(), published()["bn1.weight"].to("meta")):
        state["bn1.weight"] = hollow
        with pytest.raises(DataError, match=r"; sparse or without numbers: bn1\.weight$"):
            fill(ResNet(18), state, "a file", spare=["fc."])


def test_what_the_network_has_and_lacks() -> None:
    network = nn.Sequential(nn.Linear(1, 1), nn.Linear(1, 1))
    first = {key: torch.ones_like(value) for key, value in network.state_dict().items() if key.startswith("0.")}
    assert fill(network, first | {"2.weight": torch.ones(1)}, "a file", fresh=["1."], spare=["2.", "3."]) == ("2.",)
    with pytest.raises(DataError, match=r"missing: 1\.bias$"):
        fill(network, first | {"1.weight": torch.ones(1, 1)}, "a file", fresh=["1."])
