"""Configuration -> data set and network: the only place where a `_target_` becomes an object."""

from collections.abc import Callable, Mapping
from dataclasses import fields
from typing import Any

import torch
from hydra.errors import HydraException
from hydra.utils import get_class, instantiate
from torch import nn

from repro.config.configuration import Configuration
from repro.config.settings import DatasetSettings
from repro.config.switches import check_switches
from repro.data import SegmentationDataset
from repro.errors import ConfigError, ReproError, first_line
from repro.nn import HeadPart, Segmenter, load_backbone_weights
from repro.seeding import stream

Node = Mapping[str, Any]

_ABOUT_SPLITS = frozenset(item.name for item in fields(DatasetSettings))
"""Leaves of a data set that its class does not take."""


def build_dataset(configuration: Configuration, split: str) -> SegmentationDataset:
    """Opens one split of the configured data set, which verifies itself; oversampling is the training's affair.

    Raises:
        ConfigError: if the target is no data set or does not take the settings.
        DataError: if the data are not there or not what they should be.
    """
    node = {key: value for key, value in configuration.tree["dataset"].items() if key not in _ABOUT_SPLITS}
    dataset = _build("dataset", node, SegmentationDataset, split=split)
    assert isinstance(dataset, SegmentationDataset)
    return dataset


def build_model(configuration: Configuration, num_classes: int, *, pretrained: bool = True) -> tuple[Segmenter, float]:
    """The segmenter of a configuration and the weight of its auxiliary loss (0 without one).

    Without `pretrained` the backbone's weights are not fetched, for a run whose own weights replace them at once.

    Backbone, head and auxiliary head are initialised from random streams of their own, so that runs of one seed share
    the initial weights of whatever parts they share.
    """
    tree, seed = configuration.tree, configuration.seed
    node = dict(tree["backbone"])
    weights = node.pop("weights", None)
    backbone = _initialised(seed, "backbone", lambda: _build("backbone", node, nn.Module))
    if weights and pretrained:
        load_backbone_weights(backbone, weights)
    channels = backbone.channels
    head = _initialised(
        seed, "head", lambda: _build("head", tree["head"], nn.Module, channels=channels, num_classes=num_classes)
    )
    _check_blocks_are_read(channels, head)
    extra = dict(tree.get("auxiliary") or {})
    weight = extra.pop("weight", 0.0)
    if not isinstance(weight, (int, float)) or weight < 0:
        raise ConfigError(f"auxiliary.weight is {weight!r}; it must be a number of at least 0")
    auxiliary = None
    if extra.get("_target_") and weight:
        auxiliary = _initialised(
            seed, "auxiliary", lambda: _build("auxiliary", extra, nn.Module, channels=channels, num_classes=num_classes)
        )
    try:
        upsample = configuration.leaves.get("schedule.upsample_logits", True)
        model = Segmenter(backbone, head, auxiliary, align_corners=tree["align_corners"], upsample_logits=upsample)
    except ValueError as error:
        raise ConfigError(f"backbone and head do not fit together: {error}") from error
    return model, float(weight) if auxiliary else 0.0


def _check_blocks_are_read(channels: Mapping[str, int], head: nn.Module) -> None:
    *_, last = channels
    if last.startswith("block") and last not in getattr(head, "sources", (last,)):
        raise ConfigError(
            f"backbone.blocks adds {last}, which the head does not read; choose head=cascade or head.source=deepest, "
            "or set backbone.blocks=4"
        )


def parameter_count(model: nn.Module) -> int:
    """Trainable parameters."""
    return sum(parameter.numel() for parameter in model.parameters() if parameter.requires_grad)


def _initialised(seed: int, name: str, make: Callable[[], Any]) -> Any:
    """Makes a module with torch's global generator set to a named stream, and puts the generator back."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(stream(seed, "initialisation", name))
        return make()


def dataset_class(configuration: Configuration) -> type[SegmentationDataset]:
    """The class of the configured data set, which knows names and number of the classes without any file.

    Raises:
        ConfigError: if the target is no data set.
    """
    found: type[SegmentationDataset] = _target_class("dataset", configuration.tree["dataset"], SegmentationDataset)
    return found


def _build(group: str, node: Node, kind: type, **given: Any) -> Any:
    check_switches(group, _target_class(group, node, kind), node)
    parts = {key: _part(f"{group}.{key}", value) for key, value in node.items() if _is_part(value)}
    leaves = {key: value for key, value in node.items() if key not in parts}
    try:
        return instantiate(leaves, **given, **parts, _convert_="all", _recursive_=False)
    except HydraException as error:
        cause = error.__cause__ or error
        if isinstance(cause, ReproError):
            raise cause from error
        if isinstance(cause, (TypeError, ValueError)):
            raise ConfigError(f"{group} ({node['_target_']}): {cause}") from error
        raise


def _is_part(value: Any) -> bool:
    return isinstance(value, Mapping) and "_target_" in value


def _part(group: str, node: Node) -> Callable[..., HeadPart] | None:
    """What makes the part that a nested group describes, once its owner knows the channels; None for an empty one."""
    if node["_target_"] is None:
        return None
    cls = _target_class(group, node, HeadPart)
    check_switches(group, cls, node)
    switches = {key: node[key] for key in node if key != "_target_"}

    def make(*channels: int | None) -> HeadPart:
        try:
            part: HeadPart = cls(*channels, **switches)
        except (TypeError, ValueError) as error:
            raise ConfigError(f"{group} ({node['_target_']}): {error}") from error
        return part

    return make


def _target_class(group: str, node: Node, kind: type) -> Any:
    target = node.get("_target_")
    if not target:
        raise ConfigError(f"{group} has no _target_; it needs the public path of a class, such as repro.nn.Vortex")
    try:
        cls = get_class(target)
    except (HydraException, ImportError, ValueError) as error:
        raise ConfigError(f"{group}._target_ is {target!r}, which cannot be imported: {first_line(error)}") from error
    if not (isinstance(cls, type) and issubclass(cls, kind)):
        raise ConfigError(f"{group}._target_ is {target!r}, which is no {kind.__name__}")
    return cls
