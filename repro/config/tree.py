"""Nested configurations as plain dictionaries: flattened, cut, and brought into one form."""

import json
import math
from collections.abc import Collection, Mapping
from typing import Any

from repro.errors import ConfigError

Tree = Mapping[str, Any]
"""A resolved configuration, or a part of one: groups inside groups of plain values."""

Leaves = Mapping[str, Any]
"""Dotted path -> value, a list being one value."""


def flatten(tree: Tree, prefix: str = "") -> dict[str, Any]:
    """Dotted path -> leaf; a list counts as one leaf."""
    flat: dict[str, Any] = {}
    for key, value in tree.items():
        path = f"{prefix}{key}"
        flat.update(flatten(value, f"{path}.") if isinstance(value, Mapping) else {path: value})
    return flat


def without(tree: Tree, paths: Collection[str], prefix: str = "") -> dict[str, Any]:
    """A tree without some dotted paths, and without the groups that are empty then."""
    kept: dict[str, Any] = {}
    for key, value in tree.items():
        path = f"{prefix}{key}"
        if isinstance(value, Mapping):
            value = without(value, paths, f"{path}.")
        if path not in paths and value != {}:
            kept[key] = value
    return kept


def with_leaf(tree: Tree, path: str, value: Any) -> dict[str, Any]:
    """A tree with another value at a dotted path; what is not on the way there is shared with the first.

    Raises:
        KeyError: there is no such leaf.
        ConfigError: the value would replace a group of settings.
    """
    key, _, rest = path.partition(".")
    if key not in tree:
        raise KeyError(path)
    if rest:
        if not isinstance(tree[key], Mapping):
            raise KeyError(path)
        value = with_leaf(tree[key], rest, value)
    elif isinstance(tree[key], Mapping) and not isinstance(value, Mapping) and value is not None:
        raise ConfigError(f"{path}={value} would replace a whole group of settings by one value")
    return {**tree, key: value}


def canonical(value: Any, where: str = "") -> Any:
    """One form for equal values: 1 = 1.0 = 1e0, but not True; no NaN; null leaves of our own vanish.

    Raises:
        ConfigError: a number that is not finite, or something else than plain values.
    """
    if isinstance(value, Mapping):
        items = {str(key): canonical(value[key], f"{where}.{key}".lstrip(".")) for key in value}
        if items.get("_target_"):  # to the class, null may mean something else than silence
            return items
        return {key: item for key, item in items.items() if item is not None and item != {}}
    if isinstance(value, (list, tuple)):
        return [canonical(item, f"{where}[{index}]") for index, item in enumerate(value)]
    if isinstance(value, float):
        if not math.isfinite(value):
            raise ConfigError(f"{where} is {value}; a configuration holds finite numbers only")
        return int(value) if value.is_integer() else value
    if value is None or isinstance(value, (bool, int, str)):
        return value
    raise ConfigError(f"{where} is of type {type(value).__name__}; a configuration holds plain values only")


def written(value: Any) -> str:
    """A value as the grammar of overrides writes it."""
    return value if isinstance(value, str) else json.dumps(value)
