"""Training losses."""

import math
from collections.abc import Mapping

import torch
from torch import Tensor
from torch.nn import functional

from repro.settings import HardPixels

IGNORE = 255


def segmentation_loss(
    logits: Mapping[str, Tensor], label: Tensor, auxiliary_weight: float, hard: HardPixels | None = None
) -> Tensor:
    """Loss of the main logits plus the weighted cross-entropy of the auxiliary logits.

    Args:
        logits: `main` and, if there is an auxiliary head, `auxiliary`, each `[B, num_classes, h, w]` at the size of the
            label, or smaller at an output stride; the label is thinned out to them then.
        label: `[B, H, W]`, 255 = ignore.
        hard: which pixels the main loss keeps; None: all. The auxiliary loss has all, as in GALD's public code.

    Returns:
        A scalar in fp32: the mean over labelled pixels; 0 with a zero gradient if no pixel is labelled.
    """
    main = logits["main"]
    truth = thinned(label, main)
    loss = cross_entropy(main, truth) if hard is None else hard_pixel_cross_entropy(main, truth, hard)
    if "auxiliary" in logits:
        loss = loss + auxiliary_weight * cross_entropy(logits["auxiliary"], thinned(label, logits["auxiliary"]))
    return loss


def thinned(label: Tensor, logits: Tensor) -> Tensor:
    """The label `[B, H, W]` as int64 at the pixels where the logits `[B, C, h, w]` lie.

    A network of output stride s computes its outputs around the pixels 0, s, 2s and so on.

    Raises:
        ValueError: the sizes are not those of an output stride.
    """
    height, stride = label.shape[-2], 1
    while math.ceil(height / stride) > logits.shape[-2]:
        stride *= 2
    label = label[..., ::stride, ::stride]
    if label.shape[-2:] != logits.shape[-2:]:
        raise ValueError(f"logits of {tuple(logits.shape[-2:])} lie at no output stride of the label")
    return label.long()


def cross_entropy(logits: Tensor, label: Tensor) -> Tensor:
    """Mean cross-entropy over the pixels whose label (int64) is not 255."""
    total = _pixel_losses(logits, label, reduction="sum")
    return total / (label != IGNORE).sum().clamp(min=1).to(torch.float32)


def hard_pixel_cross_entropy(logits: Tensor, label: Tensor, hard: HardPixels) -> Tensor:
    """Mean cross-entropy over the hardest pixels: online hard example mining, image by image.

    A pixel is kept if its true class has at most the threshold's probability, or if it is among the `kept_pixels` with
    the highest loss of its image; an image with fewer labelled pixels keeps all.
    Source: GALD, section IV-B, "top-K"; threshold, number and mean over the kept ones from GALD's public code.
    """
    losses = _pixel_losses(logits, label, reduction="none").flatten(1)
    labelled = (label != IGNORE).flatten(1)
    ranked = losses.detach().masked_fill(~labelled, -math.inf)
    count = min(hard.kept_pixels, ranked.shape[1])
    least = ranked.topk(count, sorted=False).values.amin(1, keepdim=True)
    if hard.threshold is not None:
        least = least.clamp(max=-math.log(hard.threshold))
    kept = labelled & (ranked >= least)
    return losses.masked_fill(~kept, 0).sum() / kept.sum().clamp(min=1).to(torch.float32)


def _pixel_losses(logits: Tensor, label: Tensor, *, reduction: str) -> Tensor:
    """Cross-entropy `[B, h, w]`, or its sum; 0 where the label is 255."""
    if not torch.are_deterministic_algorithms_enabled():
        return functional.cross_entropy(logits.float(), label, ignore_index=IGNORE, reduction=reduction)
    # CUDA's two-dimensional NLL has no deterministic form
    log_probability = functional.log_softmax(logits.float(), 1)
    chosen = log_probability.gather(1, label.clamp(max=logits.shape[1] - 1).unsqueeze(1)).squeeze(1)
    losses = -chosen.masked_fill(label == IGNORE, 0)
    return losses.sum() if reduction == "sum" else losses
