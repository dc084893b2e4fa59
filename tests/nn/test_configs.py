import inspect
from pathlib import Path

import pytest
import yaml

import repro.nn
from tests.places import CONF

FILES = sorted(path for group in ("backbone", "head", "auxiliary") for path in (CONF / group).rglob("*.yaml"))
# Leaves that are no constructor argument: what they mean is decided where the network is built.
ELSEWHERE = {"_target_", "weights", "weight"}
PRESETS = {"aspp_torchvision", "cascade"}
# What a head, or a head's part, is told by the network around it.
GIVEN = {"channels", "num_classes", "in_channels", "original_channels", "context_channels"}


def group_of(path: Path) -> str:
    return path.parent.relative_to(CONF).as_posix()


def test_the_choices_of_the_papers_are_here() -> None:
    choices = {f"{group_of(path)}/{path.stem}" for path in FILES}
    assert choices >= {f"backbone/resnet{depth}" for depth in (18, 34, 50, 101)}
    assert choices >= {
        f"head/{name}" for name in ("fcn", "cascade", "aspp", "aspp_plus", "aspp_torchvision", "module_a", "vortex")
    }
    assert choices >= {f"head/{name}" for name in ("dsnet", "dcnv2", "dynamic_filter")}
    assert choices >= {f"head/ga/{name}" for name in ("none", "psp", "aspp", "nonlocal", "cgnl")}
    assert choices >= {f"head/ld/{name}" for name in ("none", "v1", "v2")}
    assert choices >= {"auxiliary/none", "auxiliary/fcn"}


@pytest.mark.parametrize("path", FILES, ids=lambda path: f"{group_of(path)}/{path.stem}")
def test_a_file_names_every_switch_with_its_default(path: Path) -> None:
    node = yaml.safe_load(path.read_text())
    if node["_target_"] is None:
        assert node == {"_target_": None}
        return
    package, _, name = node["_target_"].rpartition(".")
    assert package == "repro.nn"
    signature = inspect.signature(getattr(repro.nn, name))
    inner = {group for entry in node.pop("defaults", []) if isinstance(entry, dict) for group in entry}
    assert all((path.parent / group).is_dir() and signature.parameters[group].default is None for group in inner)
    given = GIVEN | inner
    switches = {key: value.default for key, value in signature.parameters.items() if key not in given}
    assert set(node) - ELSEWHERE == set(switches)
    if path.stem not in PRESETS:
        as_lists = {key: list(value) if isinstance(value, tuple) else value for key, value in switches.items()}
        assert {key: node[key] for key in switches if key != "depth"} == {
            key: value for key, value in as_lists.items() if key != "depth"
        }


@pytest.mark.parametrize("path", FILES, ids=lambda path: f"{group_of(path)}/{path.stem}")
def test_a_file_starts_with_the_command_that_runs_it(path: Path) -> None:
    first = path.read_text().splitlines()[0]
    outer = "head=gald " if "/" in group_of(path) else ""
    assert first.startswith(f"# python -m repro {outer}{group_of(path)}={path.stem}")
