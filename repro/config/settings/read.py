"""A resolved tree -> the typed settings of a run."""

import json
from collections.abc import Mapping
from dataclasses import fields
from types import MappingProxyType

from omegaconf import OmegaConf
from omegaconf.errors import MissingMandatoryValue, OmegaConfBaseException

from repro.config.settings.run import DatasetSettings, Settings
from repro.config.tree import Leaves, Tree, flatten
from repro.errors import ConfigError, first_line

_KINDS: dict[type, tuple[tuple[type, ...], str]] = {
    bool: ((bool,), "true or false"),
    int: ((int,), "a whole number, without quotes"),
    float: ((float, int), "a number, without quotes"),
}
"""Kind that a value is read as: what it may be written as, and what that is called."""


def read_settings(tree: Tree, choices: Mapping[str, str] = MappingProxyType({})) -> Settings:
    """The typed settings of a resolved tree; the choices of the groups are for sentences.

    Raises:
        ConfigError: a value of a wrong type or out of its range; or one that is missing.
    """
    known = {item.name: tree[item.name] for item in fields(Settings) if item.name in tree}
    if "dataset" in known:  # its other leaves are arguments of its class
        ours = {item.name for item in fields(DatasetSettings)}
        known["dataset"] = {key: value for key, value in known["dataset"].items() if key in ours}
    if "init" in known:
        known["init"] = {"source" if key == "from" else key: value for key, value in known["init"].items()}
    try:
        merged = OmegaConf.merge(OmegaConf.structured(Settings), known)
        as_read = OmegaConf.to_container(merged)
        assert isinstance(as_read, dict)
        _check_kinds(flatten(known), flatten({str(key): value for key, value in as_read.items()}))
        result = OmegaConf.to_object(merged)
    except OmegaConfBaseException as error:
        leaf = getattr(error, "full_key", None) or "the configuration"
        group, _, key = leaf.rpartition(".")
        if isinstance(error, MissingMandatoryValue):
            where = f"; add {key} to {group}/{choices[group]}.yaml" if group in choices else ", and every run has it"
            raise ConfigError(f"{leaf} is missing{where}") from error
        raise ConfigError(f"{leaf.replace('init.source', 'init.from')}: {first_line(error)}") from error
    assert isinstance(result, Settings)
    return result


def _check_kinds(given: Leaves, read: Leaves) -> None:
    """Refuses what was read as another kind than it is written, since a run is told by what is written."""
    for leaf, value in read.items():
        written = given.get(leaf, value)
        for one, meant in zip(written, value, strict=True) if isinstance(value, list) else [(written, value)]:
            kinds, words = _KINDS.get(type(meant), ((object,), ""))
            if not isinstance(one, kinds) or (isinstance(one, bool) and bool not in kinds and words):
                raise ConfigError(f"{leaf} is {json.dumps(written)}; it must be {words}")
