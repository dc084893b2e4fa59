"""Weights for a whole network: a file of our own or of others, or torchvision's segmentation networks."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from torch import Tensor, nn

from repro.errors import ConfigError
from repro.nn.weights.files import fetched, fill, listed, read_file
from repro.nn.weights.layouts import from_torchvision, in_our_names
from repro.nn.weights.names import bare

PUBLISHED = ("deeplabv3_resnet101", "deeplabv3_resnet50", "fcn_resnet101", "fcn_resnet50")
"""torchvision's networks on a dilated ResNet, trained on the images of COCO that hold classes of PASCAL VOC."""


def load_network_weights(
    network: nn.Module, path: Path, drop: Sequence[str] = (), layout: str = "ours"
) -> tuple[str, ...]:
    """Loads a whole network's weights from a file, such as a run's `weights.pt`.

    Those of an auxiliary head that the network lacks, and of stages that none of its heads reads, are left out.

    Args:
        network: The network to fill.
        path: A file with a state dict, bare or wrapped as training scripts do.
        drop: Beginnings of the names, which are ours, of entries that are not taken over and keep their fresh values.
        layout: Whose names the file has, one of `LAYOUTS`.

    Returns:
        Beginnings of the names of entries that were left out though nobody asked for it.

    Raises:
        DataError: The file is missing or damaged, or its other entries are not those of the network.
        ConfigError: A beginning in `drop` fits no entry of the network, they fit all, or the layout is unknown.
    """
    _check_drop(network, drop)
    own = network.state_dict()
    state = in_our_names(bare(read_file(path), own if layout == "ours" else ()), layout, str(path))
    return _filled(network, state, str(path), drop)


def load_published_weights(network: nn.Module, name: str, drop: Sequence[str] = ()) -> tuple[str, ...]:
    """Loads the weights that torchvision publishes for one of its segmentation networks.

    They are torchvision's default ones for the name; left out is what `load_network_weights` leaves out.

    Args:
        network: The `Segmenter` to fill; the choices of the group `init` compose the one that each name fits.
        name: One of `PUBLISHED`.
        drop: Beginnings of the names of entries that are not taken over and keep their fresh values.

    Returns:
        Beginnings of the names of entries that were left out though nobody asked for it.

    Raises:
        DataError: The weights are neither cached nor to be had from the network, or they do not fit.
        ConfigError: The name is unknown, a beginning in `drop` fits no entry of the network, or they fit all.
    """
    from torchvision.models import get_model_weights

    if name not in PUBLISHED:
        raise ConfigError(f"init.from names torchvision's {name!r}; the names are {', '.join(PUBLISHED)}")
    _check_drop(network, drop)
    default = next(iter(get_model_weights(name)))
    state = from_torchvision(fetched(default.url, "init=none"))
    return _filled(network, state, f"torchvision's {name}", drop)


def _filled(network: nn.Module, state: Mapping[str, Tensor], origin: str, drop: Sequence[str]) -> tuple[str, ...]:
    backbone = getattr(network, "backbone", None)
    unread = [f"backbone.{prefix}" for prefix in getattr(backbone, "unread_prefixes", ())]
    return fill(network, state, origin, drop=drop, spare=["auxiliary.", *unread])


def _check_drop(network: nn.Module, drop: Sequence[str]) -> None:
    names = list(network.state_dict())
    for prefix in drop:
        if not any(key.startswith(prefix) for key in names):
            near = [key for key in names if key.startswith(prefix.split(".")[0])]
            parts = sorted({".".join(key.split(".")[: 2 if near else 1]) for key in near or names})
            raise ConfigError(f"init.drop names {prefix!r}, with which no weight begins; there are {listed(parts)}")
    if drop and all(key.startswith(tuple(drop)) for key in names):
        raise ConfigError(f"init.drop is [{', '.join(drop)}], which leaves no weight to take over; set init=none")
