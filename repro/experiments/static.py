"""What the network alone decides, without training: parameters and utilisation."""

from functools import cache
from typing import Any

import torch

from repro.build import build_model, dataset_class, parameter_count
from repro.errors import ConfigError
from repro.experiments.measurement import Measurement

UTILISATION_SIDE = 65
"""Side of the feature map that the ratio is taken over: a crop of 513 pixels at output stride 8."""


def static_value(measurement: Measurement) -> float:
    """The measured value of a static cell, in the unit of the papers: millions of parameters, or a ratio."""
    assert measurement.config is not None
    metric = measurement.metric.of or measurement.metric
    if metric.name == "parameters":
        return _parameters(_Frozen(measurement.config)) / 1e6
    return _utilisation(_Frozen(measurement.config))


class _Frozen:
    """A configuration as a key of a cache: equal if the network and the data set are."""

    def __init__(self, config: dict[str, Any]) -> None:
        self.config = config
        self._key = repr([config[group] for group in ("backbone", "head", "auxiliary", "dataset")])

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Frozen) and self._key == other._key

    def __hash__(self) -> int:
        return hash(self._key)


@cache
def _parameters(frozen: _Frozen) -> int:
    return parameter_count(_network(frozen.config))


@cache
def _utilisation(frozen: _Frozen) -> float:
    head = _network(frozen.config).head
    utilisation = getattr(head, "utilisation", None)
    if utilisation is None:
        raise ConfigError(f"the head {type(head).__name__} has no utilisation ratio; parallel branches have")
    return float(utilisation(UTILISATION_SIDE))


def _network(config: dict[str, Any]) -> Any:
    with torch.device("meta"):
        return build_model(config, len(dataset_class(config).class_names), pretrained=False)[0]
