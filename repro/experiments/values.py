"""The value of a metric: out of the record of an evaluation, or worked out from the network alone."""

from functools import cache
from typing import Any

from repro.config.configuration import Configuration
from repro.experiments.closed_forms import COMPUTED
from repro.papers import Metric
from repro.store.runs_csv import Recorded


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
    """What decides the values of a network: equal if the network, the data set and the crop are."""
    return f"{configuration.key('backbone', 'head', 'auxiliary', 'dataset')} {_crop(configuration)}"


def _crop(configuration: Configuration) -> int | None:
    """Side of the training's crop; None while the schedule is not built."""
    crop = configuration.leaves.get("schedule.augmentation.crop_size")
    return crop if isinstance(crop, int) else None


class _Network:
    """A configuration as a key of a cache, by `network_key`."""

    def __init__(self, configuration: Configuration) -> None:
        self.configuration = configuration
        self.crop = _crop(configuration)
        self._key = network_key(configuration)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Network) and self._key == other._key

    def __hash__(self) -> int:
        return hash(self._key)


@cache
def _built(network: _Network) -> Any:
    """The network without numbers."""
    import torch  # as above

    from repro.build import build_model, dataset_class

    with torch.device("meta"):
        classes = len(dataset_class(network.configuration).class_names)
        return build_model(network.configuration, classes, pretrained=False)[0]


@cache
def _of_network(name: str, network: _Network) -> float:
    return COMPUTED[name](_built(network), network.crop)
