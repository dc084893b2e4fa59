"""YAML whose mappings remember their lines, so that an error can name the place."""

from collections.abc import Collection
from enum import StrEnum
from pathlib import Path
from typing import Any, TypeVar

import yaml

from repro.errors import ConfigError, hint

Word = TypeVar("Word", bound=StrEnum)


class SpecError(ConfigError):
    """A mistake in a file of `sweeps/`; the message begins with file and line."""

    def __init__(self, file: Path, line: int, message: str) -> None:
        super().__init__(f"{file}:{line}: {message}")
        self.file, self.line, self.message = file, line, message


class Located(dict):
    """A YAML mapping with the line that it starts on and the line of each key."""

    def __init__(self, line: int) -> None:
        super().__init__()
        self.line = line
        self.lines: dict[str, int] = {}


class _Loader(getattr(yaml, "CSafeLoader", yaml.SafeLoader)):  # type: ignore[misc]
    """Safe loading into `Located` mappings with text keys; a key given twice is an error."""


def _construct_mapping(loader: Any, node: yaml.MappingNode) -> Located:
    result = Located(node.start_mark.line + 1)
    for key_node, value_node in node.value:
        key = str(loader.construct_object(key_node, deep=True))
        if key in result:
            raise yaml.constructor.ConstructorError(None, None, f"the key {key} is given twice", key_node.start_mark)
        result[key] = loader.construct_object(value_node, deep=True)
        result.lines[key] = key_node.start_mark.line + 1
    return result


_Loader.add_constructor(yaml.resolver.BaseResolver.DEFAULT_MAPPING_TAG, _construct_mapping)


def read_yaml(file: Path) -> Located:
    """One YAML file whose top is a mapping.

    Raises:
        SpecError: it cannot be read, is no YAML, or is something else than a mapping.
    """
    try:
        content = yaml.load(file.read_text(encoding="utf-8"), _Loader)
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 1
        raise SpecError(file, line, f"is no YAML: {error.problem or error.context}") from error
    except (OSError, ValueError, yaml.YAMLError) as error:
        raise SpecError(file, 1, f"cannot be read: {error}") from error
    if not isinstance(content, Located):
        raise SpecError(file, 1, "must be a mapping of names to values")
    return content


def check_keys(file: Path, node: Located, required: Collection[str], optional: Collection[str], what: str) -> None:
    """Raises a `SpecError` for a key that is unknown (with the nearest right one) or missing."""
    known = [*required, *optional]
    for key in node:
        if key not in known:
            right = hint(key, known, otherwise=f"it may have {', '.join(known)}")
            raise SpecError(file, node.lines[key], f"{what} has the unknown key {key}{right}")
    for key in required:
        if key not in node:
            raise SpecError(file, node.line, f"{what} lacks the key {key}")


def text_of(file: Path, node: Located, key: str, default: str = "") -> str:
    """A value that must be text; a number is taken as the text that it prints as."""
    value = node.get(key, default)
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        return str(value)
    if not isinstance(value, str):
        raise SpecError(file, node.lines[key], f"{key} must be text, not {value!r}")
    return value


def word_of(file: Path, node: Located, key: str, words: type[Word], default: str = "") -> Word:
    """A value that must be one of some words."""
    text = text_of(file, node, key, default)
    if text not in list(words):
        raise SpecError(file, node.lines[key], f"{key} is {text}; it must be one of {', '.join(words)}")
    return words(text)


def texts_of(file: Path, node: Located, key: str) -> tuple[str, ...]:
    """A value that must be a list of texts; absent means empty."""
    value = node.get(key, [])
    if isinstance(value, str):
        value = [value]
    if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
        raise SpecError(file, node.lines[key], f"{key} must be a list of texts, not {value!r}")
    return tuple(value)


def mapping_of(file: Path, node: Located, key: str) -> Located:
    """A value that must be a mapping; absent means empty."""
    value = node.get(key)
    if value is None:
        return Located(node.line)
    if not isinstance(value, Located):
        raise SpecError(file, node.lines[key], f"{key} must be a mapping, not {value!r}")
    return value


def number_of(file: Path, node: Located, key: str) -> float | None:
    """A value that must be a number above 0; None if absent."""
    value = node.get(key)
    if value is not None and (isinstance(value, bool) or not isinstance(value, (int, float)) or not value > 0):
        raise SpecError(file, node.lines[key], f"{key} must be a number above 0, not {value!r}")
    return value
