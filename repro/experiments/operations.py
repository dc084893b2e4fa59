"""How much a training computes: operations counted on the network without computing anything, times its images."""

import copy
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from math import prod
from typing import Any

import torch
from torch import Tensor, nn
from torch._subclasses.fake_tensor import FakeTensorMode
from torch.nn.attention import SDPBackend, sdpa_kernel
from torch.utils.flop_counter import FlopCounterMode

from repro.build import build_auxiliary, build_backbone, build_head, dataset_class, joined, outputs_kept
from repro.config.configuration import Configuration
from repro.config.settings import Length
from repro.data import steps_per_epoch
from repro.errors import ConfigError, ReproError, first_line

ASKED_FOR_NUMBERS = (RuntimeError, ValueError, TypeError, LookupError)
"""What a network raises whose shapes depend on numbers, on tensors that have none."""

UNKNOWN_IMAGE_SIDES = (375, 500)
"""Height and width of an image where the configuration does not say: the commonest of PASCAL VOC."""

UNKNOWN_CROP = 513
"""Side of a training image where the configuration does not say."""

BYTES_PER_NUMBER = 4
"""Weights and optimiser stay in fp32."""

TRAINING_PER_FORWARD = 3
"""A backward pass of convolutions and products computes twice what the forward pass does, their first input aside."""

Shapes = Any  # a shape, or name to shape
_PAIR = 2  # batch norm over a pooled 1x1 map needs more than one image
_IMAGES = ("dataset", "evaluation")
_OF_THE_SCHEDULE = ("schedule.length", "schedule.batch_size", "schedule.augmentation.crop_size")
"""What of a schedule decides how much is computed: rows that differ in a rate need not be counted anew."""


@dataclass(frozen=True)
class Work:
    """What a configuration computes and keeps.

    Attributes:
        training: operations of the training, forward and backward.
        evaluation: operations of its evaluation.
        parameters: numbers that are trained.
        numbers: numbers in the network's weights, running statistics included.
    """

    training: float
    evaluation: float
    parameters: int
    numbers: int

    @property
    def weights_bytes(self) -> int:
        """Size of the final weights."""
        return self.numbers * BYTES_PER_NUMBER

    @property
    def checkpoint_bytes(self) -> int:
        """Size of one checkpoint: weights and momentum."""
        return (self.numbers + self.parameters) * BYTES_PER_NUMBER


def steps_of(configuration: Configuration) -> int:
    """Optimiser steps of a training.

    Raises:
        ConfigError: a length in epochs, of a data set whose configuration does not tell its number of images, or some
            of whose images come more than once.
    """
    leaves = configuration.leaves
    length = Length.parse(leaves["schedule.length"], "schedule.length")
    if length.unit == "steps":
        return length.count
    if leaves.get("dataset.duplicate"):
        raise ConfigError("only the masks tell how many images of an epoch are oversampled; give the length in steps")
    images = images_of(configuration, leaves["dataset.train_split"])
    return length.steps(steps_per_epoch(images, leaves["schedule.batch_size"]))


def images_of(configuration: Configuration, split: str) -> int:
    """Images of a split as the configuration declares them, in `expected_images` or in `<split>_images`.

    Raises:
        ConfigError: it does not.
    """
    leaves = configuration.leaves
    images = leaves.get(f"dataset.expected_images.{split}") or leaves.get(f"dataset.{split}_images")
    if not isinstance(images, int):
        raise ConfigError(f"the configuration of {leaves['dataset._target_']} does not say how many images {split} has")
    return images


