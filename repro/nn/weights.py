"""Weights from elsewhere: ImageNet weights, a local file, and torchvision's segmentation networks."""

from __future__ import annotations

import pickle
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.error import URLError

import torch
from torch import Tensor

from repro.errors import ConfigError, DataError
from repro.nn.resnet import ResNet

# The keys under which training scripts commonly wrap a state dict.
_WRAPPERS = ("state_dict", "model", "model_state")


def load_backbone_weights(backbone: ResNet, weights: str) -> None:
    """Loads ImageNet weights into a backbone; the classifier's `fc.*` are left out.

    Args:
        backbone: The network to fill.
        weights: A name of torchvision's weight enum for this depth, such as `IMAGENET1K_V1`, or the path of a
            local `.pth` or `.pt` file with a state dict in torchvision's names.

    Raises:
        ConfigError: The name is unknown, or the plain-stem weights of torchvision are asked for a deep stem.
        DataError: The weights are neither cached nor to be had from the network, or the file does not fit.
    """
    if Path(weights).suffix in {".pth", ".pt"} or "/" in weights:
        state, origin = _read_file(Path(weights)), weights
    else:
        state, origin = _torchvision_state(backbone, weights), f"torchvision's {weights}"
    state = {key: value for key, value in state.items() if not key.startswith("fc.")}
    _check_fit(backbone, state, origin)
    backbone.load_state_dict(state, strict=False)


def _torchvision_state(backbone: ResNet, name: str) -> Mapping[str, Tensor]:
    import torchvision

    choices = torchvision.models.get_model_weights(f"resnet{backbone.depth}")
    names = [choice.name for choice in choices]
    if name not in names:
        raise ConfigError(
            f"backbone.weights {name!r} is neither a local .pth file nor a weight name of "
            f"ResNet-{backbone.depth}; the names are {', '.join(names)}, and null starts from random weights."
        )
    if backbone.stem != "plain":
        raise ConfigError(f"torchvision's {name} fits the plain stem only; use stem=plain, or a local weights file.")
    entry = choices[name]
    file_name = entry.url.rsplit("/", 1)[-1]
    folder = Path(torch.hub.get_dir()) / "checkpoints"
    try:
        state: Mapping[str, Tensor] = torch.hub.load_state_dict_from_url(
            entry.url, progress=True, check_hash=True, map_location="cpu", weights_only=True
        )
    except (URLError, OSError) as error:
        raise DataError(
            f"The ImageNet weights {file_name} are not cached and could not be downloaded ({_reason(error)}): "
            f"fetch {entry.url} on a machine with network and put it into {folder}, "
            "or set backbone.weights=null."
        ) from error
    except (RuntimeError, pickle.UnpicklingError, EOFError) as error:
        raise DataError(
            f"The ImageNet weights {folder / file_name} are damaged ({_reason(error)}): delete the file and run again."
        ) from error
    return state


def _read_file(path: Path) -> Mapping[str, Tensor]:
    if not path.is_file():
        raise DataError(f"The weights file {path} does not exist (looked at {path.absolute()}).")
    try:
        content: Any = torch.load(path, map_location="cpu", weights_only=True)
    except (
        RuntimeError,
        pickle.UnpicklingError,
        EOFError,
        OSError,
        zipfile.BadZipFile,
        ValueError,
        KeyError,
    ) as error:
        raise DataError(f"The weights file {path} cannot be read ({_reason(error)}).") from error
    for wrapper in _WRAPPERS:
        if isinstance(content, Mapping) and isinstance(content.get(wrapper), Mapping):
            content = content[wrapper]
    if not isinstance(content, Mapping) or not all(isinstance(value, Tensor) for value in content.values()):
        raise DataError(f"The weights file {path} does not hold a state dict, that is, names with tensors.")
    return content


def _check_fit(backbone: ResNet, state: Mapping[str, Tensor], origin: str) -> None:
    own = backbone.state_dict()
    # Files written before 2018 lack the batch counters; they count, but carry no weight.
    missing = [key for key in own if key not in state and not key.endswith("num_batches_tracked")]
    unexpected = [key for key in state if key not in own]
    shapes = [
        f"{key} {list(state[key].shape)} instead of {list(own[key].shape)}"
        for key in own
        if key in state and state[key].shape != own[key].shape
    ]
    parts = [
        f"{title}: {_listed(keys)}"
        for title, keys in (("missing", missing), ("unexpected", unexpected), ("of another shape", shapes))
        if keys
    ]
    if parts:
        raise DataError(f"{origin} does not fit ResNet-{backbone.depth} ({backbone.stem} stem); {'; '.join(parts)}.")


def _listed(keys: list[str], most: int = 5) -> str:
    rest = f" and {len(keys) - most} more" if len(keys) > most else ""
    return ", ".join(keys[:most]) + rest


def _reason(error: BaseException) -> str:
    lines = str(error).strip().splitlines()
    return lines[0] if lines else type(error).__name__


# torchvision's names below `classifier` and `aux_classifier`, and ours. Longer prefixes first.
_DEEPLABV3 = {
    "classifier.0.convs.4.1": "head.context.image_pooling.transform.convolution",
    "classifier.0.convs.4.2": "head.context.image_pooling.transform.norm",
    "classifier.0.project.0": "head.context.projection.convolution",
    "classifier.0.project.1": "head.context.projection.norm",
    "classifier.1": "head.classifier.extra.convolution",
    "classifier.2": "head.classifier.extra.norm",
    "classifier.4": "head.classifier.logits",
} | {
    f"classifier.0.convs.{branch}.{layer}": f"head.context.branches.{branch}.{name}"
    for branch in range(4)
    for layer, name in enumerate(("convolution", "norm"))
}
_FCN = {
    "classifier.0": "head.hidden.convolution",
    "classifier.1": "head.hidden.norm",
    "classifier.4": "head.classifier.logits",
}
_AUXILIARY = {f"aux_{theirs}": ours.replace("head.", "auxiliary.", 1) for theirs, ours in _FCN.items()}


def from_torchvision(state: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Renames the state dict of torchvision's `deeplabv3_resnet*` or `fcn_resnet*` to that of our `Segmenter`.

    A DeepLabv3 fits the head preset `aspp_torchvision`, an FCN the preset `fcn`; an auxiliary head fits
    `AuxiliaryHead`, whose entries exist only if torchvision's network has one.

    Raises:
        ValueError: A name is unknown.
    """
    deeplabv3 = any(key.startswith("classifier.0.convs.") for key in state)
    names = (_DEEPLABV3 if deeplabv3 else _FCN) | _AUXILIARY
    renamed: dict[str, Tensor] = {}
    for key, value in state.items():
        module, _, leaf = key.rpartition(".")
        if key.startswith("backbone."):
            renamed[key] = value
        elif module in names:
            renamed[f"{names[module]}.{leaf}"] = value
        else:
            raise ValueError(f"{key!r} is no entry of torchvision's DeepLabv3 or FCN on a ResNet.")
    return renamed
