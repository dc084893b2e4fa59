"""Files of others: whose they are, and their entries under our names. torchvision's names."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from torch import Tensor

from repro.errors import ConfigError, DataError, first_line
from repro.nn.weights.gald import from_gald
from repro.nn.weights.mmsegmentation import from_mmsegmentation
from repro.nn.weights.names import State, renamed

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


def from_torchvision(state: State) -> dict[str, Tensor]:
    """Renames the state dict of torchvision's `deeplabv3_resnet*` or `fcn_resnet*` to that of our `Segmenter`.

    A DeepLabv3 fits the head preset `aspp_torchvision`, an FCN the preset `fcn`; an auxiliary head fits
    `AuxiliaryHead`, whose entries exist only if torchvision's network has one.

    Raises:
        ValueError: A name is unknown.
    """
    deeplabv3 = any(key.startswith("classifier.0.convs.") for key in state)
    head = _DEEPLABV3 if deeplabv3 else _FCN
    return renamed(state, {"backbone.": "backbone."} | head | _AUXILIARY, "torchvision's DeepLabv3 or FCN on a ResNet")


LAYOUTS: dict[str, Callable[[State], dict[str, Tensor]]] = {
    "ours": dict,
    "torchvision": from_torchvision,
    "mmsegmentation": from_mmsegmentation,
    "gald": partial(from_gald, bgr=True),
    "gald_rgb": partial(from_gald, bgr=False),
}
"""What brings a state dict of a layout to our names."""

_SIGNS = {"torchvision": "classifier.", "mmsegmentation": "decode_head.", "gald": "head.conva."}
"""What only names of a layout begin with."""


def in_our_names(state: State, layout: str, origin: str) -> dict[str, Tensor]:
    """The entries of a file under our names.

    Args:
        state: names with tensors.
        layout: one of `LAYOUTS`.
        origin: where they come from, for the error.

    Raises:
        ConfigError: there is no such layout.
        DataError: the names are those of another layout, or of a network of this one that has no counterpart here, or
            the shapes are those of no network.
    """
    if layout not in LAYOUTS:
        raise ConfigError(f"init.layout is {layout!r}; it must be one of {', '.join(LAYOUTS)}")
    for other, sign in _SIGNS.items():
        if not layout.startswith(other) and any(key.startswith(sign) for key in state):
            raise DataError(
                f"{origin} has names such as {sign}*, which are those of {other}, and init.layout is {layout}; "
                f"set init.layout={other}"
            )
    try:
        return LAYOUTS[layout](state)
    except ValueError as error:
        raise DataError(f"{origin} cannot be read with init.layout={layout}: {error}") from error
    except RuntimeError as error:  # shapes that a product or a difference of two entries does not take
        reason = f"its entries do not fit each other ({first_line(error)})"
        raise DataError(f"{origin} cannot be read with init.layout={layout}: {reason}") from error
