"""Weights for a whole network: a file of our own, or torchvision's segmentation networks."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from torch import Tensor, nn

from repro.errors import ConfigError
from repro.nn.weights.files import fetched, fill, listed, read_file

PUBLISHED = ("deeplabv3_resnet101", "deeplabv3_resnet50", "fcn_resnet101", "fcn_resnet50")
"""torchvision's networks on a dilated ResNet, trained on the images of COCO that hold classes of PASCAL VOC."""


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
    _check_drop(network, drop)
    fill(network, read_file(path), str(path), drop=drop)


def load_published_weights(network: nn.Module, name: str, drop: Sequence[str] = ()) -> None:
    """Loads the weights that torchvision publishes for one of its segmentation networks.

    They are torchvision's default ones for the name. Those of its auxiliary head are left out if the network has none.

    Args:
        network: The `Segmenter` to fill; the choices of the group `init` compose the one that each name fits.
        name: One of `PUBLISHED`.
        drop: Beginnings of the names of entries that are not taken over and keep their fresh values.

    Raises:
        DataError: The weights are neither cached nor to be had from the network, or they do not fit.
        ConfigError: The name is unknown, or a beginning in `drop` fits no entry of the network.
    """
    from torchvision.models import get_model_weights

    if name not in PUBLISHED:
        raise ConfigError(f"init.from names torchvision's {name!r}; the names are {', '.join(PUBLISHED)}")
    _check_drop(network, drop)
    default = next(iter(get_model_weights(name)))
    state = from_torchvision(fetched(default.url, "init=none"))
    absent = () if any(key.startswith("auxiliary.") for key in network.state_dict()) else ("auxiliary.",)
    fill(network, state, f"torchvision's {name}", drop=(*drop, *absent))


def _check_drop(network: nn.Module, drop: Sequence[str]) -> None:
    names = list(network.state_dict())
    for prefix in drop:
        if not any(key.startswith(prefix) for key in names):
            parts = sorted({".".join(key.split(".")[:2]) for key in names if key.startswith(prefix.split(".")[0])})
            raise ConfigError(f"init.drop names {prefix!r}, with which no weight begins; there are {listed(parts)}")


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
            raise ValueError(f"{key!r} is no entry of torchvision's DeepLabv3 or FCN on a ResNet")
    return renamed
