"""Training losses."""

import math
from collections.abc import Mapping

import torch
from torch import Tensor
from torch.nn import functional

from repro.config.settings import HardPixels
from repro.data import IGNORE


def segmentation_loss(
    logits: Mapping[str, Tensor],
    label: Tensor,
    auxiliary_weight: float,
    hard: HardPixels | None = None,
    *,
    align_corners: bool = False,
) -> Tensor:
    """Loss of the main logits plus the weighted cross-entropy of the auxiliary logits.

    Args:
        logits: `main` and, if there is an auxiliary head, `auxiliary`, each `[B, num_classes, h, w]` at the size of the
            label, or smaller; the label is thinned out to them then.
        label: `[B, H, W]`, 255 = ignore.
        hard: which pixels the main loss keeps; None: all. The auxiliary loss has all, as in GALD's public code.
        align_corners: how the network's logits are enlarged when it is evaluated.

    Returns:
        A scalar in fp32: the mean over labelled pixels; 0 with a zero gradient if no pixel is labelled.
    """
    main = logits["main"]
    truth = thinned(label, main, align_corners=align_corners)
    loss = cross_entropy(main, truth) if hard is None else hard_pixel_cross_entropy(main, truth, hard)
    if "auxiliary" in logits:
        truth = thinned(label, logits["auxiliary"], align_corners=align_corners)
        loss = loss + auxiliary_weight * cross_entropy(logits["auxiliary"], truth)
    return loss


def thinned(label: Tensor, logits: Tensor, *, align_corners: bool) -> Tensor:
    """The label `[B, H, W]` as int64 at the pixels at which an evaluation puts the logits `[B, C, h, w]`."""
    rows, columns = (
        _places(size, count, align_corners).to(label.device)
        for size, count in zip(label.shape[-2:], logits.shape[-2:], strict=True)
    )
    return label[..., rows[:, None], columns].long()


def _places(size: int, count: int, align_corners: bool) -> Tensor:
    """The pixels, of `size`, nearest to where bilinear resizing puts `count` values."""
    if align_corners:
        return torch.linspace(0, size - 1 if count > 1 else 0, count, dtype=torch.float64).round().long()
    return ((2 * torch.arange(count) + 1) * size - 1) // (2 * count)


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
    kept = labelled & ~(ranked < least)  # so that what is no number is kept, and seen
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
