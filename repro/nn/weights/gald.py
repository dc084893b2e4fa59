"""The names of GALD's public code, and the colours that its networks are trained on."""

from __future__ import annotations

import torch
from torch import Tensor

from repro.nn.weights.names import State, layers, renamed, without_biases

# Public code: GALD without --rgb; blue, green, red, from 0 to 255, less a mean.
_MEAN_BGR = (104.00698793, 116.66876762, 122.67891434)
# What our networks see: red, green, blue from 0 to 1, less ImageNet's mean, in units of its standard deviation.
MEAN_RGB = (0.485, 0.456, 0.406)
STD_RGB = (0.229, 0.224, 0.225)

_FIRST = "backbone.conv1.0.weight"
_FIRST_MEAN = "backbone.conv1.1.running_mean"

_BLOCK = {"t": "theta", "p": "phi", "g": "g", "z": "expand", "gn": "norm"}
_MODULES = (
    {part: f"backbone.{part}" for part in ("conv1.", "bn1.", "layer1.", "layer2.", "layer3.", "layer4.")}
    | layers("head.conva", "head.ga.reduction", "0", "1")
    | layers("head.a2block.down", "head.ga.halving", "0", "1")
    | {f"head.a2block.long_relation.{theirs}": f"head.ga.block.{ours}" for theirs, ours in _BLOCK.items()}
    | layers("head.a2block.local_attention.dconv1", "head.ld.convolutions.0", "0", "1")
    | layers("head.a2block.local_attention.dconv2", "head.ld.convolutions.1", "0", "1")
    | layers("head.a2block.local_attention.dconv3", "head.ld.convolutions.2", "0", "1")
    | layers("head.convb", "head.transform", "0", "1")
    | layers("head.bottleneck", "head.fusion", "0", "1")
    | {"head.bottleneck.3": "head.classifier.logits"}
    | layers("dsn", "auxiliary.hidden", "0", "1")
    | {"dsn.4": "auxiliary.classifier.logits"}
)


def from_gald(state: State, *, bgr: bool) -> dict[str, Tensor]:
    """Renames the state dict of GALD's public code to that of our `Segmenter`; `init=gald` has its settings.

    Differs: With `bgr` the first convolution is brought to our colours. The means of the two codes lie less than one
    of 255 grey levels apart, which the running mean behind it takes up; in the outermost row and column, of which the
    padding is a part, that is not exact.

    Args:
        state: theirs.
        bgr: whether the network was trained without `--rgb 1`, as in the scripts for GALD.

    Raises:
        ValueError: An entry is not of GALD's network.
    """
    ours = without_biases(renamed(state, _MODULES, "GALD's network"))
    if bgr and _FIRST in ours:
        weight = ours[_FIRST].flip(1)
        spread = weight.new_tensor(STD_RGB) * 255
        excess = weight.new_tensor(MEAN_RGB) * 255 - weight.new_tensor(_MEAN_BGR).flip(0)
        ours[_FIRST] = weight * spread[:, None, None]
        if _FIRST_MEAN in ours:
            ours[_FIRST_MEAN] = ours[_FIRST_MEAN] - torch.einsum("ochw,c->o", weight, excess)
    return ours
