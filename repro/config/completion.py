"""What may come next on a command line: settings, groups and their values, for the completion of a shell.

Only files are read and nothing is composed, so that an answer takes no longer than a key press.
"""

import types
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import fields, is_dataclass
from enum import Enum
from pathlib import Path
from typing import Any, get_args, get_type_hints

from repro.config.groups import config_file, config_folder, config_folders, content_of, groups_of
from repro.config.identity import GROUPS
from repro.config.settings import Settings
from repro.config.tree import flatten

Values = Mapping[str, Callable[[], Iterable[str]]]
"""Name of a setting to what gives its values."""


def of_run(prefix: str, given: Sequence[str], user_folder: Path | None = None) -> list[str]:
    """Completions of one word of a run's command line.

    Args:
        prefix: the word as far as it is typed.
        given: the words before it, whose choices decide which leaves there are.
        user_folder: a folder with further choices of the groups.
    """
    folders = config_folders(user_folder)
    groups = {group: choices for group, choices in groups_of(folders).items() if group.partition("/")[0] in GROUPS}
    key, is_value, _ = prefix.partition("=")
    if is_value:
        values = groups.get(key) or _words_of(key)
        return [f"{key}={value}" for value in sorted(values)]
    return [f"{name}=" for name in [*sorted(groups), *_leaves(content_of(config_file()), given, folders)]]


def of_command(name: str, prefix: str, given: Sequence[str], values: Values) -> list[str]:
    """Completions of one word of another command's line: the settings of conf/<name>.yaml and their values.

    Args:
        name: of the command.
        prefix: the word as far as it is typed.
        given: the words before it.
        values: what gives the values of some settings.
    """
    content = content_of(config_file(name))
    key, is_value, _ = prefix.partition("=")
    if is_value:
        words = values[key]() if key in values else ("true", "false") if isinstance(content.get(key), bool) else ()
        return [f"{key}={word}" for word in sorted(words)]
    return [f"{key}=" for key in dict.fromkeys([*_leaves(content, given, [config_folder()]), *values])]


def choices_of_group(group: str) -> list[str]:
    """The choices of one of our groups."""
    return sorted(groups_of([config_folder()])[group])


def _leaves(main: Mapping[str, Any], given: Sequence[str], folders: Sequence[Path]) -> list[str]:
    """The dotted leaves of a main file, and those of the choices made."""
    chosen = {group: choice for entry in main["defaults"] if isinstance(entry, dict) for group, choice in entry.items()}
    chosen |= dict(word.split("=", 1) for word in given if "=" in word)
    found = [path for path in flatten(main) if path != "defaults" and not path.startswith("hydra")]
    for group, choice in chosen.items():
        found += _leaves_of(group, choice, folders, chosen)
    return list(dict.fromkeys(found))


def _leaves_of(group: str, choice: str, folders: Sequence[Path], chosen: Mapping[str, str]) -> Iterator[str]:
    """The dotted leaves of one choice, and those of the groups inside it that nothing else was chosen for."""
    for file in (folder / group / f"{choice}.yaml" for folder in folders):
        content = content_of(file) if file.is_file() else {}
        for entry in content.pop("defaults", ()):
            for name, inner in entry.items() if isinstance(entry, dict) else ():
                if f"{group}/{name}" not in chosen and "/" not in name:
                    yield from _leaves_of(f"{group}/{name}", inner, folders, chosen)
        yield from (f"{group.replace('/', '.')}.{leaf}" for leaf in flatten(content) if leaf != "_target_")


def _words_of(path: str) -> list[str]:
    """The values of a typed setting that has only a few."""
    kind: Any = Settings
    for name in path.split("."):
        if not is_dataclass(kind) or name not in {item.name for item in fields(kind)}:
            return []
        kind = get_type_hints(kind)[name]
        if isinstance(kind, types.UnionType):
            kind = next(part for part in get_args(kind) if part is not types.NoneType)
    if kind is bool:
        return ["true", "false"]
    return [str(item.value) for item in kind] if isinstance(kind, type) and issubclass(kind, Enum) else []
