"""The groups of a configuration, as folders of YAML files: their choices, and which choice takes a group inside it."""

from collections.abc import Iterable, Sequence
from pathlib import Path

import yaml

from repro.errors import ConfigError


def groups_of(folders: Iterable[Path]) -> dict[str, set[str]]:
    """Every config group of some folders with its choices."""
    groups: dict[str, set[str]] = {}
    for folder in folders:
        if not folder.is_dir():
            raise ConfigError(f"there is no folder {folder} for --config-dir")
        for file in folder.rglob("*.yaml"):
            if file.parent != folder:
                groups.setdefault(file.parent.relative_to(folder).as_posix(), set()).add(file.stem)
    return groups


def outer_group(group: str) -> str:
    """The group around another one: head of head/ga; empty for a group of its own."""
    return group.rpartition("/")[0]


def takers_of(group: str, folders: Iterable[Path]) -> list[str]:
    """The choices of the outer group that take an inner one: for head/ga those of head, such as gald."""
    outer, _, name = group.rpartition("/")
    files = [file for folder in folders for file in sorted((folder / outer).glob("*.yaml"))]
    return [file.stem for file in files if name in _inner_groups(file)]


def _inner_groups(file: Path) -> set[str]:
    entries = (yaml.safe_load(file.read_text()) or {}).get("defaults") or ()
    return {name for entry in entries if isinstance(entry, dict) for name in entry}


def not_taken(group: str, choice: str, takers: Sequence[str]) -> str:
    """A sentence about an inner group where the choice of the outer one does not take it."""
    outer = outer_group(group)
    return f"{outer}={choice} takes no {group}; choose {' or '.join(f'{outer}={taker}' for taker in takers)} with it"


def written_out(overrides: Iterable[str]) -> list[str]:
    """Overrides with `init=<origin>` as Hydra takes it: a choice for `torchvision:<name>`, else the leaf `init.from`.

    Several origins may follow each other, with commas between them.
    """
    return [_init(override) if override.startswith("init=") and ":" in override else override for override in overrides]


def _init(override: str) -> str:
    origins = [origin.strip("'\"") for origin in override.removeprefix("init=").split(",")]
    if all(origin.startswith("torchvision:") for origin in origins):
        return "init=" + ",".join(origin.removeprefix("torchvision:") for origin in origins)
    return "init.from=" + ",".join(_quoted(origin) for origin in origins)


def _quoted(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace("'", "\\'")
    return f"'{escaped}'"
