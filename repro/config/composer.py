"""Many configurations in little time: Hydra composes each set of choices once, leaves are set on a copy."""

import copy
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path
from typing import Any

import yaml

from repro.config.compose import compose_unchecked, config_folders, nearest, split_override
from repro.config.groups import groups_of, not_taken, outer_group, takers_of, written_out
from repro.config.identity import flatten
from repro.errors import ConfigError

BROUGHT_BY_OTHERS = frozenset({"backbone", "schedule", "evaluation", "dataset"})
"""Groups that a data set chooses along with itself, unless they are chosen too."""

split = cache(split_override)


@dataclass(frozen=True)
class Composition:
    """A configuration, and the overrides and leaves that were asked for but do not exist."""

    config: dict[str, Any]
    missing: tuple[str, ...]


class Composer:
    """Composes configurations of runs.

    Args:
        user_folder: a folder with further choices of the groups.
    """

    def __init__(self, user_folder: Path | None = None) -> None:
        self._folder = user_folder
        folders = config_folders(user_folder)
        self.groups = groups_of(folders)
        self._takers = {group: takers_of(group, folders) for group in self.groups if outer_group(group)}

    def is_group(self, key: str) -> bool:
        """Whether an override's key names a group, be it there or not, instead of a leaf."""
        return "/" in key or key in self.groups

    def compose(self, overrides: Sequence[str]) -> Composition:
        """The configuration of some overrides; a choice or a leaf that does not exist is left out and named.

        A group whose choice is missing holds that choice under `missing`, and under `asked` what it was to be set to.

        Raises:
            ConfigError: an override cannot be read, or would replace a group of settings by one value.
        """
        leaves, absent = dict[str, Any](), dict[str, Any]()
        choices, inner, missing = list[str](), list[str](), list[str]()
        for override in written_out(overrides):
            key, value = split(override)
            if not self.is_group(key):
                leaves[key] = value
            elif value in self.groups.get(key, ()):
                (inner if outer_group(key) else choices).append(override)
            else:
                absent[key] = value
                missing.append(override)
        around = _base(tuple(sorted(choices)), self._folder)["composition"]["choices"] | absent
        for override in inner:
            key, value = split(override)
            if around[outer_group(key)] in self._takers[key]:
                choices.append(override)
            else:
                absent[key] = value
                missing.append(override)
        config = copy.deepcopy(_base(tuple(sorted(choices)), self._folder))
        config["composition"]["choices"] |= absent
        for group in {key.partition("/")[0] for key in absent}:
            inside = (f"{group}/", f"{group}.")
            asked = {key: value for key, value in (absent | leaves).items() if key.startswith(inside)}
            config[group] = {"missing": config["composition"]["choices"][group], "asked": asked}
        for key, value in leaves.items():
            if "missing" not in (config.get(key.partition(".")[0]) or {}) and not set_leaf(config, key, value):
                missing.append(key)
        config["composition"]["overrides"] = list(overrides)
        return Composition(config, tuple(missing))

    @cached_property
    def settings(self) -> frozenset[str]:
        """Every leaf that some choice of a group has, and those outside the groups."""
        found = set(flatten(_composed((), self._folder)))
        for folder in config_folders(self._folder):
            for file in folder.rglob("*.yaml"):
                group = file.parent.relative_to(folder).as_posix().replace("/", ".")
                content = yaml.safe_load(file.read_text()) or {}
                found |= {f"{group}.{leaf}" for leaf in flatten(content) if leaf != "defaults"}
        return frozenset(found)

    def explain(self, missing: str, config: dict[str, Any]) -> str:
        """A sentence about something that a composition lacks, with the nearest right name."""
        key, is_choice, value = missing.partition("=")
        if is_choice and value in self.groups.get(key, ()):
            return not_taken(key, config["composition"]["choices"][outer_group(key)], self._takers[key])
        if is_choice:
            return f"{missing} is no choice of {key}" + nearest(value, self.groups.get(key, ()))
        return f"there is no setting {key}" + nearest(key, flatten(config), of_choices=False)


@cache
def _base(choices: tuple[str, ...], user_folder: Path | None) -> dict[str, Any]:
    """The configuration of some choices, put together group by group where no group is left to another's default."""
    families: dict[str, list[str]] = {}
    for choice in choices:
        families.setdefault(choice.partition("=")[0].partition("/")[0], []).append(choice)
    if "init" in families or not families.keys() >= BROUGHT_BY_OTHERS:  # published weights bring a network too
        return _composed(choices, user_folder)
    config = copy.deepcopy(_composed((), user_folder))
    for group, family in families.items():
        alone = _composed(tuple(family), user_folder)
        config[group] = alone[group]
        before, chosen = (tree["composition"]["choices"].items() for tree in (config, alone))
        kept = {key: choice for key, choice in before if key.partition("/")[0] != group}
        inside = {key: choice for key, choice in chosen if key.partition("/")[0] == group}
        config["composition"]["choices"] = kept | inside
    return config


@cache
def _composed(choices: tuple[str, ...], user_folder: Path | None) -> dict[str, Any]:
    return compose_unchecked(choices, user_folder)


def set_leaf(config: dict[str, Any], path: str, value: Any) -> bool:
    """Sets a leaf that exists; returns whether it does.

    Raises:
        ConfigError: the value would replace a group of settings.
    """
    *parents, leaf = path.split(".")
    node: Any = config
    for name in parents:
        node = node.get(name) if isinstance(node, dict) else None
    if not isinstance(node, dict) or leaf not in node:
        return False
    if isinstance(node[leaf], dict) and not isinstance(value, dict) and value is not None:
        raise ConfigError(f"{path}={value} would replace a whole group of settings by one value")
    node[leaf] = copy.deepcopy(value)
    return True
