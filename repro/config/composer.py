"""Many configurations in little time: Hydra composes each set of choices once, leaves are set on a copy."""

from collections.abc import Sequence
from dataclasses import replace
from functools import cache, cached_property
from pathlib import Path

from repro.config.check import unknown_setting, wrong_choice
from repro.config.configuration import Configuration
from repro.config.environment import refuse_outside
from repro.config.group_files import LeftToHydraError, group_node
from repro.config.groups import config_folders, content_of, groups_of, not_taken, outer_group, takers_of
from repro.config.hydra import choices_of, composed, plain
from repro.config.overrides import split, written_out
from repro.config.tree import flatten

BROUGHT_BY_OTHERS = frozenset({"backbone", "schedule", "evaluation", "dataset"})
"""Groups that a data set chooses along with itself, unless they are chosen too."""


class Composer:
    """Composes configurations of runs, also of choices and leaves that do not exist.

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

    def compose(self, overrides: Sequence[str]) -> Configuration:
        """The configuration of some overrides; a choice or a leaf that does not exist is left out and named.

        Raises:
            ConfigError: an override cannot be read, or would replace a group of settings by one value.
        """
        leaves, absent = dict[str, object](), dict[str, object]()
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
        around = {**_of_choices(tuple(sorted(choices)), frozenset(absent), self._folder).choices, **absent}
        for override in inner:
            key, value = split(override)
            if around[outer_group(key)] in self._takers[key]:
                choices.append(override)
            else:
                absent[key] = value
                missing.append(override)
        found = _of_choices(tuple(sorted(choices)), frozenset(absent), self._folder)
        found = _without_absent(found, absent, leaves)
        for key, value in leaves.items():
            node = found.tree.get(key.partition(".")[0])
            if isinstance(node, dict) and "missing" in node:
                continue
            try:
                found = found.with_leaf(key, value)
            except KeyError:
                missing.append(key)
        return replace(found, overrides=tuple(overrides), missing=tuple(missing))

    @cached_property
    def known_leaves(self) -> frozenset[str]:
        """Every leaf that some choice of a group has, and those outside the groups."""
        found = set(_by_hydra((), self._folder).leaves)
        for folder in config_folders(self._folder):
            for file in folder.rglob("*.yaml"):
                group = file.parent.relative_to(folder).as_posix().replace("/", ".")
                found |= {f"{group}.{leaf}" for leaf in flatten(content_of(file)) if leaf != "defaults"}
        return frozenset(found)

    def explain(self, missing: str, configuration: Configuration) -> str:
        """A sentence about something that a configuration lacks, with the nearest right name."""
        key, is_choice, value = missing.partition("=")
        if is_choice and value in self.groups.get(key, ()):
            return not_taken(key, configuration.choices[outer_group(key)], self._takers[key])
        if is_choice:
            return wrong_choice(key, value, self.groups.get(key, ()))
        return f"there is no setting {key}" + unknown_setting(key, configuration.leaves)


def _without_absent(found: Configuration, absent: dict[str, object], leaves: dict[str, object]) -> Configuration:
    """The configuration with groups whose choice does not exist holding that choice, and what it was to be set to."""
    if not absent:
        return found
    choices = {**found.choices, **{key: str(choice) for key, choice in absent.items()}}
    tree = dict(found.tree)
    for group in {key.partition("/")[0] for key in absent}:
        inside = (f"{group}/", f"{group}.")
        asked = {key: value for key, value in {**absent, **leaves}.items() if key.startswith(inside)}
        tree[group] = {"missing": choices[group], "asked": asked}
    return replace(found, tree=tree, choices=choices)


@cache
def _of_choices(choices: tuple[str, ...], absent: frozenset[str], user_folder: Path | None) -> Configuration:
    """The configuration of some choices, put together group by group where no group is left to another's default."""
    families: dict[str, list[str]] = {}
    for choice in choices:
        families.setdefault(choice.partition("=")[0].partition("/")[0], []).append(choice)
    if "init" in families or not families.keys() | absent >= BROUGHT_BY_OTHERS:  # published weights bring a network too
        return _by_hydra(choices, user_folder)
    found = _by_hydra((), user_folder)
    for group, family in families.items():
        found = found.with_group(_of_family(group, tuple(family), user_folder), group)
    return found


@cache
def _of_family(group: str, family: tuple[str, ...], user_folder: Path | None) -> Configuration:
    """A configuration with the choice of one group and of the groups inside it, in which nothing else counts."""
    default = _by_hydra((), user_folder)
    try:
        node, choices = group_node(group, {**default.choices, **dict(map(split, family))}, config_folders(user_folder))
    except LeftToHydraError:
        return _by_hydra(family, user_folder)
    return replace(default, tree={**default.tree, group: node}, choices=choices)


@cache
def _by_hydra(choices: tuple[str, ...], user_folder: Path | None) -> Configuration:
    node = composed(choices, user_folder)
    chosen = choices_of(node)
    refuse_outside(node)
    return Configuration(plain(node), chosen, user_folder=str(user_folder or ""))
