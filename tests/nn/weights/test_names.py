import pytest
import torch

from repro.nn.weights.names import bare, below, layers, renamed, without_biases

ONE = torch.ones(2)


def test_what_stands_before_all_names_is_taken_off() -> None:
    assert list(bare({"module.model.a.weight": ONE, "module.model.b": ONE})) == ["a.weight", "b"]
    assert list(bare({"module.a": ONE, "b": ONE})) == ["module.a", "b"]
    assert list(bare({"_orig_mod.a": ONE, "backbone._orig_mod.b": ONE})) == ["a", "backbone.b"]
    assert bare({}) == {}


def test_what_stands_before_a_networks_own_names_stays() -> None:
    assert list(bare({"model.a": ONE}, ["model.a", "model.b"])) == ["model.a"]
    assert list(bare({"module.model.a": ONE}, ["model.a"])) == ["model.a"]
    assert list(bare({"x._orig_mod.a": ONE}, ["x._orig_mod.a"])) == ["x._orig_mod.a"]


def test_the_entries_below_a_name() -> None:
    assert list(below({"backbone.a": ONE, "head.b": ONE}, "backbone.")) == ["a"]


def test_modules_and_parts_are_renamed_and_what_is_unknown_is_named() -> None:
    modules = {"stem.7": "bn1", "stem.": "conv1."} | layers("last.0", "head.last", "conv", "bn")
    theirs = {"stem.7.weight": ONE, "stem.0.weight": ONE, "last.0.conv.weight": ONE, "last.0.bn.bias": ONE}
    expected = ["bn1.weight", "conv1.0.weight", "head.last.convolution.weight", "head.last.norm.bias"]
    assert list(renamed(theirs, modules, "a network")) == expected
    with pytest.raises(ValueError, match=r"^'other\.weight' is no entry of a network \(nor are 1 more\)$"):
        renamed({"other.weight": ONE, "more.weight": ONE}, modules, "a network")


def test_a_bias_before_a_normalisation_goes_into_its_running_mean() -> None:
    convolution, norm = torch.nn.Conv2d(1, 2, 1), torch.nn.BatchNorm2d(2).eval()
    norm.running_mean.copy_(torch.tensor([0.5, -1.0]))
    image = torch.randn(1, 1, 3, 3)
    expected = norm(convolution(image))
    state = {f"a.convolution.{key}": value for key, value in convolution.state_dict().items()}
    found = without_biases(state | {f"a.norm.{key}": value for key, value in norm.state_dict().items()})
    assert "a.convolution.bias" not in found
    norm.running_mean.copy_(found["a.norm.running_mean"])
    torch.testing.assert_close(norm(torch.nn.functional.conv2d(image, convolution.weight)), expected)
