"""Overrides, in Hydra's grammar: `key=value` and `group=choice`, read, written and merged."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from typing import Any

from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.core.override_parser.types import Quote, QuotedString
from hydra.errors import HydraException

from repro.errors import ConfigError, first_line

_ITEM = re.compile(r"[^,\[\]]+")
_NUMBER = re.compile(
    r"(?P<key>[a-z_]\w*(?:\.[a-z_]\w*)*)=(?P<number>(?:0|[1-9]\d*)(?P<rest>\.\d+)?)", re.ASCII | re.IGNORECASE
)
"""A plain number, which Hydra's grammar reads as Python does, in a hundred times the time."""

_OVERRIDE = re.compile(r"^(?P<sign>\+\+|\+|~)?(?P<key>[^=]+?)(?:=(?P<text>.*))?$", re.DOTALL)


@dataclass(frozen=True)
class Override:
    """One override: `+`, `++`, `~` or no sign, its key, and its value as it was written and as it is read.

    Several values of a grid, and a setting taken away, are read as None.
    """

    sign: str
    key: str
    text: str
    value: Any
    is_grid: bool

    @property
    def group(self) -> str:
        """The key as a name of a group, without the package that it is put into."""
        return self.key.partition("@")[0]

    @property
    def is_function(self) -> bool:
        """Whether the value is a function of the grammar, such as glob(*), which stands for several choices."""
        return "(" in self.text

    @property
    def is_about_hydra(self) -> bool:
        """Whether it says how to run, not what."""
        return self.key.startswith("hydra")


@cache
def read(override: str) -> Override:
    """Reads an override.

    Raises:
        ConfigError: it is none, or its value cannot be read.
    """
    if plain := _NUMBER.fullmatch(override):
        number = float(plain["number"]) if plain["rest"] else int(plain["number"])
        return Override("", plain["key"], plain["number"], number, is_grid=False)
    match = _OVERRIDE.match(override)
    if match is None or (match["text"] is None and match["sign"] != "~"):
        raise ConfigError(f"{override!r} is no setting; write it as key=value, or as group=choice")
    try:
        parsed = _parser().parse_override(with_letters(override))
        is_grid = parsed.is_sweep_override()
        value = None if is_grid or parsed.is_delete() else parsed.value()
    except HydraException as error:
        raise ConfigError(
            f"the value of {override!r} cannot be read: {first_line(error)}; quote text as key='\"a b\"'"
        ) from error
    return Override(match["sign"] or "", match["key"], match["text"] or "", value, is_grid)


@cache
def split(override: str) -> tuple[str, Any]:
    """Key and value of an override, the value as Hydra's grammar reads it.

    Raises:
        ConfigError: it cannot be read, or adds or removes a setting instead of setting it.
    """
    given = read(override)
    if given.sign:
        raise ConfigError(f"{override!r} adds or removes a setting; write it as key=value")
    return given.key, given.value


@cache
def _parser() -> OverridesParser:
    return OverridesParser.create()


def merged(*groups: Iterable[str]) -> tuple[str, ...]:
    """One override per key, the last one given, in the order of first mention."""
    found: dict[str, str] = {}
    for overrides in groups:
        for override in overrides:
            found[split(override)[0]] = override
    return tuple(found.values())


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


def with_letters(override: str) -> str:
    """An override quoted where a text or an item of a list has letters that Hydra's grammar lacks, as folders may have.

    One that has quotes, backslashes, braces or functions is left as it is.
    """
    key, equals, value = override.partition("=")
    if value.isascii() or any(mark in value for mark in "'\"\\{}()"):
        return override
    return key + equals + _ITEM.sub(lambda item: item[0] if item[0].isascii() else _quoted(item[0].strip()), value)


def _quoted(text: str) -> str:
    return QuotedString(text, Quote.single).with_quotes()
