"""The door to Hydra: composes configurations, and explains a mistaken override before Hydra stumbles over it."""

import dataclasses
import difflib
import re
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from hydra import compose as hydra_compose
from hydra import initialize_config_dir
from hydra.core.global_hydra import GlobalHydra
from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.errors import HydraException
from omegaconf import DictConfig, OmegaConf, open_dict
from omegaconf.errors import OmegaConfBaseException

from repro.config.groups import groups_of, not_taken, outer_group, takers_of, written_out
from repro.config.settings import Settings
from repro.errors import ConfigError

_OVERRIDE = re.compile(r"^(?P<sign>\+\+|\+|~)?(?P<key>[^=]+?)(?:=(?P<value>.*))?$", re.DOTALL)


def config_folder() -> Path:
    """The folder of the configuration: `conf/` of a checkout, or its copy inside an installed package."""
    package = Path(__file__).parent.parent
    packaged = package / "_conf"
    return packaged if packaged.is_dir() else package.parent / "conf"


def config_folders(user_folder: Path | None) -> list[Path]:
    """The folders in which groups and choices are looked for: ours, and the user's if there is one."""
    return [config_folder(), *([user_folder] if user_folder else [])]


def compose(overrides: Sequence[str] = (), *, user_folder: Path | None = None) -> dict[str, Any]:
    """Composes and resolves the configuration of one run.

    Args:
        overrides: in Hydra's grammar, as on the command line.
        user_folder: a folder with further choices of the groups.

    Raises:
        ConfigError: in one sentence, with the nearest right name.
    """
    overrides = written_out(overrides)
    check_overrides(overrides, user_folder=user_folder)
    return compose_unchecked(overrides, user_folder)


def compose_command(name: str, overrides: Sequence[str]) -> dict[str, Any]:
    """The resolved settings of a command other than a run: `sweep` or `report`, see conf/<name>.yaml.

    Raises:
        ConfigError: in one sentence, with the nearest right name.
    """
    parsed = [_parse(override) for override in overrides]
    groups = groups_of([config_folder()])
    chosen = [f"{key}={value}" for _, key, value in parsed if key in groups]
    for _, key, value in parsed:
        if key in groups and value not in groups[key]:
            raise ConfigError(f"{key}={value} is no choice of {key}" + nearest(value, groups[key]))
    known = {*_paths(_compose(chosen, None, name)), *groups}
    for _, key, _ in parsed:
        if key not in known:
            raise ConfigError(f"{name} has no setting {key}" + nearest(key, known, of_choices=False))
    config = _compose(list(overrides), None, name)
    with open_dict(config):
        del config["hydra"]
    tree = OmegaConf.to_container(config, resolve=True)
    assert isinstance(tree, dict)
    return {str(key): value for key, value in tree.items()}


def compose_unchecked(overrides: Sequence[str], user_folder: Path | None = None) -> dict[str, Any]:
    """As `compose`, for overrides that are known to exist; mistakes are then told less well."""
    config = _compose(list(overrides), user_folder)
    hydra_node = config.hydra
    with open_dict(config):
        del config["hydra"]
    return plain(config, hydra_node)


def settings_of(name: str) -> str:
    """The lines of a command's settings with their comments, for its help."""
    lines = (config_folder() / f"{name}.yaml").read_text().splitlines()
    return "\n".join(f"  {line}" for line in lines if line and line[0].isalpha() and not line.startswith("defaults"))


def plain(config: DictConfig, hydra_node: Any) -> dict[str, Any]:
    """A resolved configuration as nested dictionaries of plain values.

    Hydra's own node is left out but for `composition`: the choice of each group and the overrides given.
    """
    try:
        tree = OmegaConf.to_container(config, resolve=True, throw_on_missing=True)
    except OmegaConfBaseException as error:
        raise ConfigError(first_line(error)) from error
    assert isinstance(tree, dict)
    chosen = hydra_node.runtime.choices.items()
    choices = {group: choice for group, choice in chosen if group.partition("/")[0] in tree}
    tree["composition"] = {"choices": choices, "overrides": list(hydra_node.overrides.task)}
    return {str(key): value for key, value in tree.items()}


def settings(config: dict[str, Any]) -> Settings:
    """The typed settings of a resolved configuration; a value of a wrong type or range is a `ConfigError`."""
    names = {item.name for item in dataclasses.fields(Settings)}
    try:
        node = OmegaConf.merge(OmegaConf.structured(Settings), {key: config[key] for key in names if key in config})
        result = OmegaConf.to_object(node)
    except OmegaConfBaseException as error:
        leaf = getattr(error, "full_key", None) or "the configuration"
        raise ConfigError(f"{leaf}: {first_line(error)}") from error
    assert isinstance(result, Settings)
    if not result.trains and config["init"]["from"] is None:
        raise ConfigError(
            "schedule.length is 0 steps, but init names no weights to evaluate; write init=torchvision:<name>, "
            "init=run:<run id> or init=file:<path>, or give a length"
        )
    return result


