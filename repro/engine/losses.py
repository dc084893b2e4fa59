"""Training losses."""

from collections.abc import Mapping

import torch
from torch import Tensor
from torch.nn import functional

IGNORE = 255


def segmentation_loss(logits: Mapping[str, Tensor], label: Tensor, auxiliary_weight: float) -> Tensor:
    """Cross-entropy of the main logits plus the weighted one of the auxiliary logits.

    Args:
        logits: `main` and, if there is an auxiliary head, `auxiliary`, each `[B, num_classes, H, W]`.
        label: `[B, H, W]`, 255 = ignore.

    Returns:
        A scalar in fp32: the mean over labelled pixels; 0 with a zero gradient if no pixel is labelled.
    """
    label = label.long()
    loss = cross_entropy(logits["main"], label)
    if "auxiliary" in logits:
        loss = loss + auxiliary_weight * cross_entropy(logits["auxiliary"], label)
    return loss


def cross_entropy(logits: Tensor, label: Tensor) -> Tensor:
    """Mean cross-entropy over the pixels whose label is not 255."""
    labelled = (label != IGNORE).sum().clamp(min=1)
    if torch.are_deterministic_algorithms_enabled():  # CUDA's two-dimensional NLL has no deterministic form
        log_probability = functional.log_softmax(logits.float(), 1)
        chosen = log_probability.gather(1, label.clamp(max=logits.shape[1] - 1).unsqueeze(1)).squeeze(1)
        total = -chosen.masked_fill(label == IGNORE, 0).sum()
    else:
        total = functional.cross_entropy(logits.float(), label, ignore_index=IGNORE, reduction="sum")
    return total / labelled.to(torch.float32)
