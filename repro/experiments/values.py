"""The value of a metric: out of the record of an evaluation, or worked out from the network alone."""

from collections.abc import Callable
from functools import cache
from typing import Any

from repro.config.configuration import Configuration
from repro.errors import ConfigError
from repro.papers import Metric
from repro.store.runs_csv import Recorded

UTILISATION_SIDE = 65
"""Side of the feature map that the ratio is taken over: a crop of 513 pixels at output stride 8."""


def recorded_value(evaluation: Recorded, metric: Metric) -> float | None:
    """The value of a metric in an evaluation, in its unit; None where it is not defined.

    Raises:
        ValueError: no evaluation holds the metric.
    """
    field = metric.kind.field
    found = getattr(evaluation.scores, field) if hasattr(evaluation.scores, field) else getattr(evaluation, field, None)
    if not field or (isinstance(found, dict) and metric.class_name is None):
        raise ValueError(f"no evaluation holds {metric}")
    return found.get(metric.class_name) if isinstance(found, dict) else found


def network_value(configuration: Configuration, metric: Metric) -> float:
    """The value of a metric that the network alone decides, in its unit.

    Raises:
        ConfigError: the network has no such value.
    """
    return _of_network(metric.name, _Network(configuration))


def has_class(configuration: Configuration, name: str) -> bool:
    """Whether the data set of a configuration has a class."""
    from repro.build import dataset_class  # torch, which a report without such cells does without

    return name in dataset_class(configuration).class_names


def network_key(configuration: Configuration) -> str:
    """What decides the values of a network: equal if the network and the data set are."""
    return configuration.key("backbone", "head", "auxiliary", "dataset")


class _Network:
    """A configuration as a key of a cache: equal if the network and the data set are."""

    def __init__(self, configuration: Configuration) -> None:
        self.configuration = configuration
        self._key = network_key(configuration)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Network) and self._key == other._key

    def __hash__(self) -> int:
        return hash(self._key)

    def built(self) -> Any:
        """The network without numbers."""
        import torch  # as above

        from repro.build import build_model, dataset_class

        with torch.device("meta"):
            classes = len(dataset_class(self.configuration).class_names)
            return build_model(self.configuration, classes, pretrained=False)[0]


@cache
def _of_network(name: str, network: _Network) -> float:
    return COMPUTED[name](network.built())


def _millions_of_parameters(network: Any) -> float:
    from repro.build import parameter_count

    return parameter_count(network) / 1e6


def _utilisation(network: Any) -> float:
    utilisation = getattr(network.head, "utilisation", None)
    if utilisation is None:
        raise ConfigError(f"the head {type(network.head).__name__} has no utilisation ratio; parallel branches have")
    return float(utilisation(UTILISATION_SIDE))


COMPUTED: dict[str, Callable[[Any], float]] = {"parameters": _millions_of_parameters, "utilisation": _utilisation}
"""Name of each metric of the network to what works it out, in the metric's unit."""
