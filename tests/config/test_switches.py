"""Values of leaves against the annotations of the class that takes them."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Literal

import pytest
import yaml
from hydra.utils import get_class

from repro.config.groups import config_folder
from repro.config.switches import check_switches
from repro.errors import ConfigError
from repro.nn import ResNet

NODES = {
    path.relative_to(config_folder()).as_posix(): node
    for path in sorted(config_folder().rglob("*.yaml"))
    if (node := yaml.safe_load(path.read_text()) or {}).get("_target_")
}


class Part:
    def __init__(
        self,
        *,
        deep: bool = True,
        width: int | None = 256,
        rates: Sequence[int] = (6, 12),
        names: tuple[str, ...] = (),
        dropout: float = 0.1,
        fusion: Literal["sum", "concat"] = "sum",
        make: Callable[[int], Any] | None = None,
        counts: Mapping[str, int] | None = None,
        root: str | Path = "",
        other=None,
    ) -> None: ...


@pytest.mark.parametrize("path", NODES)
def test_every_choice_passes(path):
    node = NODES[path]
    check_switches(path, get_class(node["_target_"]), node)


@pytest.mark.parametrize(
    "leaf",
    [{"deep": False}, {"width": None}, {"rates": [1]}, {"rates": []}, {"names": ["a"]}, {"dropout": 0}, {"root": "x"},
     {"make": 3}, {"counts": 3}, {"other": 3}, {"unknown": 3}],
    ids=str,
)  # fmt: skip
def test_what_fits_or_is_not_annotated_plainly_passes(leaf):
    check_switches("head", Part, leaf)


@pytest.mark.parametrize(
    ("leaf", "sentence"),
    [
        ({"deep": 1}, "head.deep is 1; it must be true or false"),
        ({"width": 1.5}, "head.width is 1.5; it must be a whole number or null"),
        ({"width": True}, "head.width is true; it must be a whole number or null"),
        ({"rates": 6}, "head.rates is 6; it must be a list of whole numbers, such as [6, 12]"),
        ({"rates": [6, "a"]}, 'head.rates is [6, "a"]; it must be a list of whole numbers, such as [6, 12]'),
        ({"names": [1]}, "head.names is [1]; it must be a list of texts, such as []"),
        ({"dropout": None}, "head.dropout is null; it must be a number"),
        ({"fusion": "max"}, 'head.fusion is "max"; it must be one of sum, concat'),
    ],
)
def test_what_does_not_fit_is_a_sentence(leaf, sentence):
    with pytest.raises(ConfigError) as caught:
        check_switches("head", Part, leaf)
    assert str(caught.value) == sentence


def test_a_class_of_the_package_is_left_no_default():
    node = NODES["backbone/resnet18.yaml"]
    frozen_before = {name: value for name, value in node.items() if name != "first_unit"}
    with pytest.raises(ConfigError, match=r"backbone \(repro\.nn\.ResNet\) does not set first_unit; .*=\"full\", and"):
        check_switches("backbone", ResNet, frozen_before)


def test_an_annotation_that_only_a_type_checker_knows_is_left_alone():
    class Users:
        def __init__(self, width: "Unknown") -> None: ...  # noqa: F821

    check_switches("head", Users, {"width": "a"})