class Counter:
    """Counts the work of configurations; each distinct backbone and head is counted once per size and stride."""

    def __init__(self) -> None:
        self._work: dict[str, Work | str] = {}
        self._parts: dict[str, Any] = {}
        self._counts: dict[str, tuple[float, Shapes]] = {}

    def work(self, configuration: Configuration) -> Work:
        """The work of one training with one evaluation.

        Raises:
            ConfigError: it cannot be told: the number of images is not known, or the network does not build.
        """
        schedule = list(map(configuration.leaves.get, _OF_THE_SCHEDULE))
        key = f"{configuration.key('backbone', 'head', 'auxiliary', *_IMAGES)} {schedule}"
        if key not in self._work:
            try:
                self._work[key] = self._counted(configuration)
            except (ReproError, *ASKED_FOR_NUMBERS) as error:
                self._work[key] = first_line(error)
        work = self._work[key]
        if isinstance(work, str):
            raise ConfigError(work)
        return work

    def _counted(self, configuration: Configuration) -> Work:
        network, leaves = self._network(configuration), configuration.leaves
        own_stride, batch_size = network.output_stride, leaves["schedule.batch_size"]
        side = leaves["schedule.augmentation.crop_size"] or leaves.get("dataset.size") or UNKNOWN_CROP
        trained = TRAINING_PER_FORWARD * self._forward(configuration, network, side, own_stride, auxiliary=True)
        stride = leaves["evaluation.output_stride"] or own_stride
        evaluated = self._forward(configuration, network, side, stride)
        return Work(
            training=steps_of(configuration) * batch_size * trained,
            evaluation=evaluated_pixels(configuration) * evaluated / side**2,
            parameters=sum(item.numel() for item in network.parameters() if item.requires_grad),
            numbers=sum(tensor.numel() for tensor in network.state_dict().values()),
        )

    def _network(self, configuration: Configuration) -> Any:
        """The network without numbers; each of its parts is made once, and shared."""
        classes = len(dataset_class(configuration).class_names)
        with torch.device("meta"):
            backbone = self._part(configuration.key("backbone"), lambda: build_backbone(configuration))
            around = (configuration, backbone.channels, classes)
            head = self._part(f"{configuration.key('head')} {around[1:]}", lambda: build_head(*around))
            auxiliary = self._part(
                f"{configuration.key('auxiliary')} {around[1:]}", lambda: build_auxiliary(*around)[0]
            )
            kept = outputs_kept(backbone.channels, head, auxiliary)
            if len(kept) < len(backbone.channels) and hasattr(backbone, "keep"):
                whole = backbone
                backbone = self._part(f"{configuration.key('backbone')} {kept}", lambda: _kept(whole, kept))
        return joined(configuration, backbone, head, auxiliary)

    def _part(self, key: str, make: Callable[[], Any]) -> Any:
        if key not in self._parts:
            part = self._parts[key] = make()
            for module in part.modules() if part is not None else ():
                if isinstance(module, nn.modules.batchnorm._BatchNorm):
                    # It counts for nothing, and takes most of the time.
                    module.forward = _unchanged  # type: ignore[method-assign,assignment]
        return self._parts[key]

    def _forward(
        self, configuration: Configuration, network: Any, side: int, stride: int, *, auxiliary: bool = False
    ) -> float:
        """Operations of the forward pass of one image of a side at an output stride."""
        own = network.output_stride
        network.set_output_stride(stride)
        try:
            image = (_PAIR, 3, side, side)
            total, shapes = self._count(network.backbone, configuration.key("backbone"), image, stride)
            total += self._count(network.head, configuration.key("head"), shapes, stride)[0]
            if auxiliary and network.auxiliary is not None:
                total += self._count(network.auxiliary, configuration.key("auxiliary"), shapes, stride)[0]
        finally:
            network.set_output_stride(own)
        return total / _PAIR

    def _count(self, module: nn.Module, key: str, given: Shapes, stride: int) -> tuple[float, Shapes]:
        size = sum(parameter.numel() for parameter in module.parameters())  # tells numbers of classes apart
        key = f"{key} {given} {stride} {size}"
        if key not in self._counts:
            self._counts[key] = _count(module, given)
        return self._counts[key]


def evaluated_pixels(configuration: Configuration) -> float:
    """Pixels that an evaluation sends through the network: images, padding, scales and mirrored views."""
    leaves = configuration.leaves
    images = images_of(configuration, leaves["evaluation.split"] or leaves["dataset.evaluation_split"])
    own = leaves["dataset.size"] ** 2 if leaves.get("dataset.size") else prod(UNKNOWN_IMAGE_SIDES)
    pixels = max(own, (leaves["evaluation.pad_to"] or 0) ** 2)
    views = sum(scale**2 for scale in leaves["evaluation.scales"]) * (2 if leaves["evaluation.flip"] else 1)
    return float(images * pixels * views)


def _kept(backbone: Any, outputs: Sequence[str]) -> Any:
    """A copy without what lies behind some outputs."""
    alone = copy.deepcopy(backbone)
    alone.keep(outputs)
    return alone


def _unchanged(features: Tensor) -> Tensor:
    return features


def _count(module: nn.Module, given: Shapes) -> tuple[float, Shapes]:
    """Operations of one forward pass, and the shapes that come out."""
    try:
        return _count_on(module, given, "meta")
    except RuntimeError:  # such as switching autocast off, which the meta device does not know
        alone = copy.deepcopy(module)  # the mode turns its weights into others, and the module is counted again
        with fake_mode():
            return _count_on(alone.to_empty(device="cpu"), given, "cpu")


@cache
def fake_mode() -> FakeTensorMode:
    """What makes tensors without numbers: one for all, since those of two modes do not mix."""
    return FakeTensorMode(allow_non_fake_inputs=True)


def _count_on(module: nn.Module, given: Shapes, device: str) -> tuple[float, Shapes]:
    module.eval()
    # Attention counts for nothing in the form that the CPU prefers.
    with torch.no_grad(), sdpa_kernel(SDPBackend.MATH), FlopCounterMode(display=False) as counter:
        if isinstance(given, dict):
            result = module({name: torch.empty(shape, device=device) for name, shape in given.items()})
        else:
            result = module(torch.empty(given, device=device))
    shapes = {name: tuple(item.shape) for name, item in result.items()} if isinstance(result, dict) else result.shape
    return float(counter.get_total_flops()), shapes
