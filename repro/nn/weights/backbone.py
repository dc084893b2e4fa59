"""ImageNet weights for a backbone."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path

from torch import Tensor, nn

from repro.errors import ConfigError
from repro.nn.resnet import ResNet
from repro.nn.weights.files import fetched, fill, read_file
from repro.nn.weights.names import bare, below

_PART = "backbone."
"""What the names of a backbone begin with in the file of a whole network, ours or mmsegmentation's."""


def load_backbone_weights(backbone: nn.Module, weights: str, *, of_other_strides: bool = False) -> None:
    """Loads ImageNet weights into a backbone.

    The classifier's `fc.*` are left out; added blocks that the file has nothing for stay fresh.

    Args:
        backbone: The network to fill; a backbone of one's own takes a file only.
        weights: A name of torchvision's weight enum for this depth, such as `IMAGENET1K_V1`, or the path of a
            local `.pth` or `.pt` file with a state dict in torchvision's names, or mmsegmentation's for its stem; of
            a whole network, the entries below `backbone.` are taken.
        of_other_strides: Whether a backbone that strides in the last units takes torchvision's weights, which were
            trained with strides in the first ones: they have the same shapes there, and another meaning.

    Raises:
        ConfigError: The name is unknown, or torchvision's weights do not fit the backbone's stem or strides.
        DataError: The weights are neither cached nor to be had from the network, or the file does not fit.
    """
    if Path(weights).suffix in {".pth", ".pt"} or "/" in weights:
        state, origin = read_file(Path(weights).expanduser()), weights
    else:
        state, origin = _torchvision_state(backbone, weights, of_other_strides), f"torchvision's {weights}"
    fresh = backbone.fresh_prefixes if isinstance(backbone, ResNet) else ()
    fill(backbone, _of_the_backbone(state, backbone), origin, fresh=fresh, spare=["fc."])


def _of_the_backbone(state: Mapping[str, Tensor], backbone: nn.Module) -> Mapping[str, Tensor]:
    """The entries of a backbone in a file that may be one of a whole network."""
    own = backbone.state_dict()
    found = bare(state, own)
    if any(name.startswith(_PART) for name in found) and not any(name.startswith(_PART) for name in own):
        found = below(found, _PART)
    if not isinstance(backbone, ResNet):
        return found
    return {re.sub(r"^stem\.", "conv1.", re.sub(r"^stem\.7\.", "bn1.", name)): value for name, value in found.items()}


def _torchvision_state(backbone: nn.Module, name: str, of_other_strides: bool) -> Mapping[str, Tensor]:
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
    if backbone.stride_at == "last" and not of_other_strides:
        raise ConfigError(
            f"torchvision's {name} were trained with the stride in the first unit of a stage, and backbone.stride_at "
            "is last; use stride_at=first, weights of your own, or backbone.weights_of_other_strides=true, which is a "
            "deviation"
        )
    return fetched(choices[name].url, "backbone.weights=null")
