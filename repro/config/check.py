"""Explains a mistaken override before Hydra stumbles over it: groups, choices and keys, with the nearest right name."""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from omegaconf import DictConfig, OmegaConf

from repro.config.groups import config_folders, content_of, groups_of, not_taken, outer_group, takers_of
from repro.config.hydra import choices_of, composed
from repro.config.overrides import Override, read, written_out
from repro.config.tree import flatten
from repro.errors import ConfigError, nearest, refuse_repeated

HELP = "python -m repro --help all lists them all"


def check_overrides(overrides: Iterable[str], *, user_folder: Path | None = None) -> DictConfig:
    """Checks groups, choices and keys of overrides, each value of a grid included.

    Returns:
        What Hydra composes from the choices among them, the first ones of a grid; leaves are not set yet.

    Raises:
        ConfigError: naming what is wrong and the nearest right name.
    """
    given = [read(override) for override in written_out(overrides)]
    for override in given:
        if override.is_grid and not set(override.text) & set("(["):
            refuse_repeated(override.key, override.text.split(","))
    groups = groups_of(config_folders(user_folder))
    chosen = []
    for override in given:
        if override.is_about_hydra or override.group not in groups:
            continue
        if override.sign == "~":
            listed = ", ".join(sorted(groups[override.group]))
            raise ConfigError(f"~{override.key} takes a whole group away; choose one of {override.group}: {listed}")
        for choice in override.text.split(","):
            if choice not in groups[override.group] and not override.is_function and not choice.startswith("["):
                raise ConfigError(wrong_choice(override.group, choice, groups[override.group]))
        if not override.is_function:
            chosen.append(f"{override.sign}{override.key}={override.text.split(',')[0]}")
    _check_inner_groups(given, chosen, groups, user_folder)
    node = composed(chosen, user_folder)
    known = {*paths(node), *groups}
    for override in given:
        if not override.is_about_hydra and override.sign == "" and override.group not in groups:
            _check_swept_choices(override, given, chosen, user_folder)
            if override.key not in known:
                _explain_other_choice(override.key, node, chosen, groups, user_folder)
            _check_leaf(override, node, known, groups)
    return node


def wrong_choice(group: str, choice: str, choices: Collection[str]) -> str:
    """A sentence about a choice that a group does not have."""
    listed = f"hoices: {', '.join(sorted(choices))}"
    near = nearest(choice, sorted(choices))
    return f"{group}={choice} is no choice of {group}; " + (f"did you mean {near[0]}? C" if near else "c") + listed


def unknown_setting(key: str, known: Iterable[str], otherwise: str = HELP) -> str:
    """The end of a sentence about a leaf that there is not; perhaps it was given without the group before it."""
    names = sorted(known)
    by_last_part = {} if "." in key else {path.rpartition(".")[2]: path for path in names}
    near = [by_last_part.get(name, name) for name in nearest(key, [*names, *by_last_part])]
    return f"; did you mean {near[0]}?" if near else f"; {otherwise}"


def paths(node: DictConfig) -> Iterable[str]:
    """The dotted paths of all groups and leaves of a composition, but for Hydra's own."""
    tree = OmegaConf.to_container(node, resolve=False)
    assert isinstance(tree, dict)
    return _paths({key: value for key, value in tree.items() if key != "hydra"})


def _paths(tree: Mapping[Any, Any], prefix: str = "") -> Iterator[str]:
    for key, value in tree.items():
        yield f"{prefix}{key}"
        if isinstance(value, Mapping):
            yield from _paths(value, f"{prefix}{key}.")


def _check_inner_groups(
    given: Sequence[Override], chosen: Iterable[str], groups: Iterable[str], user_folder: Path | None
) -> None:
    """Refuses what is said of a group inside another one, such as head/ga, whose choice takes no such group."""
    asked = {override.key: override.text for override in given}
    for group in sorted(filter(outer_group, groups)):
        leaf, outer = group.replace("/", "."), outer_group(group)
        if not any(key in (group, leaf) or key.startswith(f"{leaf}.") for key in asked):
            continue
        if outer in asked:
            around = asked[outer].split(",")
        else:
            others = [choice for choice in chosen if not outer_group(choice.partition("=")[0])]
            around = [choices_of(composed(others, user_folder))[outer]]
        takers = takers_of(group, config_folders(user_folder))
        for choice in around:
            if choice not in takers and "(" not in choice:
                raise ConfigError(not_taken(group, choice, takers))


def _check_swept_choices(
    leaf: Override, given: Sequence[Override], chosen: Sequence[str], user_folder: Path | None
) -> None:
    """Refuses a leaf of a group of whose choices in a grid only some have it, before the first of them is trained."""
    group = leaf.key.partition(".")[0]
    swept = [override for override in given if override.key == group and override.is_grid and not override.is_function]
    if not swept or leaf.key == group:
        return
    others = [choice for choice in chosen if choice.partition("=")[0] != group]
    having = {
        choice: leaf.key in set(paths(composed([*others, f"{group}={choice}"], user_folder)))
        for choice in swept[0].text.split(",")
    }
    lacking = [choice for choice, has in having.items() if not has]
    if lacking and len(lacking) < len(having):
        raise ConfigError(_lacks(leaf.key, lacking[0], [choice for choice, has in having.items() if has]))


def _explain_other_choice(
    key: str, node: DictConfig, chosen: Iterable[str], groups: Mapping[str, Collection[str]], user_folder: Path | None
) -> None:
    """Refuses a leaf that the choice made lacks and others of its group have."""
    group, _, leaf = key.partition(".")
    if group not in groups or not leaf:
        return
    having = [
        choice
        for folder in config_folders(user_folder)
        for choice in sorted(groups[group])
        if (file := folder / group / f"{choice}.yaml").is_file() and leaf in flatten(content_of(file))
    ]
    made = choices_of(node)[group]
    if having and made not in having:
        raise ConfigError(_lacks(key, made, having))


def _lacks(key: str, choice: str, having: Sequence[str]) -> str:
    """A sentence about a leaf that one choice of a group lacks and others have."""
    group, _, leaf = key.partition(".")
    verb = "has" if len(having) == 1 else "have"
    return f"{group}={choice} has no {leaf}; {', '.join(having[:4])}{' and others' * (len(having) > 4)} {verb}"


def _check_leaf(override: Override, node: DictConfig, known: Collection[str], groups: Collection[str]) -> None:
    key, value = override.key, override.text
    if key not in known:
        raise ConfigError(f"there is no setting or group {key}" + unknown_setting(key, known))
    group = key.replace(".", "/")
    emptied = value == "null" and group not in groups
    if isinstance(OmegaConf.select(node, key), DictConfig) and not value.startswith("{") and not emptied:
        right = (
            f"choose one with {group}={'none' if value == 'null' else value}"
            if group in groups
            else f"set its leaves, such as {key}.NAME=VALUE"
        )
        raise ConfigError(f"{key}={value} would replace a whole group of settings by one value; {right}")
