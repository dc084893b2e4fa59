"""GALD's aggregations, distributions and head after its public code and the code that it cites, plainly."""

from __future__ import annotations

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor

from tests.nn.context import plain
from tests.nn.parity.transcribed import Maps, classified, enlarged, nonlocal_block, parallel
from tests.nn.parity.weights import Weights


def gald_aspp(w: Weights, features: Tensor, rates: Sequence[int], name: str = "") -> Tensor:
    projected = w.layer(parallel(w, features, f"{name}context.", rates), f"{name}projection")
    return w.dropout(projected, 0.1, "channel")


def psp(w: Weights, features: Tensor, name: str = "", *, relu: bool = True) -> Tensor:
    """PSPNet's; the levels of GALD's copy have no ReLU."""
    fused = pyramid(w, features, f"{name}pyramid.", relu=relu)
    return w.dropout(fused, 0.1, "channel")


def pyramid(w: Weights, features: Tensor, name: str = "", *, relu: bool = True) -> Tensor:
    levels = [
        enlarged(w.layer(F.adaptive_avg_pool2d(features, count), f"{name}levels.{index}", relu=relu), features)
        for index, count in enumerate((1, 2, 3, 6))
    ]
    return w.layer(torch.cat([features, *levels], 1), f"{name}fusion")


def pspnet(w: Weights, maps: Maps) -> Tensor:
    return classified(w, pyramid(w, maps["res5"], "pyramid."), 0.1, "channel")


def convolution(w: Weights, features: Tensor) -> Tensor:
    """mmsegmentation's FCN head before its logits."""
    return w.layer(features, "reduction")


def halved(w: Weights, features: Tensor, name: str, *, padding: int) -> Tensor:
    """Depth-wise, stride 2; with a bias in GALD."""
    weight = w.parameters[f"{name}convolution.weight"]
    small = F.conv2d(features, weight, stride=2, padding=padding, groups=features.shape[1])
    return F.relu(w.norm(w.biased(small, f"{name}convolution"), f"{name}norm"))


def cgnl_block(w: Weights, features: Tensor, groups: int, name: str = "") -> Tensor:
    theta, phi, g = (w.convolution(features, f"{name}{which}") for which in ("theta", "phi", "g"))
    attended = w.convolution(plain.cgnl_attention(theta, phi, g, groups), f"{name}expand", groups=groups)
    weight, bias = w.parameters[f"{name}norm.weight"], w.parameters[f"{name}norm.bias"]
    return F.group_norm(attended, groups, weight, bias) + features


def related(w: Weights, features: Tensor, name: str = "", *, groups: int | None, padding: int = 1) -> Tensor:
    """GALD's way around CGNL (`groups`), and the same around the non-local block."""
    reduced = w.layer(features, f"{name}reduction")
    small = halved(w, reduced, f"{name}halving.", padding=padding)
    if groups is None:
        return enlarged(nonlocal_block(w, small, f"{name}block."), reduced)
    return enlarged(cgnl_block(w, small, groups, f"{name}block."), reduced)


def ldv1(
    w: Weights, original: Tensor, context: Tensor | None, name: str = "", *, padding: int = 1, residuals: int = 1
) -> Tensor:
    """GALD, equations 1 and 2; the context is added twice in its code."""
    context = w.layer(original, f"{name}reduction") if context is None else context
    mask = context
    for index in range(3):
        mask = halved(w, mask, f"{name}convolutions.{index}.", padding=padding)
    result = torch.sigmoid(enlarged(mask, context)) * context + context
    return result + context if residuals == 2 else result


def ldv1_without_weights(w: Weights, original: Tensor, context: Tensor, kind: str) -> Tensor:
    """GALD, Table II(a): the context reduced by 8 by interpolation or by means."""
    if kind == "average":
        small = F.avg_pool2d(context, 8, ceil_mode=True)
    else:
        small = F.interpolate(
            context, [-(-side // 8) for side in context.shape[-2:]], mode="bilinear", align_corners=True
        )
    return torch.sigmoid(enlarged(small, context)) * context + context


def ldv2(
    w: Weights, original: Tensor, context: Tensor | None, dilation: int, name: str = "", *, masked: bool = False
) -> Tensor:
    """GALD, equations 6 to 8, with 5 x 5 neighbours."""
    local = w.layer(original, f"{name}local")
    x = local if context is None else torch.cat([local, context], 1)
    query, key, value = (w.convolution(x, f"{name}{which}") for which in ("query", "key", "value"))
    return plain.local_attention(query, key, value, kernel_size=5, dilation=dilation, masked_border=masked)


def gald_tail(w: Weights, original: Tensor, result: Tensor) -> Tensor:
    """GALD, equation 3, and its code's last layers."""
    return w.convolution(w.layer(torch.cat([original, result], 1), "fusion"), "classifier.logits")


def gald_head(w: Weights, maps: Maps, groups: int) -> Tensor:
    """GALD's code as it is: no padding where maps are halved, the context added twice, and a 3x3 behind the result."""
    context = related(w, maps["res5"], "ga.", groups=groups, padding=0)
    distributed = ldv1(w, maps["res5"], context, "ld.", padding=0, residuals=2)
    return gald_tail(w, maps["res5"], w.layer(distributed, "transform"))


def gald(w: Weights, maps: Maps, ga: str, ld: str, arrangement: str, rates: Sequence[int], groups: int) -> Tensor:
    """GALD's parts in the order of Tables I(a) to I(d)."""
    original = maps["res5"]

    def aggregated(features: Tensor) -> Tensor:
        if ga == "aspp":
            return gald_aspp(w, features, rates, "ga.")
        return psp(w, features, "ga.") if ga == "psp" else related(w, features, "ga.", groups=cgnl_groups)

    def distributed(context: Tensor | None) -> Tensor:
        return ldv1(w, original, context, "ld.") if ld == "v1" else ldv2(w, original, context, 2, "ld.")

    cgnl_groups = groups if ga == "cgnl" else None
    if ga == "none":
        result = distributed(None)
    elif ld == "none":
        result = aggregated(original)
    elif arrangement == "gald":
        result = distributed(aggregated(original))
    elif arrangement == "ldga":
        result = aggregated(distributed(None))
    else:
        result = torch.cat([aggregated(original), distributed(None)], 1)
    return gald_tail(w, original, result)
