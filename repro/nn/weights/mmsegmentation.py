"""mmsegmentation's names, and what its layers have in another order than ours."""

from __future__ import annotations

from collections.abc import Iterator

from torch import Tensor

from repro.nn.weights.names import State, layers, renamed, without_biases

_SEVERAL = 8
"""Branches or levels that a head may have."""

_BACKBONE = {"backbone.stem.7": "backbone.bn1", "backbone.stem.": "backbone.conv1.", "backbone.": "backbone."}
_AUXILIARY = layers("auxiliary_head.convs.0", "auxiliary.hidden", "conv", "bn") | {
    "auxiliary_head.conv_seg": "auxiliary.classifier.logits"
}
_LOGITS = {"decode_head.conv_seg": "head.classifier.logits"}
_BLOCK = "head.ga.block"


def from_mmsegmentation(state: State) -> dict[str, Tensor]:
    """Renames the state dict of one of mmsegmentation's networks on a ResNet to that of our `Segmenter`.

    DeepLabV3 fits `head=aspp`, PSPNet `head=psp`, the FCN of two convolutions `head=gald` with
    `ConvolutionAggregation`, the non-local network the same with `NonLocalAggregation`, and an FCN of one convolution
    `head=fcn`; the choices of the group `init` have their settings. The stem is `v1c` or `plain`.

    Where ASPP's branches are concatenated, the image comes first there and last here. The biases of the non-local
    block's keys and values have no effect but on running means, see `NonLocalBlock`.

    Raises:
        ValueError: An entry is of none of these.
    """
    head = dict(_head(state))
    ours = renamed(state, _BACKBONE | _LOGITS | _AUXILIARY | head, "mmsegmentation's DeepLabV3, PSPNet, FCN or NL")
    fusion, pooling = (f"head.context.{part}.convolution.weight" for part in ("projection", "image_pooling.transform"))
    if fusion in ours and pooling in ours:
        ours[fusion] = ours[fusion].roll(-ours[pooling].shape[0], 1)
    return without_biases(_without_block_biases(ours))


def _head(state: State) -> Iterator[tuple[str, str]]:
    """Their modules and ours of the head, which tells itself by its names."""
    names = ("aspp_modules", "psp_modules", "conv_cat")
    kind = next((name for name in names if any(key.startswith(f"decode_head.{name}.") for key in state)), None)
    pairs: list[tuple[str, str]]
    if kind == "aspp_modules":
        pairs = [(f"aspp_modules.{i}", f"head.context.branches.{i}") for i in range(_SEVERAL)]
        pairs += [("image_pool.1", "head.context.image_pooling.transform"), ("bottleneck", "head.context.projection")]
    elif kind == "psp_modules":
        pairs = [(f"psp_modules.{i}.1", f"head.pyramid.levels.{i}") for i in range(_SEVERAL)]
        pairs.append(("bottleneck", "head.pyramid.fusion"))
    elif kind == "conv_cat":
        pairs = [("convs.0", "head.ga.reduction"), ("convs.1", "head.transform"), ("conv_cat", "head.fusion")]
        yield from {
            "decode_head.nl_block.theta.conv": f"{_BLOCK}.query",
            "decode_head.nl_block.phi.conv": f"{_BLOCK}.key",
            "decode_head.nl_block.g.conv": f"{_BLOCK}.value",
            "decode_head.nl_block.conv_out.conv": f"{_BLOCK}.expand",
            "decode_head.nl_block.conv_out.bn": f"{_BLOCK}.norm",
        }.items()
    else:
        pairs = [("convs.0", "head.hidden")]
    for theirs, ours in pairs:
        yield from layers(f"decode_head.{theirs}", ours, "conv", "bn").items()


def _without_block_biases(state: dict[str, Tensor]) -> dict[str, Tensor]:
    """What all keys add to a query's products the softmax takes away; what all values add is one vector."""
    state.pop(f"{_BLOCK}.key.bias", None)
    bias, mean, expand = f"{_BLOCK}.value.bias", f"{_BLOCK}.norm.running_mean", f"{_BLOCK}.expand.weight"
    if {bias, mean, expand} <= state.keys():
        state[mean] = state[mean] - state[expand].flatten(1) @ state.pop(bias)
    return state
