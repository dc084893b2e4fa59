"""A recorded command read cheaply: its words, and what the files of the configuration say, without composing it."""

import shlex
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from repro.config.groups import config_file, config_folders, content_of
from repro.config.tree import flatten

ANOTHER_FOLDER = "--config-dir"
BEGINNING = ["python", "-m", "repro"]


class Command:
    """A recorded command, read cheaply: the last text given for each key, quotes of the shell taken off.

    Raises:
        ValueError: it is no command of ours.
    """

    def __init__(self, text: str) -> None:
        words = shlex.split(text)
        if words[:3] != BEGINNING:
            raise ValueError(f"a recorded command begins with {' '.join(BEGINNING)}")
        self.given: dict[str, str] = {}
        self.user_folder = ""
        rest = iter(words[3:])
        for word in rest:
            if word == ANOTHER_FOLDER:
                self.user_folder = next(rest, "")
                continue
            key, equals, value = word.partition("=")
            if not equals:
                raise ValueError(f"{word!r} in it is no setting")
            self.given[key.lstrip("+")] = value
        self.overrides = [word for word in words[3:] if "=" in word]

    def without_seed(self) -> tuple[str, ...]:
        """The overrides of the same experiment under any seed."""
        return tuple(word for word in self.overrides if not word.startswith("seed="))

    def of_group(self, group: str) -> dict[str, str]:
        """The leaves of a group that were given, without its name."""
        start = f"{group}."
        return {key.removeprefix(start): value for key, value in self.given.items() if key.startswith(start)}


@cache
def read_command(text: str) -> Command:
    """The same command, read once.

    Raises:
        ValueError: as `Command`.
    """
    return Command(text)


class Lookup:
    """The value of a leaf under a command: as given, or as the files say; None where only a composition would know.

    Args:
        command: the recorded command.
        names: group to its choice, as it was recorded.
        conf_folder: a folder with further choices.
    """

    def __init__(self, command: Command, names: Mapping[str, str], conf_folder: Path | None = None) -> None:
        self._command, self._conf_folder = command, conf_folder
        self._names = names
        self._composed_only = bool(command.user_folder) or "init" in command.given

    def __call__(self, path: str) -> Any:
        """The value of a dotted path, as YAML reads it."""
        if path in self._command.given:
            try:
                return yaml.safe_load(self._command.given[path])
            except yaml.YAMLError:
                return None
        group, _, leaf = path.partition(".")
        if not leaf:
            return _main_settings().get(path)
        if self._composed_only or group not in self._names:
            return None
        return leaf_of_choice(group, self._names[group], leaf, self._conf_folder)


def leaf_of_choice(group: str, choice: str, leaf: str, conf_folder: Path | None = None) -> Any:
    """The value of a leaf in a choice's file, or in those that it builds upon; None if none of them has it."""
    for folder in reversed(config_folders(conf_folder)):
        leaves = _leaves_of_file(folder / group / f"{choice}.yaml")
        if leaves is None:
            continue
        if leaf in leaves:
            return leaves[leaf]
        for base in leaves.get("defaults") or ():
            if isinstance(base, str) and base != "_self_":
                found = leaf_of_choice(group, base, leaf, conf_folder)
                if found is not None:
                    return found
    return None


@cache
def _leaves_of_file(file: Path) -> Mapping[str, Any] | None:
    return flatten(content_of(file)) if file.is_file() else None


@cache
def _main_settings() -> Mapping[str, Any]:
    return flatten(content_of(config_file()))
