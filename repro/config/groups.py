"""The groups of a configuration, as folders of YAML files: their choices, and which choice takes a group inside it."""

from collections.abc import Iterable, Sequence
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from repro.errors import ConfigError

NO_SETTINGS = frozenset({"defaults", "hydra"})
"""Keys of a file of settings that are for Hydra."""

_Loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


def config_folder() -> Path:
    """The folder of the configuration: `conf/` of a checkout, or its copy inside an installed package."""
    package = Path(__file__).parent.parent
    packaged = package / "_conf"
    return packaged if packaged.is_dir() else package.parent / "conf"


def config_folders(user_folder: Path | None = None) -> list[Path]:
    """The folders in which groups and choices are looked for: ours, and the user's if there is one."""
    return [config_folder(), *([user_folder] if user_folder else [])]


def groups_of(folders: Iterable[Path]) -> dict[str, set[str]]:
    """Every config group of some folders with its choices.

    Raises:
        ConfigError: a folder is not there.
    """
    groups: dict[str, set[str]] = {}
    for folder in folders:
        if not folder.is_dir():
            raise ConfigError(f"there is no folder {folder} for --config-dir")
        for file in folder.rglob("*.yaml"):
            if file.parent != folder:
                groups.setdefault(file.parent.relative_to(folder).as_posix(), set()).add(file.stem)
    return groups


def content_of(file: Path) -> dict[str, Any]:
    """What a file of a group says, as plain values.

    Raises:
        ConfigError: it is no YAML, or no mapping.
    """
    try:
        content = yaml.load(file.read_text(encoding="utf-8"), _Loader) or {}
    except (OSError, ValueError, yaml.YAMLError) as error:
        raise ConfigError(f"{file} cannot be read: {' '.join(str(error).split())}") from error
    if not isinstance(content, dict):
        raise ConfigError(f"{file} must hold settings as name: value")
    return content


def outer_group(group: str) -> str:
    """The group around another one: head of head/ga; empty for a group of its own."""
    return group.rpartition("/")[0]


def takers_of(group: str, folders: Iterable[Path]) -> list[str]:
    """The choices of the outer group that take an inner one: for head/ga those of head, such as gald."""
    outer, _, name = group.rpartition("/")
    files = [file for folder in folders for file in sorted((folder / outer).glob("*.yaml"))]
    return [file.stem for file in files if name in _inner_groups(file)]


@cache
def _inner_groups(file: Path) -> set[str]:
    entries = content_of(file).get("defaults") or ()
    return {name for entry in entries if isinstance(entry, dict) for name in entry}


def not_taken(group: str, choice: str, takers: Sequence[str]) -> str:
    """A sentence about an inner group where the choice of the outer one does not take it."""
    outer = outer_group(group)
    return f"{outer}={choice} takes no {group}; choose {' or '.join(f'{outer}={taker}' for taker in takers)} with it"


def config_file(name: str = "config") -> Path:
    """The file of a command's settings: conf/config.yaml for a run."""
    return config_folder() / f"{name}.yaml"


def settings_of(name: str) -> list[str]:
    """The lines of conf/<name>.yaml that set something, with their comments; those of groups and of Hydra left out."""
    lines = config_file(name).read_text(encoding="utf-8").splitlines()
    found: list[str] = []
    wanted = False
    for line in lines:
        if not line.startswith(" "):
            key = line.partition(":")[0]
            wanted = key[:1].isalpha() and key not in NO_SETTINGS and not (config_folder() / key).is_dir()
        if wanted:
            found.append(line)
    return found
