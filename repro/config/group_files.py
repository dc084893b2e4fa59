"""The files of a group put together as Hydra would, without the tenth of a second that Hydra takes for each.

Only what such files need: their own leaves, a sibling that they rest on, groups inside them. Whatever is beyond that is
left to Hydra. A test holds every choice of every group against Hydra's own composition.
"""

from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any

from omegaconf import OmegaConf

from repro.config.environment import refuse_outside
from repro.config.groups import config_file
from repro.config.hydra import plain
from repro.config.tree import flatten

SELF = "_self_"
OVERRIDE = "override /"
"""A default of this kind chooses for another group, and says nothing of its own."""


class LeftToHydraError(Exception):
    """A file says more than its own leaves, a sibling and groups inside it."""


def group_node(group: str, choices: Mapping[str, str], folders: Sequence[Path]) -> tuple[Any, dict[str, str]]:
    """The node of a group, resolved, and the choices that it is made of.

    Args:
        group: a group of its own, such as head.
        choices: what is chosen of it and of the groups inside it.
        folders: where the files are, ours first.

    Raises:
        LeftToHydraError: a file of it is beyond this.
    """
    made: dict[str, str] = {}
    own = _composed(group, choices[group], choices, tuple(folders), made)
    unresolved = OmegaConf.create({group: _merged(_common(group), own)})
    refuse_outside(unresolved)
    node = plain(unresolved)[group]
    return node, made


def _composed(
    group: str, choice: str, choices: Mapping[str, str], folders: tuple[Path, ...], made: dict[str, str]
) -> dict[str, Any]:
    content = dict(_content(_file(group, choice, folders)))
    defaults = content.pop("defaults", [SELF])
    made[group] = choice
    node: dict[str, Any] = {}
    for entry in defaults:
        if entry == SELF:
            node = _merged(node, content)
        elif isinstance(entry, str):
            node = _merged(node, _composed(group, entry, choices, folders, made))
            made[group] = choice
        else:
            for name, default in entry.items():
                if not name.startswith(OVERRIDE):
                    inner = f"{group}/{name}"
                    part = _composed(inner, choices.get(inner, default), choices, folders, made)
                    node = _merged(node, {name: part})
    others = [entry for entry in defaults if not _is_override(entry)]
    if SELF not in others and others:
        raise LeftToHydraError(f"{group}={choice} does not say where its own leaves come")
    return node if others else _merged(node, content)


def _is_override(entry: Any) -> bool:
    return isinstance(entry, dict) and all(name.startswith(OVERRIDE) for name in entry)


@cache
def _file(group: str, choice: str, folders: tuple[Path, ...]) -> Path:
    for folder in folders:
        file = folder / group / f"{choice}.yaml"
        if file.is_file():
            return file
    raise LeftToHydraError(f"{group}={choice} is no file")


@cache
def _common(group: str) -> dict[str, Any]:
    """What config.yaml says of a group, whatever is chosen."""
    content = OmegaConf.to_container(OmegaConf.load(config_file()), resolve=False)
    node = content.get(group) if isinstance(content, dict) else None
    return {str(key): value for key, value in node.items()} if isinstance(node, dict) else {}


@cache
def _content(file: Path) -> dict[str, Any]:
    """What a file says, as Hydra reads it, unresolved."""
    found = OmegaConf.to_container(OmegaConf.load(file), resolve=False)
    content = {str(key): value for key, value in found.items()} if isinstance(found, dict) else {}
    if "# @package" in file.read_text(encoding="utf-8"):
        raise LeftToHydraError(f"{file} goes elsewhere")
    if any("${" in str(value).replace("${oc.env:", "") for value in flatten(content).values()):
        raise LeftToHydraError(f"{file} refers to something outside it")
    for entry in content.get("defaults", ()):
        named = entry.items() if isinstance(entry, dict) else ()
        plainly = all(name.startswith(OVERRIDE) or (name.isidentifier() and isinstance(choice, str))
                      for name, choice in named)  # fmt: skip
        if not plainly or not isinstance(entry, (str, dict)):
            raise LeftToHydraError(f"{file} has the default {entry}")
    return content


def _merged(below: Mapping[str, Any], above: Mapping[str, Any]) -> dict[str, Any]:
    """One tree over another one; lists are replaced whole."""
    found = dict(below)
    for key, value in above.items():
        both = isinstance(value, Mapping) and isinstance(found.get(key), Mapping)
        found[key] = _merged(found[key], value) if both else value
    return found
