"""Configuration -> data set and network: the only place where a `_target_` becomes an object."""

import logging
from collections.abc import Callable, Mapping
from copy import deepcopy
from dataclasses import fields
from typing import Any

import torch
from hydra.errors import HydraException
from hydra.utils import get_class, instantiate
from torch import nn

from repro.config.configuration import Configuration
from repro.config.settings import DatasetSettings, FirstDraw
from repro.config.switches import check_switches
from repro.data import SegmentationDataset
from repro.data.declaration import check_declaration, class_and_file
from repro.errors import ConfigError, DataError, ReproError, is_ours, told
from repro.nn import HeadPart, Segmenter, draw_convolutions, load_backbone_weights
from repro.nn.contract import check_backbone, check_head, check_part
from repro.seeding import stream

logging.getLogger("hydra.utils").setLevel(logging.CRITICAL)  # it logs in three lines what an error says in one

Node = Mapping[str, Any]

_NO_ARGUMENTS = frozenset({"weights", "weights_of_other_strides", "weight", "first_draw"})
"""Leaves of a network's groups that their classes do not take."""

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
    check_declaration(dataset)
    return dataset


def build_model(configuration: Configuration, num_classes: int, *, pretrained: bool = True) -> tuple[Segmenter, float]:
    """The segmenter of a configuration and the weight of its auxiliary loss (0 without one).

    Without `pretrained` the backbone's weights are not fetched, for a run whose own weights replace them at once.

    Of the backbone, what lies behind the last output that a head reads is dropped, if it has a method `keep` for that.
    Backbone, head and auxiliary head are initialised from random streams of their own, so that runs of one seed share
    the initial weights of whatever parts they share.
    """
    backbone = build_backbone(configuration)
    if pretrained and (weights := configuration.tree["backbone"].get("weights")):
        other_strides = bool(configuration.leaves.get("backbone.weights_of_other_strides"))
        load_backbone_weights(backbone, weights, of_other_strides=other_strides)
    head = build_head(configuration, backbone.channels, num_classes)
    auxiliary, weight = build_auxiliary(configuration, backbone.channels, num_classes)
    if hasattr(backbone, "keep"):
        backbone.keep(outputs_kept(backbone.channels, head, auxiliary))
    return joined(configuration, backbone, head, auxiliary), weight


def build_backbone(configuration: Configuration) -> Any:
    """The backbone with its first weights, a module with `channels` and `output_stride`."""
    backbone = _initialised(configuration, "backbone")
    _checked("backbone", configuration.tree["backbone"], check_backbone, backbone)
    return backbone


def build_head(configuration: Configuration, channels: Mapping[str, int], num_classes: int) -> Any:
    """The head on a backbone's channels.

    Raises:
        ConfigError: it does not fit, or leaves the backbone's last block unread.
    """
    head = _initialised(configuration, "head", channels=channels, num_classes=num_classes)
    _checked("head", configuration.tree["head"], check_head, head, channels)
    _check_blocks_are_read(channels, head)
    return head


def build_auxiliary(configuration: Configuration, channels: Mapping[str, int], num_classes: int) -> tuple[Any, float]:
    """The auxiliary head and the weight of its loss; None and 0 without one."""
    node = configuration.tree.get("auxiliary") or {}
    weight = node.get("weight", 0.0)
    if isinstance(weight, bool) or not isinstance(weight, (int, float)) or weight < 0:
        raise ConfigError(f"auxiliary.weight is {weight!r}; it must be a number of at least 0")
    if not (node.get("_target_") and weight):
        return None, 0.0
    made = _initialised(configuration, "auxiliary", channels=channels, num_classes=num_classes)
    _checked("auxiliary", node, check_head, made, channels)
    return made, float(weight)


def outputs_kept(channels: Mapping[str, int], head: nn.Module, auxiliary: nn.Module | None) -> tuple[str, ...]:
    """A backbone's outputs up to the last one that a head reads; all of them where a head does not tell."""
    names = tuple(channels)
    heads = [part for part in (head, auxiliary) if part is not None]
    read = {name for part in heads for name in getattr(part, "sources", names)}
    return names[: 1 + max(map(names.index, read))]


