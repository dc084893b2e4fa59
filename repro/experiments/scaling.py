"""A scale applied to the overrides of one configuration: map, multiply, set."""

import json
from collections.abc import Mapping
from typing import Any

from repro.config.check import unknown_setting
from repro.config.composer import Composer
from repro.config.overrides import merged, split
from repro.config.tree import written
from repro.errors import ConfigError
from repro.papers import Factor, Scale

ANY = "*"


def scaled(overrides: tuple[str, ...], scale: Scale, composer: Composer) -> tuple[str, ...]:
    """The overrides at a scale.

    Groups and leaves are mapped first. Leaves of a data set that is mapped are dropped, since they describe the other
    one. Then leaves are multiplied, starting from their composed values, and set.
    """
    if scale.is_paper:
        return overrides
    overrides = _mapped_groups(overrides, scale, composer)
    leaves = composer.compose(overrides).leaves
    changed = {}
    for leaf, values in scale.map.items():
        if not composer.is_group(leaf) and leaf in leaves:
            value = _looked_up(values, leaves[leaf])
            if value is not None:
                changed[leaf] = value
    for leaf, factor in scale.multiply.items():
        value = changed.get(leaf, leaves.get(leaf))
        if value is not None:
            changed[leaf] = multiplied(value, factor, leaf)
    changed |= {leaf: value for leaf, value in scale.set.items() if leaf in leaves}
    return merged(overrides, (f"{leaf}={written(value)}" for leaf, value in changed.items()))


def check_scale(scale: Scale, composer: Composer) -> None:
    """Raises a `ConfigError` if the scale names a group or a setting that no configuration has."""
    for leaf in (*scale.map, *scale.multiply, *scale.set):
        if not composer.is_group(leaf) and leaf not in composer.known_leaves:
            right = unknown_setting(leaf, [*composer.known_leaves, *composer.groups])
            raise ConfigError(f"the scale {scale.name} names {leaf}, which no configuration has{right}")


def _mapped_groups(overrides: tuple[str, ...], scale: Scale, composer: Composer) -> tuple[str, ...]:
    given = dict(map(split, overrides))
    replaced = {}
    for group, values in scale.map.items():
        if composer.is_group(group) and group in given:
            choice = _looked_up(values, given[group])
            if choice is not None:
                replaced[group] = choice
    foreign = "dataset" in replaced and replaced["dataset"] != given["dataset"]
    kept = (item for item in overrides if not (foreign and split(item)[0].startswith("dataset.")))
    return merged(kept, (f"{group}={choice}" for group, choice in replaced.items()))


def _looked_up(values: Mapping[str, object], value: object) -> object:
    text = value if isinstance(value, str) else json.dumps(value)
    return values.get(text, values.get(ANY))


def multiplied(value: Any, factor: Factor, leaf: str = "the leaf") -> Any:
    """A number, or a length such as `30000 steps`, times a factor.

    Raises:
        ConfigError: the factor does not fit the value.
    """
    if isinstance(value, str) and value.partition(" ")[0].isdigit():
        number, _, unit = value.partition(" ")
        by = factor.by.get(unit) if isinstance(factor.by, Mapping) else factor.by
        if by is None:
            raise ConfigError(f"the scale multiplies {leaf} by {factor.by}, which has no factor for {value}")
        return f"{factor.apply(float(number), by)} {unit}"
    if isinstance(value, bool) or not isinstance(value, (int, float)) or isinstance(factor.by, Mapping):
        raise ConfigError(f"the scale multiplies {leaf} by {factor.by}, which does not fit its value {value!r}")
    return factor.apply(value, factor.by)
