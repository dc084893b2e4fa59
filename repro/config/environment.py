"""What a configuration reads from outside itself: refused where it would decide what is measured."""

import re
from collections.abc import Mapping
from typing import Any

from omegaconf import DictConfig, OmegaConf

from repro.config.tree import flatten
from repro.errors import ConfigError

PLACES = frozenset({"name", "outputs", "dataset.root", "backbone.weights", "init.from"})
"""Leaves that say where something is, or what a run is called; files count by their content."""

OF_PLACES = ("runtime.", "tracking.")
"""Groups of which nothing decides what is measured."""

_REFERENCE = re.compile(r"\$\{\s*(\.*)([A-Za-z_][\w.\-\[\]]*)\s*\}")
"""A reference to another leaf; whatever else stands in braces is a function, which may read from anywhere."""

_IN_BRACKETS = re.compile(r"\[([^\[\]]+)\]")


def refuse_outside(node: DictConfig) -> None:
    """Refuses leaves that decide what is measured and take their value from the environment, the clock or Hydra.

    Raises:
        ConfigError: naming the leaf, and what would be right.
    """
    tree = OmegaConf.to_container(node, resolve=False)
    assert isinstance(tree, dict)
    leaves = flatten({str(key): value for key, value in tree.items() if key != "hydra"})
    for path, value in leaves.items():
        if path in PLACES or path.startswith(OF_PLACES):
            continue
        if source := _source(value, path, tree, frozenset()):
            raise ConfigError(
                f"{path} takes its value from outside the configuration, or by a function ({source}), so that the same "
                f"command could be another experiment elsewhere; write the value itself, such as {path}=VALUE"
            )


def _source(value: Any, path: str, tree: Mapping[Any, Any], seen: frozenset[str]) -> str:
    """The text that may read from outside, of a value or of what it refers to; empty if none does."""
    if isinstance(value, (Mapping, list)):
        items = value.items() if isinstance(value, Mapping) else enumerate(value)
        inside = (_source(item, f"{path}.{key}", tree, seen) for key, item in items)
        return next(filter(None, inside), "")
    if not isinstance(value, str) or "${" not in value:
        return ""
    if "${" in _REFERENCE.sub("", value):
        return value
    for dots, name in _REFERENCE.findall(value):
        around = path.split(".")[: -len(dots)] if dots else []
        target = ".".join([*around, _IN_BRACKETS.sub(r".\1", name)])
        if target.partition(".")[0] == "hydra":
            return value
        if target not in seen and (found := _source(_at(tree, target), target, tree, seen | {target})):
            return found
    return ""


def _at(tree: Mapping[Any, Any], path: str) -> Any:
    node: Any = tree
    for key in path.split("."):
        node = node.get(key) if isinstance(node, Mapping) else None
    return node