def joined(
    configuration: Configuration, backbone: nn.Module, head: nn.Module, auxiliary: nn.Module | None
) -> Segmenter:
    """The segmenter of its parts.

    Raises:
        ConfigError: the head cannot run at the backbone's output stride.
    """
    align_corners = configuration.tree["align_corners"]
    upsample = configuration.leaves.get("schedule.upsample_logits", True)
    try:
        return Segmenter(backbone, head, auxiliary, align_corners=align_corners, upsample_logits=upsample)
    except ValueError as error:
        raise ConfigError(f"backbone and head do not fit together: {error}") from error


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


def _initialised(configuration: Configuration, group: str, **given: Any) -> Any:
    """Makes a part with torch's global generator set to named streams, and puts the generator back."""
    tree = configuration.tree[group]
    first_draw = FirstDraw.parse(tree.get("first_draw", "torch"), f"{group}.first_draw")
    node = {key: value for key, value in tree.items() if key not in _NO_ARGUMENTS}
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(stream(configuration.seed, "initialisation", group))
        part = _build(group, node, nn.Module, **given)
        # From a stream of its own, so that a part draws what its beginning alone would have drawn.
        torch.manual_seed(stream(configuration.seed, "first draw", group))
        draw_convolutions(part, first_draw.rule, first_draw.std)
    return part


def dataset_class(configuration: Configuration) -> type[SegmentationDataset]:
    """The class of the configured data set, which knows names and number of the classes without any file.

    Raises:
        ConfigError: if the target is no data set.
    """
    found: type[SegmentationDataset] = _target_class("dataset", configuration.tree["dataset"], SegmentationDataset)
    if not hasattr(found, "class_names"):
        raise ConfigError(f"dataset: {class_and_file(found)}: the class sets no class_names")
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
        if refusal := _refusal(group, _target_class(group, node, kind), node, cause):
            raise refusal from error
        raise


def _refusal(group: str, cls: type, node: Node, cause: BaseException) -> ReproError | None:
    """What a constructor's failure says to the user; None where it is a mistake of ours."""
    if isinstance(cause, (TypeError, ValueError)):
        return ConfigError(f"{_place(group, cls, node)}: {cause}")
    if not is_ours(cls):
        return ConfigError(f"{_place(group, cls, node)}: {told(cause)}")
    if isinstance(cause, OSError):  # the system's own, of a file or folder that it does not let us look at
        return DataError(f"{_place(group, cls, node)}: {cause.filename} cannot be read: {cause.strerror}")
    return None


def _checked(group: str, node: Node, check: Callable[..., None], part: Any, *context: Any) -> None:
    try:
        check(part, *context)
    except ValueError as error:
        raise ConfigError(f"{_place(group, type(part), node)}: {error}") from error


def _place(group: str, cls: type, node: Node) -> str:
    """A part of a configuration in a sentence, with the file where it is somebody's own."""
    return f"{group} ({node['_target_']})" if is_ours(cls) else f"{group}: {class_and_file(cls)}"


def _is_part(value: Any) -> bool:
    return isinstance(value, Mapping) and "_target_" in value


def _part(group: str, node: Node) -> Callable[..., HeadPart] | None:
    """What makes the part that a nested group describes, once its owner knows the channels; None for an empty one."""
    if node["_target_"] is None:
        return None
    cls = _target_class(group, node, HeadPart)
    check_switches(group, cls, node)
    switches = {key: deepcopy(node[key]) for key in node if key != "_target_"}  # the tree stays what it is

    def make(*channels: int | None) -> HeadPart:
        try:
            part: HeadPart = cls(*channels, **switches)
        except ReproError:
            raise
        except Exception as error:
            if refusal := _refusal(group, cls, node, error):
                raise refusal from error
            raise
        _checked(group, node, check_part, part)
        return part

    return make


def _target_class(group: str, node: Node, kind: type) -> Any:
    target = node.get("_target_")
    if not target:
        raise ConfigError(f"{group} has no _target_; it needs the public path of a class, such as repro.nn.Vortex")
    try:
        cls = get_class(target)
    except (HydraException, ImportError, ValueError) as error:
        raise ConfigError(
            f"{group}._target_ is {target!r}, which cannot be imported: {told(error.__cause__ or error)}"
        ) from error
    if not (isinstance(cls, type) and issubclass(cls, kind)):
        raise ConfigError(f"{group}._target_ is {target!r}, which is no {kind.__name__}")
    return cls
