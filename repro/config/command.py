"""The settings of a command other than a run, from conf/<name>.yaml: composed, and read one by one with a type."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import TypeVar

from repro.config.check import paths, unknown_setting, wrong_choice
from repro.config.groups import config_folders, groups_of
from repro.config.hydra import composed, plain, with_overrides
from repro.config.overrides import read
from repro.config.tree import Leaves, flatten
from repro.errors import ConfigError, hint, refuse_repeated

OWN_FOLDER = "conf_folder"
"""The setting that names a folder with config groups of the user's own."""

Word = TypeVar("Word", bound=StrEnum)


@dataclass(frozen=True)
class Given:
    """What a command was given: every setting of its file by dotted path, the defaults where nothing was said.

    Each method reads one setting, and raises a `ConfigError` that names it and what it must be.
    """

    leaves: Leaves

    def text(self, key: str) -> str:
        """A text; a number counts as the text that it prints as."""
        found = self.optional_text(key)
        self._require(key, found is not None, "a text")
        return found or ""

    def optional_text(self, key: str) -> str | None:
        """A text, or null."""
        value = self.leaves[key]
        if _is_number(value):
            return str(value)
        self._require(key, value is None or isinstance(value, str), "a text, or null")
        return None if value is None else str(value)

    def texts(self, key: str) -> tuple[str, ...]:
        """A text or a list of texts, each once; none for null."""
        value = self.leaves[key]
        texts = [] if value is None else value if isinstance(value, list) else [value]
        self._require(key, all(isinstance(item, str) for item in texts), "a text or a list of texts")
        refuse_repeated(key, texts)
        return tuple(texts)

    def word(self, key: str, words: type[Word]) -> Word:
        """One of some words."""
        value = self.leaves[key]
        if value not in list(words):
            raise ConfigError(f"{key} is {value}{hint(value, list(words))}")
        return words(value)

    def flag(self, key: str) -> bool:
        """True or false."""
        value = self.leaves[key]
        self._require(key, isinstance(value, bool), "true or false")
        return bool(value)

    def number(self, key: str) -> float:
        """A number of at least 0."""
        value = self.leaves[key]
        self._require(key, _is_number(value) and math.isfinite(value) and value >= 0, "a number of at least 0")
        return float(value)

    def optional_positive(self, key: str) -> float | None:
        """A number above 0, or null."""
        return None if self.leaves[key] is None else self.positive(key)

    def positive(self, key: str) -> float:
        """A number above 0."""
        self._require(key, _is_number(self.leaves[key]) and self.leaves[key] > 0, "a positive number")
        return self.number(key)

    def optional_count(self, key: str) -> int | None:
        """A whole number of at least 1, or null."""
        value = self.leaves[key]
        self._require(key, value is None or (_is_whole(value) and value >= 1), "at least 1, or null")
        return None if value is None else int(value)

    def whole(self, key: str, least: int) -> int:
        """A whole number of at least `least`."""
        value = self.leaves[key]
        self._require(key, _is_whole(value) and value >= least, f"a whole number of at least {least}")
        return int(value)

    def numbers(self, key: str, example: str) -> tuple[int, ...]:
        """Whole numbers from 0 on: a list of them, or how many, counted from 0; each once."""
        value = self.leaves[key]
        counted = list(range(value)) if _is_whole(value) else value
        if not counted or not isinstance(counted, list) or not all(_is_whole(item) and item >= 0 for item in counted):
            raise ConfigError(f"{key} is {value!r}; give {example}")
        refuse_repeated(key, counted)
        return tuple(counted)

    def path(self, key: str) -> Path:
        """A folder or file."""
        return Path(self.text(key))

    def optional_path(self, key: str) -> Path | None:
        """A folder or file, or null."""
        text = self.optional_text(key)
        return Path(text) if text else None

    def _require(self, key: str, right: bool, wanted: str) -> None:
        if not right:
            raise ConfigError(f"{key} is {self.leaves[key]!r}; it must be {wanted}")


def _is_whole(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _is_number(value: object) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def with_inner_choices(groups: Mapping[str, set[str]]) -> dict[str, set[str]]:
    """The groups with the choices of folders inside them, as in cluster=site/mylab."""
    found = {group: set(choices) for group, choices in groups.items()}
    for group, choices in groups.items():
        outer, _, inner = group.rpartition("/")
        if outer:
            found.setdefault(outer, set()).update(f"{inner}/{choice}" for choice in choices)
    return found


def compose_command(name: str, overrides: Sequence[str]) -> Given:
    """The settings of a command: `sweep` or `report`, see conf/<name>.yaml.

    Raises:
        ConfigError: in one sentence, with the nearest right name.
    """
    given = [read(override) for override in overrides]
    folders = [Path(str(override.value)) for override in given if override.key == OWN_FOLDER and override.value]
    folder = folders[-1] if folders else None
    groups = with_inner_choices(groups_of(config_folders(folder)))
    for override in given:
        if override.is_grid:
            raise ConfigError(f"{override.key}={override.text} is a list without brackets; "
                              f"write '{override.key}=[{override.text}]'")  # fmt: skip
        if override.key in groups and override.text not in groups[override.key]:
            raise ConfigError(wrong_choice(override.key, override.text, groups[override.key]))
    chosen = [f"{override.key}={override.text}" for override in given if override.key in groups]
    node = composed(chosen, folder, name)
    known = {*paths(node), *groups}
    for override in given:
        if override.key not in known:
            unknown = unknown_setting(override.key, known, f"python -m repro.{name} --help lists them all")
            raise ConfigError(f"{name} has no setting {override.key}" + unknown)
    with_overrides(node, (override for override in given if override.key not in groups))
    return Given(flatten(plain(node)))
