"""Weights from elsewhere: ImageNet weights, a local file, and torchvision's segmentation networks."""

from __future__ import annotations

import pickle
from collections.abc import Mapping, Sequence
from http.client import HTTPException
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from repro.errors import ConfigError, DataError
from repro.nn.resnet import ResNet

# The keys under which training scripts commonly wrap a state dict.
_WRAPPERS = ("state_dict", "model", "model_state")


def load_backbone_weights(backbone: nn.Module, weights: str) -> None:
    """Loads ImageNet weights into a backbone; the classifier's `fc.*` are left out.

    Args:
        backbone: The network to fill; a backbone of one's own takes a file only.
        weights: A name of torchvision's weight enum for this depth, such as `IMAGENET1K_V1`, or the path of a
            local `.pth` or `.pt` file with a state dict in torchvision's names.

    Raises:
        ConfigError: The name is unknown, or the plain-stem weights of torchvision are asked for a deep stem.
        DataError: The weights are neither cached nor to be had from the network, or the file does not fit.
    """
    if Path(weights).suffix in {".pth", ".pt"} or "/" in weights:
        state, origin = _read_file(Path(weights).expanduser()), weights
    else:
        state, origin = _torchvision_state(backbone, weights), f"torchvision's {weights}"
    state = {key: value for key, value in state.items() if not key.startswith("fc.")}
    _check_fit(backbone, state, origin)
    backbone.load_state_dict(state, strict=False)


def load_network_weights(network: nn.Module, path: Path, drop: Sequence[str] = ()) -> None:
    """Loads a whole network's weights from a file, such as a run's `weights.pt`.

    Args:
        network: The network to fill.
        path: A file with a state dict in our names, bare or under `model`.
        drop: Beginnings of the names of entries that are not taken over and keep their fresh values.

    Raises:
        DataError: The file is missing or damaged, or its other entries are not those of the network.
        ConfigError: A beginning in `drop` fits no entry of the network.
    """
    state, own = _read_file(path), network.state_dict()
    for prefix in drop:
        if not any(key.startswith(prefix) for key in own):
            parts = sorted({".".join(key.split(".")[:2]) for key in own if key.startswith(prefix.split(".")[0])})
            raise ConfigError(f"init.drop names {prefix!r}, with which no weight begins; there are {_listed(parts)}.")
    dropped = tuple(drop)
    kept = {key: value for key, value in state.items() if not key.startswith(dropped or ("\0",))}
    fresh = {key: value for key, value in own.items() if key.startswith(dropped or ("\0",))}
    _check_fit(network, kept | fresh, str(path))
    network.load_state_dict(kept | fresh)


def _torchvision_state(backbone: nn.Module, name: str) -> Mapping[str, Tensor]:
    import torchvision

    if not isinstance(backbone, ResNet):
        raise ConfigError(
            f"backbone.weights {name!r} is no .pth file, and weights by name exist for repro.nn.ResNet only."
        )
    choices = torchvision.models.get_model_weights(f"resnet{backbone.depth}")
    names = [choice.name for choice in choices]
    if name not in names:
        raise ConfigError(
            f"backbone.weights {name!r} is neither a local .pth file nor a weight name of "
            f"ResNet-{backbone.depth}; the names are {', '.join(names)}, and null starts from random weights."
        )
    if backbone.stem != "plain":
        raise ConfigError(f"torchvision's {name} fits the plain stem only; use stem=plain, or a local weights file.")
    url = choices[name].url
    cached = Path(torch.hub.get_dir()) / "checkpoints" / url.rsplit("/", 1)[-1]
    if not cached.is_file():
        _download(url, cached)
    return _read_file(cached, "; delete it and run again")


def _download(url: str, target: Path) -> None:
    # torchvision writes the first digits of the file's sha256 into its name.
    digits = target.stem.rsplit("-", 1)[-1]
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        torch.hub.download_url_to_file(url, str(target), hash_prefix=digits, progress=True)
    except (OSError, HTTPException, RuntimeError) as error:
        raise DataError(
            f"The ImageNet weights {target.name} are not cached and could not be downloaded ({_reason(error)}): fetch "
            f"{url} on a machine with network and put it into {target.parent}, or set backbone.weights=null."
        ) from error


def _read_file(path: Path, remedy: str = "") -> Mapping[str, Tensor]:
    if not path.is_file():
        raise DataError(f"The weights file {path} does not exist (looked at {path.absolute()}).")
    try:
        content: Any = torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:  # a damaged file fails wherever its bytes lead the unpickler
        raise DataError(f"The weights file {path} cannot be read ({_reason(error)}){remedy}.") from error
    for wrapper in _WRAPPERS:
        if isinstance(content, Mapping) and isinstance(content.get(wrapper), Mapping):
            content = content[wrapper]
    if not isinstance(content, Mapping) or not all(isinstance(value, Tensor) for value in content.values()):
        raise DataError(f"The weights file {path} does not hold a state dict, that is, names with tensors.")
    return content


def _check_fit(backbone: nn.Module, state: Mapping[str, Tensor], origin: str) -> None:
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
        raise DataError(f"{origin} does not fit {_described(backbone)}; {'; '.join(parts)}.")


def _described(backbone: nn.Module) -> str:
    if isinstance(backbone, ResNet):
        return f"ResNet-{backbone.depth} with the {backbone.stem} stem"
    return type(backbone).__name__


def _listed(keys: list[str], most: int = 5) -> str:
    rest = f" and {len(keys) - most} more" if len(keys) > most else ""
    return ", ".join(keys[:most]) + rest


def _reason(error: Exception) -> str:
    if isinstance(error, pickle.UnpicklingError):
        # torch's own text advises to switch off the check for code in the file.
        return "it is damaged, or holds more than tensors"
    lines = str(getattr(error, "reason", error)).strip().splitlines()
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
