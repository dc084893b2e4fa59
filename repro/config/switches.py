"""Checks the values of a configuration node against the annotations of the class that takes them."""

import inspect
import json
import types
from collections.abc import Mapping, Sequence
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints

from repro.errors import ConfigError

_WORDS: dict[Any, tuple[str, str]] = {
    bool: ("true or false", "booleans"),
    int: ("a whole number", "whole numbers"),
    float: ("a number", "numbers"),
    str: ("a text", "texts"),
    type(None): ("null", "nulls"),
}
"""Type to what one value and what several of them are called."""


def check_switches(group: str, cls: type, node: Mapping[str, Any]) -> None:
    """Refuses a value that the constructor's annotation rules out; what is not annotated plainly passes.

    A class of the package finds every switch in its node: what a constructor's default decides would be no part of the
    science, and a configuration frozen before the switch came would become another network.

    Args:
        group: path of the node, which the sentence names.
        cls: class whose constructor takes the node's leaves.
        node: the leaves.

    Raises:
        ConfigError: naming the leaf, its value and what it must be; or a switch that the node does not set.
    """
    parameters = inspect.signature(cls).parameters
    if cls.__module__.partition(".")[0] == __name__.partition(".")[0]:
        for name, parameter in parameters.items():
            if parameter.default is not parameter.empty and name not in node:
                raise ConfigError(
                    f"{group} ({node['_target_']}) does not set {name}; a configuration says it, such as "
                    f"{group}.{name}={json.dumps(parameter.default)}, and one from before {name} came is composed anew"
                )
    try:
        hints = get_type_hints(cls.__init__)  # type: ignore[misc]
    except NameError:  # a user's annotation that only a type checker can resolve
        return
    for name, hint in hints.items():
        if name in node and name in parameters and not _fits(node[name], hint):
            default = parameters[name].default
            example = f", such as {json.dumps(default)}" if isinstance(default, (list, tuple)) else ""
            value = json.dumps(node[name], default=str)
            raise ConfigError(f"{group}.{name} is {value}; it must be {_words(hint)}{example}")


def _fits(value: Any, hint: Any) -> bool:
    origin, parts = get_origin(hint), get_args(hint)
    if origin in (Union, types.UnionType):
        return any(_fits(value, part) for part in parts)
    if origin is Literal:
        return value in parts
    if _is_list(origin):
        return isinstance(value, (list, tuple)) and all(_fits(item, parts[0]) for item in value)
    if hint not in _WORDS:
        return True
    if isinstance(value, bool):
        return hint is bool
    return isinstance(value, (int, float) if hint is float else hint)


def _words(hint: Any) -> str:
    origin, parts = get_origin(hint), get_args(hint)
    if origin in (Union, types.UnionType):
        return " or ".join(map(_words, parts))
    if origin is Literal:
        return f"one of {', '.join(map(str, parts))}"
    if _is_list(origin):
        return f"a list of {_WORDS[parts[0]][1]}" if parts[0] in _WORDS else "a list"
    return _WORDS[hint][0]


def _is_list(origin: Any) -> bool:
    return origin in (Sequence, list, tuple)
