"""Training losses: per image a sum over pixels and their number, and the means over batches, groups or images."""

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional

from repro.config.settings import HardPixels
from repro.data import IGNORE


@dataclass(frozen=True)
class ImageLosses:
    """What one loss adds up in each of some images, and over how many pixels.

    Attributes:
        sums: `[B]` in fp32, or in fp64 for logits in fp64, over the counted pixels of each image.
        counts: `[B]`, how many those are.
    """

    sums: Tensor
    counts: Tensor

    def mean(
        self, images: int | None = None, batch: int | None = None, counts: Tensor | None = None, first: int = 0
    ) -> Tensor:
        """The mean over the counted pixels of every so many images, averaged over these groups.

        A group without a counted pixel adds 0, with a zero gradient, and is one of the groups that divide, as in
        TensorFlow's DeepLab; PyTorch's own mean is no number then.

        Args:
            images: of a group; None: all of these.
            batch: number of images of which these are a part, and whose groups divide; None: these alone.
            counts: of the whole batch `[batch]`, where groups are not whole among these images.
            first: place of the first of these in the batch, if `counts` are given.

        Returns:
            What these images add to the mean over the batch: a scalar in fp32.
        """
        counts, first = (self.counts, 0) if counts is None else (counts, first)
        images = images or len(counts)
        divisors = counts.reshape(-1, images).sum(1).clamp(min=1) * ((batch or len(counts)) // images)
        return (self.sums / divisors.repeat_interleave(images)[first : first + len(self.sums)]).sum()


Losses = Mapping[str, ImageLosses]
"""By the name of the logits: `main`, and `auxiliary` where there are any."""


def segmentation_losses(
    logits: Mapping[str, Tensor], label: Tensor, hard: HardPixels | None = None, *, align_corners: bool = False
) -> Losses:
    """The losses of the main and of the auxiliary logits, image by image.

    Args:
        logits: `main` and, if there is an auxiliary head, `auxiliary`, each `[B, num_classes, h, w]` at the size of the
            label, or smaller; the label is thinned out to them then.
        label: `[B, H, W]`, 255 = ignore.
        hard: which pixels the main loss keeps; None: all. The auxiliary loss has all, as in GALD's public code.
        align_corners: how the network's logits are enlarged when it is evaluated.
    """
    losses: dict[str, ImageLosses] = {}
    for name, scores in logits.items():
        truth = thinned(label, scores, align_corners=align_corners)
        if hard is not None and name == "main":
            losses[name] = hard_pixel_cross_entropy(scores, truth, hard)
        else:
            losses[name] = cross_entropy(scores, truth)
    return losses


def weighted_mean(
    losses: Losses,
    auxiliary_weight: float,
    images: int | None = None,
    batch: int | None = None,
    counts: Mapping[str, Tensor] | None = None,
    first: int = 0,
) -> Tensor:
    """The mean of the main losses plus the weighted one of the auxiliary losses; the rest as in `ImageLosses.mean`."""
    means = {name: one.mean(images, batch, (counts or {}).get(name), first) for name, one in losses.items()}
    return means["main"] + auxiliary_weight * means["auxiliary"] if "auxiliary" in means else means["main"]


def joined(parts: Iterable[Losses]) -> Losses:
    """The losses of parts of a batch as those of all its images."""
    by_name: dict[str, list[ImageLosses]] = {}
    for part in parts:
        for name, losses in part.items():
            by_name.setdefault(name, []).append(losses)
    return {
        name: ImageLosses(torch.cat([one.sums for one in found]), torch.cat([one.counts for one in found]))
        for name, found in by_name.items()
    }


def labelled_pixels(logits: Mapping[str, Tensor], label: Tensor, *, align_corners: bool = False) -> dict[str, Tensor]:
    """How many pixels of each image `[B]` cross-entropy counts, by the name of logits of any number of images."""
    return {name: _labelled(thinned(label, scores, align_corners=align_corners)) for name, scores in logits.items()}


def thinned(label: Tensor, logits: Tensor, *, align_corners: bool) -> Tensor:
    """The label `[B, H, W]` as int64 at the pixels at which an evaluation puts the logits `[B, C, h, w]`."""
    if label.shape[-2:] == logits.shape[-2:]:
        return label.long()
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


def cross_entropy(logits: Tensor, label: Tensor) -> ImageLosses:
    """Cross-entropy of the pixels whose label (int64) is not 255."""
    return ImageLosses(_pixel_losses(logits, label).flatten(1).sum(1), _labelled(label))


def hard_pixel_cross_entropy(logits: Tensor, label: Tensor, hard: HardPixels) -> ImageLosses:
    """Cross-entropy of the hardest pixels: online hard example mining, image by image.

    A pixel is kept if its true class has at most the threshold's probability, or if it is among the `kept_pixels` with
    the highest loss of its image; an image with fewer labelled pixels keeps all.
    Source: GALD, section IV-B, "top-K"; threshold, number and mean over the kept ones from GALD's public code.
    """
    losses = _pixel_losses(logits, label).flatten(1)
    labelled = (label != IGNORE).flatten(1)
    ranked = losses.detach().masked_fill(~labelled, -math.inf)
    count = min(hard.kept_pixels, ranked.shape[1])
    least = ranked.topk(count, sorted=False).values.amin(1, keepdim=True)
    if hard.threshold is not None:
        least = least.clamp(max=-math.log(hard.threshold))
    kept = labelled & ~(ranked < least)  # so that what is no number is kept, and seen
    return ImageLosses(losses.masked_fill(~kept, 0).sum(1), kept.sum(1))


def _labelled(label: Tensor) -> Tensor:
    return (label != IGNORE).flatten(1).sum(1)


def _pixel_losses(logits: Tensor, label: Tensor) -> Tensor:
    """Cross-entropy `[B, h, w]`; 0 where the label is 255."""
    logits = logits if logits.dtype == torch.float64 else logits.float()
    if not torch.are_deterministic_algorithms_enabled():
        return functional.cross_entropy(logits, label, ignore_index=IGNORE, reduction="none")
    # CUDA's two-dimensional NLL has no deterministic form
    log_probability = functional.log_softmax(logits, 1)
    chosen = log_probability.gather(1, label.clamp(max=logits.shape[1] - 1).unsqueeze(1)).squeeze(1)
    return -chosen.masked_fill(label == IGNORE, 0)