def check_overrides(overrides: Iterable[str], *, user_folder: Path | None = None) -> None:
    """Checks groups, choices and keys of overrides, each value of a sweep included.

    Raises:
        ConfigError: naming what is wrong and the nearest right name.
    """
    parsed = [_parse(override) for override in overrides]
    groups = groups_of(config_folders(user_folder))
    chosen: list[str] = []
    for sign, key, value in parsed:
        group = key.partition("@")[0]
        if key.startswith("hydra") or sign == "~" or group not in groups:
            continue
        for choice in value.split(","):
            if choice not in groups[group] and "(" not in value and not choice.startswith("["):
                raise ConfigError(f"{group}={choice} is no choice of {group}" + nearest(choice, groups[group]))
        if "(" not in value:  # a function of Hydra's grammar, such as glob(*), stands for several choices
            chosen.append(f"{sign}{key}={value.split(',')[0]}")
    _check_inner_groups({key: value for _, key, value in parsed}, chosen, groups, user_folder)
    composed = _compose(chosen, user_folder)
    known = {*_paths(composed), *groups}
    for sign, key, value in parsed:
        if not key.startswith("hydra") and sign == "" and key.partition("@")[0] not in groups:
            _check_leaf(key, value, composed, known, groups)


def _check_inner_groups(
    given: Mapping[str, str], chosen: Iterable[str], groups: Iterable[str], user_folder: Path | None
) -> None:
    """Refuses what is said of a group inside another one, such as head/ga, whose choice takes no such group."""
    for group in sorted(filter(outer_group, groups)):
        leaf, outer = group.replace("/", "."), outer_group(group)
        if not any(key in (group, leaf) or key.startswith(f"{leaf}.") for key in given):
            continue
        if outer in given:
            around = given[outer].split(",")
        else:
            others = [choice for choice in chosen if not outer_group(choice.partition("=")[0])]
            around = [_compose(others, user_folder).hydra.runtime.choices[outer]]
        takers = takers_of(group, config_folders(user_folder))
        for choice in around:
            if choice not in takers and "(" not in choice:
                raise ConfigError(not_taken(group, choice, takers))


def _check_leaf(key: str, value: str, composed: DictConfig, known: set[str], groups: dict[str, set[str]]) -> None:
    if key not in known:
        raise ConfigError(f"there is no setting or group {key}" + nearest(key, known, of_choices=False))
    group = key.replace(".", "/")
    emptied = value == "null" and group not in groups
    if isinstance(OmegaConf.select(composed, key), DictConfig) and not value.startswith("{") and not emptied:
        right = (
            f"choose one with {group}={'none' if value == 'null' else value}"
            if group in groups
            else f"set its leaves, such as {key}.NAME=VALUE"
        )
        raise ConfigError(f"{key}={value} would replace a whole group of settings by one value; {right}")


def _compose(overrides: list[str], user_folder: Path | None, name: str = "config") -> DictConfig:
    if user_folder:
        overrides = [*overrides, f"hydra.searchpath=[file://{user_folder.resolve()}]"]
    GlobalHydra.instance().clear()
    try:
        with initialize_config_dir(str(config_folder()), version_base="1.3"):
            return hydra_compose(name, overrides=overrides, return_hydra_config=True)
    except (HydraException, OmegaConfBaseException) as error:
        raise ConfigError(first_line(error)) from error


def split_override(override: str) -> tuple[str, Any]:
    """Key and value of an override, the value as Hydra's grammar reads it.

    Raises:
        ConfigError: it cannot be read, or adds or removes a setting instead of setting it.
    """
    sign, key, _ = _parse(override)
    if sign:
        raise ConfigError(f"{override!r} adds or removes a setting; write it as key=value")
    return key, OverridesParser.create().parse_override(override).value()


def _parse(override: str) -> tuple[str, str, str]:
    match = _OVERRIDE.match(override)
    if match is None or (match["value"] is None and match["sign"] != "~"):
        raise ConfigError(f"{override!r} is no setting; write it as key=value, or as group=choice")
    try:
        OverridesParser.create().parse_override(override)
    except HydraException as error:
        reason = first_line(error.__cause__ or error)
        raise ConfigError(f"the value of {override!r} cannot be read: {reason}; quote text as key='\"a b\"'") from error
    return match["sign"] or "", match["key"], match["value"] or ""


def _paths(node: DictConfig, prefix: str = "") -> Iterable[str]:
    for key in map(str, node):
        if key == "hydra":
            continue
        yield f"{prefix}{key}"
        child = node._get_node(key)
        if isinstance(child, DictConfig) and not child._is_none():
            yield from _paths(child, f"{prefix}{key}.")


def nearest(wrong: str, right: Iterable[str], *, of_choices: bool = True) -> str:
    """The end of a sentence about a wrong name: the nearest right one, or where all of them stand."""
    right = sorted(right)
    near = difflib.get_close_matches(wrong.lower(), right, n=1, cutoff=0.5)
    if not of_choices and "." not in wrong:  # perhaps a leaf given without the group before it
        by_last_part = {path.rpartition(".")[2]: path for path in right}
        closest = difflib.get_close_matches(wrong, [*right, *by_last_part], n=1, cutoff=0.5)
        near = [by_last_part.get(name, name) for name in closest]
    if near:
        return f"; did you mean {near[0]}?" + (f" Choices: {', '.join(right)}" if of_choices else "")
    return f"; choices: {', '.join(right)}" if of_choices else "; python -m repro --help lists them all"


def first_line(error: BaseException) -> str:
    """What an error of Hydra or OmegaConf says, without its trail of keys and types."""
    lines = str(error).strip().splitlines()
    return lines[0] if lines else type(error).__name__
