import csv
import inspect
import shlex
from pathlib import Path
from typing import get_type_hints

import pytest
import yaml
from hydra.utils import get_class

from repro.config.groups import takers_of
from tests.places import CONF, REPOSITORY

FILES = sorted(path for group in ("backbone", "head", "auxiliary") for path in (CONF / group).rglob("*.yaml"))
# Leaves that are no constructor argument: what they mean is decided where the network is built.
ELSEWHERE = {"_target_", "weights", "weights_of_other_strides", "weight", "first_draw"}
# What a head, or a head's part, is told by the network around it.
GIVEN = {"channels", "num_classes", "in_channels", "guide_channels", "original_channels", "context_channels"}


def name_of(path: Path) -> str:
    return path.relative_to(CONF).with_suffix("").as_posix()


def group_of(path: Path) -> str:
    return path.parent.relative_to(CONF).as_posix()


def switches_of(node: dict) -> dict[str, object]:
    """What a node's class is told by configuration: name to default."""
    target = get_class(node["_target_"])
    parameters = inspect.signature(target).parameters
    # By these the values are checked, and without a word they are not where one cannot be read.
    assert get_type_hints(target.__init__).keys() >= parameters.keys()
    return {key: value.default for key, value in parameters.items() if key not in GIVEN}


def test_the_choices_of_the_papers_are_here() -> None:
    choices = {name_of(path) for path in FILES}
    assert choices >= {f"backbone/resnet{depth}" for depth in (18, 34, 50, 101)}
    assert choices >= {
        f"head/{name}" for name in ("fcn", "cascade", "aspp", "aspp_plus", "aspp_torchvision", "module_a", "vortex")
    }
    assert choices >= {f"head/{name}" for name in ("dsnet", "dcnv2", "dynamic_filter")}
    assert choices >= {f"head/ga/{name}" for name in ("none", "psp", "aspp", "nonlocal", "cgnl")}
    assert choices >= {f"head/ld/{name}" for name in ("none", "v1", "v2")}
    assert choices >= {"head/context/none", "head/context/aspp", "head/sampling/dynamic", "head/classifier/joint"}
    assert choices >= {"auxiliary/none", "auxiliary/fcn"}


@pytest.mark.parametrize("path", FILES, ids=name_of)
def test_a_file_names_every_switch(path: Path) -> None:
    node = yaml.safe_load(path.read_text())
    if node["_target_"] is None:
        assert node == {"_target_": None}
        return
    inner = {group for entry in node.pop("defaults", []) if isinstance(entry, dict) for group in entry}
    assert all((path.parent / group).is_dir() for group in inner)
    assert (set(node) - ELSEWHERE) | inner == set(switches_of(node))


@pytest.mark.parametrize("path", [path for path in FILES if group_of(path) != "backbone"], ids=name_of)
def test_a_default_of_a_head_or_its_part_stands_in_its_file_alone(path: Path) -> None:
    node = yaml.safe_load(path.read_text())
    if node["_target_"] is not None:
        assert set(switches_of(node).values()) <= {inspect.Parameter.empty}


@pytest.mark.parametrize("path", [path for path in FILES if group_of(path) == "backbone"], ids=name_of)
def test_a_backbone_has_the_defaults_of_its_file(path: Path) -> None:
    node = yaml.safe_load(path.read_text())
    defaults = {key: value for key, value in switches_of(node).items() if key != "depth"}
    assert {key: node[key] for key in defaults} == {
        key: list(value) if isinstance(value, tuple) else value for key, value in defaults.items()
    }


@pytest.mark.parametrize("path", FILES, ids=name_of)
def test_a_file_starts_with_the_command_that_runs_it(path: Path) -> None:
    first, group = path.read_text().splitlines()[0], group_of(path)
    outer = [f"head={taker} " for taker in takers_of(group, [CONF])] if "/" in group else [""]
    assert first.startswith(tuple(f"# python -m repro {before}{group}={path.stem}" for before in outer))


def test_the_recorded_heads_have_the_leaves_that_their_commands_name() -> None:
    with (REPOSITORY / "reports" / "runs.csv").open(newline="") as file:
        commands = {line["command"] for line in csv.DictReader(file)}
    recorded = set()
    for words in map(shlex.split, commands):
        (head,) = (word.removeprefix("head=") for word in words if word.startswith("head="))
        named = {word.partition("=")[0] for word in words if word.startswith("head.")}
        node = yaml.safe_load((CONF / "head" / f"{head}.yaml").read_text())
        assert named <= {f"head.{leaf}" for leaf in node}
        recorded.add(head)
    assert recorded == {"aspp", "aspp_plus", "module_a", "vortex"}
