"""Heads, blocks and aggregations after public code, or after their papers' equations where there is none, plainly.

Facts alone are taken over: which layer follows which, its kernel, rate, padding, bias, normalisation and dropout.
Concatenations are in our order; in public code the image-level branch is often the first.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor
from torchvision.ops import deform_conv2d

from tests.nn.context import plain
from tests.nn.parity.weights import Weights

Maps = dict[str, Tensor]


def parallel(
    w: Weights,
    features: Tensor,
    name: str,
    rates: Sequence[int],
    pools: Sequence[int] | None = None,
    *,
    count_include_pad: bool = False,
    relu: bool = True,
) -> Tensor:
    """One branch per rate, each behind its average pool, and the image-level branch, side by side."""
    outputs = []
    for index, (rate, pool) in enumerate(zip(rates, pools or [1] * len(rates), strict=True)):
        pooled = F.avg_pool2d(features, pool, 1, pool // 2, count_include_pad=count_include_pad)
        outputs.append(w.layer(pooled, f"{name}branches.{index}", rate=rate, relu=relu))
    image = w.layer(F.adaptive_avg_pool2d(features, 1), f"{name}image_pooling.transform", relu=relu)
    outputs.append(enlarged(image, features))
    return torch.cat(outputs, 1)


def enlarged(features: Tensor, like: Tensor, *, align_corners: bool = True) -> Tensor:
    return F.interpolate(features, like.shape[-2:], mode="bilinear", align_corners=align_corners)


def classified(w: Weights, features: Tensor, dropout: float, kind: str = "elementwise") -> Tensor:
    return w.convolution(w.dropout(features, dropout, kind), "classifier.logits")


def tensorflow_deeplab(w: Weights, maps: Maps, rates: Sequence[int]) -> Tensor:
    """Also what ASPP+ is, whose first branch differs by its kernel alone."""
    joined = parallel(w, maps["res5"], "context.", rates)
    return classified(w, w.layer(joined, "context.projection"), 0.1)


def mmsegmentation_aspp(w: Weights, maps: Maps, rates: Sequence[int]) -> Tensor:
    """A 3x3 for the bottleneck, dropout of channels; a rate of 1 is a 1x1 without padding."""
    joined = parallel(w, maps["res5"], "context.", rates)
    return classified(w, w.layer(joined, "context.projection"), 0.1, "channel")


def encoding_deeplab(w: Weights, maps: Maps, rates: Sequence[int]) -> Tensor:
    """Dropout of channels before the 3x3 (0.5) and behind it (0.1)."""
    projected = w.layer(parallel(w, maps["res5"], "context.", rates), "context.projection")
    extra = w.layer(w.dropout(projected, 0.5, "channel"), "classifier.extra")
    return classified(w, extra, 0.1, "channel")


def vortex(w: Weights, maps: Maps, rates: Sequence[int], pools: Sequence[int]) -> Tensor:
    """Vortex Pooling, Figures 3 and 4: pools without their padding; what follows is DeepLabv3's."""
    joined = parallel(w, maps["res5"], "context.", rates, pools)
    return classified(w, w.layer(joined, "context.projection"), 0.1)


def lightnet_vortex(w: Weights, maps: Maps, sizes: Sequence[int]) -> Tensor:
    """No ReLU at all, pools that count their padding, dropout of channels (0.2); the 1x1 without its padding of 1."""
    joined = parallel(w, maps["res5"], "context.", sizes, sizes, count_include_pad=True, relu=False)
    return classified(w, w.layer(joined, "context.projection", relu=False), 0.2, "channel")


def lightnet_image_branch(w: Weights, features: Tensor) -> Tensor:
    """Normalised behind the enlargement, not before it."""
    image = w.convolution(F.adaptive_avg_pool2d(features, 1), "transform.convolution")
    return w.norm(enlarged(image, features), "transform.norm")


def fcn(w: Weights, maps: Maps, source: str, kind: str, *, biased: bool = False) -> Tensor:
    """3x3, BN, ReLU, dropout, 1x1; GALD's auxiliary head has a bias before the BN."""
    hidden = w.convolution(maps[source], "hidden.convolution")
    hidden = w.biased(hidden, "hidden.convolution") if biased else hidden
    return classified(w, F.relu(w.norm(hidden, "hidden.norm")), 0.1, kind)


def cascade(w: Weights, maps: Maps) -> Tensor:
    """Logits straight from the last block."""
    return w.convolution(maps["res5"], "classifier.logits")


