"""ImageNet weights for a backbone."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from torch import Tensor, nn

from repro.errors import ConfigError
from repro.nn.resnet import ResNet
from repro.nn.weights.files import fetched, fill, read_file


def load_backbone_weights(backbone: nn.Module, weights: str) -> None:
    """Loads ImageNet weights into a backbone; the classifier's `fc.*` are left out, added blocks stay fresh.

    Args:
        backbone: The network to fill; a backbone of one's own takes a file only.
        weights: A name of torchvision's weight enum for this depth, such as `IMAGENET1K_V1`, or the path of a
            local `.pth` or `.pt` file with a state dict in torchvision's names.

    Raises:
        ConfigError: The name is unknown, or the plain-stem weights of torchvision are asked for a deep stem.
        DataError: The weights are neither cached nor to be had from the network, or the file does not fit.
    """
    if Path(weights).suffix in {".pth", ".pt"} or "/" in weights:
        state, origin = read_file(Path(weights).expanduser()), weights
    else:
        state, origin = _torchvision_state(backbone, weights), f"torchvision's {weights}"
    fresh = backbone.fresh_prefixes if isinstance(backbone, ResNet) else ()
    fill(backbone, state, origin, drop=("fc.", *fresh))


def _torchvision_state(backbone: nn.Module, name: str) -> Mapping[str, Tensor]:
    import torchvision

    if not isinstance(backbone, ResNet):
        raise ConfigError(
            f"backbone.weights {name!r} is no .pth file, and weights by name exist for repro.nn.ResNet only"
        )
    choices = torchvision.models.get_model_weights(f"resnet{backbone.depth}")
    names = [choice.name for choice in choices]
    if name not in names:
        raise ConfigError(
            f"backbone.weights {name!r} is neither a local .pth file nor a weight name of "
            f"ResNet-{backbone.depth}; the names are {', '.join(names)}, and null starts from random weights"
        )
    if backbone.stem != "plain":
        raise ConfigError(f"torchvision's {name} fits the plain stem only; use stem=plain, or a local weights file")
    return fetched(choices[name].url, "backbone.weights=null")
