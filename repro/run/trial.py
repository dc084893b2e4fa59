"""One pass of blank images through a network with parts of somebody's own, before anything is trained."""

from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor, nn

from repro.config.configuration import Configuration
from repro.data import SegmentationDataset
from repro.data.declaration import class_and_file
from repro.errors import ConfigError, is_ours, told
from repro.nn import HeadPart, Segmenter
from repro.nn.contract import blank_images, check_features, check_logits


def try_network(configuration: Configuration, model: Segmenter, dataset: SegmentationDataset) -> None:
    """Refuses a network whose own parts give other outputs than they declare; parts of ours are tested here already.

    The images have the size of the training's crops, or else of the first one of the data set. Neither weights, nor
    running statistics, nor any random stream changes.

    Raises:
        ConfigError: names the part, its file, and what it gave or where it failed.
    """
    heads = {"head": model.head} | ({"auxiliary": model.auxiliary} if model.auxiliary is not None else {})
    if not any(_own(part) for part in (model.backbone, *heads.values())):
        return
    crop = configuration.settings.schedule.augmentation.crop_size
    height, width = (crop, crop) if crop else dataset[0][1].shape
    images = blank_images(height, width, model)
    with _left_as_it_is(model):
        features = _passed(
            "backbone", model.backbone, images, lambda made: check_features(model.backbone, made, images)
        )
        unread = getattr(model.backbone, "unread", ())
        for group, head in heads.items():
            _passed(group, head, _Outputs(features, unread), lambda made: check_logits(made, dataset.num_classes))


def _own(part: nn.Module) -> list[type]:
    """Classes of somebody's own in a backbone or a head: itself, and what its nested groups choose."""
    nested = [type(module) for module in part.modules() if isinstance(module, HeadPart)]
    return [cls for cls in dict.fromkeys([type(part), *nested]) if not is_ours(cls)]


class _NoOutput(KeyError):
    """A head has asked for an output that the backbone does not give."""

    __str__ = Exception.__str__  # without the quotes of a key


class _Outputs(dict[str, Tensor]):
    """What a backbone gives, which says of what it does not give why that is so."""

    def __init__(self, features: Mapping[str, Tensor], unread: Collection[str]) -> None:
        super().__init__(features)
        self.unread = unread

    def __missing__(self, name: object) -> Tensor:
        if name in self.unread:
            raise _NoOutput(
                f"{name!r}, which was not built, since the heads' sources end with {list(self)[-1]!r}; "
                "name it in the sources of the head"
            )
        raise _NoOutput(f"{name!r}, which is no output of the backbone; it gives {', '.join(self)}")


def _passed(group: str, part: nn.Module, given: Any, check: Callable[[Any], None]) -> Any:
    place = f"{group}: {' with '.join(map(class_and_file, _own(part) or [type(part)]))}"
    try:
        made = part(given)
    except Exception as error:
        if isinstance(error, _NoOutput):
            raise ConfigError(f"{place} reads {error}") from error
        size = f" on images of {given.shape[-1]}x{given.shape[-2]} pixels" if isinstance(given, Tensor) else ""
        raise ConfigError(f"{place} fails{size}: {told(error)}") from error
    try:
        check(made)
    except ValueError as error:
        raise ConfigError(f"{place}: {error}") from error
    return made


@contextmanager
def _left_as_it_is(model: nn.Module) -> Iterator[None]:
    """Evaluation mode without gradients, then the mode and the random streams as they were."""
    training = model.training
    devices = sorted({item.device.index or 0 for item in model.parameters() if item.device.type == "cuda"})
    model.eval()
    try:
        # Not in inference mode: what a part keeps of this pass, it must be able to learn from.
        with torch.random.fork_rng(devices=devices), torch.no_grad():
            yield
    finally:
        model.train(training)