def deformable(w: Weights, features: Tensor, name: str = "") -> Tensor:
    """mmcv's modulated deformable convolution by torchvision's operator, BN, ReLU."""
    offsets, factors = w.convolution(features, f"{name}sampling").split([18, 9], 1)
    sampled = deform_conv2d(
        features, offsets, w.parameters[f"{name}convolution.weight"], padding=1, mask=factors.sigmoid()
    )
    return F.relu(w.norm(sampled, f"{name}norm"))


def dynamic_filter(w: Weights, features: Tensor, name: str = "") -> Tensor:
    """DSNet's layers for the kernels; applied channel by channel and image by image as in mmsegmentation's DMNet."""
    kernels = w.convolution(F.adaptive_avg_pool2d(w.layer(features, f"{name}reduction"), 3), f"{name}kernels")
    images = [
        F.conv2d(image[None], kernel[:, None], padding=1, groups=len(kernel))
        for image, kernel in zip(features, kernels, strict=True)
    ]
    return F.relu(w.norm(torch.cat(images), f"{name}norm"))


def nonlocal_block(w: Weights, features: Tensor, name: str = "") -> Tensor:
    """mmsegmentation's, scaled, normalised behind the last convolution; all three maps have biases."""
    query = w.convolution(features, f"{name}query")
    key, value = (w.biased(w.convolution(features, f"{name}{which}"), f"{name}{which}") for which in ("key", "value"))
    attended = plain.dot_product_attention(query, key, value)
    return features + w.norm(w.convolution(attended, f"{name}expand"), f"{name}norm")


def sampling(
    w: Weights, features: Tensor, guide: Tensor, name: str = "", *, origin: str = "grid", relations: bool = False
) -> Tensor:
    """DSNet, equation 2, by `grid_sample`, tap after tap."""
    guide = nonlocal_block(w, guide, f"{name}points.relations.") if relations else guide
    points = w.convolution(guide, f"{name}points.convolution").unflatten(1, (9, 2))
    kernel = w.parameters[f"{name}convolution.weight"]
    height, width = features.shape[-2:]
    rows, columns = torch.meshgrid(torch.arange(height), torch.arange(width), indexing="ij")
    result = torch.zeros(())
    for tap in range(9):
        row, column = divmod(tap, 3) if origin == "grid" else (1, 1)
        down, right = points[:, tap, 0] + rows + row - 1, points[:, tap, 1] + columns + column - 1
        places = torch.stack([2 * right / (width - 1) - 1, 2 * down / (height - 1) - 1], -1)
        read = F.grid_sample(features, places, mode="bilinear", padding_mode="zeros", align_corners=True)
        result = result + torch.einsum("oc,bchw->bohw", kernel[:, :, tap // 3, tap % 3], read)
    return F.relu(w.norm(result, f"{name}norm"))


def joint(w: Weights, maps: Sequence[Tensor], before: float | None = None) -> Tensor:
    """One 3x3 on all maps; as in DeepLabv3+ a second one, then with dropout `before` it."""
    hidden = w.layer(torch.cat(list(maps), 1), "classifier.hidden")
    if before is not None:
        hidden = w.layer(w.dropout(hidden, before), "classifier.classifier.extra")
    return w.convolution(w.dropout(hidden, 0.1), "classifier.classifier.logits")


def refined(w: Weights, maps: Maps, kind: str, rates: Sequence[int], before: float | None = None) -> Tensor:
    """ASPP, a layer on it, and both maps side by side: DSNet's two rivals."""
    context = aspp_context(w, maps["res5"], "context.", rates)
    layer = deformable if kind == "dcnv2" else dynamic_filter
    return joint(w, [context, layer(w, context, "refinement.")], before)


def strided_unit(w: Weights, features: Tensor) -> Tensor:
    """Two 3x3, the first of stride 2, beside every second pixel of the map itself, as in TensorFlow's slim."""
    first = F.conv2d(features, w.parameters["conv1.weight"], stride=2, padding=1)
    second = w.convolution(F.relu(w.norm(first, "bn1")), "conv2")
    return F.relu(w.norm(second, "bn2") + F.max_pool2d(features, 1, 2))


def aspp_context(w: Weights, features: Tensor, name: str, rates: Sequence[int]) -> Tensor:
    return w.layer(parallel(w, features, name, rates), f"{name}projection")


def dsnet(w: Weights, maps: Maps, rates: Sequence[int], *, guide: str = "context", relations: bool = False) -> Tensor:
    """DSNet, Figure 3: X_M, X_S and the enlarged map of ASPP."""
    modified = w.layer(maps["res3"], "modification")
    context = enlarged(aspp_context(w, maps["res5"], "context.", rates), modified, align_corners=False)
    leads = context if guide == "context" else enlarged(maps[guide], modified, align_corners=False)
    sampled = sampling(w, modified, leads, "sampling.", relations=relations)
    return joint(w, [modified, sampled, context])
