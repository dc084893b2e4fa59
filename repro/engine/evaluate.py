"""Evaluation: the confusion matrix of every image of a split, and so of the whole, under one protocol."""

import itertools
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional

from repro.config.settings import Average, EvaluationSettings, Settings, window_stride
from repro.data import IGNORE, SegmentationDataset, evaluation_loader, normalise
from repro.engine.device import autocast, loader_workers
from repro.engine.meter import Diverged
from repro.engine.progress import Progress
from repro.engine.step import to_device
from repro.engine.team import ALONE, Team
from repro.metrics import ConfusionMatrix
from repro.store.matrices import Entries, ImageConfusions, entries_of

Sample = tuple[int, Tensor, Tensor]
Observer = Callable[[int, Tensor, Tensor, Tensor], None]


def evaluate(
    model: Any,
    dataset: SegmentationDataset,
    settings: Settings,
    device: torch.device,
    *,
    title: str,
    observer: Observer | None = None,
    team: Team = ALONE,
) -> ImageConfusions:
    """Scores every image of the data set and counts its pixels by true and predicted class.

    Several processes take turns batch by batch, so that every image is scored once, and in the company that it has in
    one process where all have one size.

    Args:
        model: a `Segmenter`; its output stride is changed to the protocol's for the time of the evaluation.
        observer: told index, image `[3, H, W]`, label `[H, W]` and prediction `[H, W]` (uint8) of every image that
            this process scores.
        team: the processes that share the images.

    Returns:
        Every image's confusion matrix, in the order of the split, at every process; `total()` is that of the whole.
        Ignored pixels are left out.

    Raises:
        Diverged: the scores of an image are no finite numbers.
    """
    protocol, runtime = settings.evaluation, settings.runtime
    matrix, counted = ConfusionMatrix(dataset.num_classes, ignore_index=IGNORE), dict[int, Entries]()
    trained_stride = model.backbone.output_stride
    model.eval()
    model.set_output_stride(protocol.output_stride or trained_stride)
    workers = loader_workers(runtime.workers, device)
    own = [index for index in range(len(dataset)) if index // protocol.batch_size % team.size == team.rank]
    loader = evaluation_loader(dataset, own, workers=workers, prefetch=runtime.prefetch)
    try:
        with torch.inference_mode(), Progress(title, total=len(own), unit="image", shown=runtime.progress) as bar:
            for indices, images, labels in batched(loader, protocol.batch_size):
                pixels = to_device(images, device, runtime.channels_last)
                with autocast(device, settings.precision):
                    scores = predict(model, pixels, protocol)
                classes = scores.argmax(1)
                check_finite(scores, classes, [dataset.ids[index] for index in indices], dataset)
                predictions = classes.to(torch.uint8)
                for index, image, label, prediction in zip(indices, images, labels, predictions, strict=True):
                    counted[index] = entries_of(matrix.update(prediction, label.to(device)))
                    if observer:
                        observer(index, image, label, prediction.cpu())
                bar.advance(len(indices))
    finally:
        model.set_output_stride(trained_stride)
    by_index = {index: entries for part in team.collect(counted) for index, entries in part.items()}
    return ImageConfusions.of(dataset.num_classes, [by_index[index] for index in range(len(dataset))])


def check_finite(scores: Tensor, classes: Tensor, ids: Sequence[str], dataset: SegmentationDataset) -> None:
    """Refuses scores `[B, num_classes, H, W]` of which a pixel's best, that of its class `[B, H, W]`, is not finite.

    The best alone is looked at, which costs little: a NaN counts as the best.

    Raises:
        Diverged: names the first such image.
    """
    faulty = ~scores.gather(1, classes[:, None]).isfinite().flatten(1).all(1)
    if faulty.any():
        name = ids[int(faulty.int().argmax())]
        raise Diverged(
            f"the network's scores for image {name!r} of split {dataset.split!r} of {dataset.name!r} are no finite"
            " numbers, so that nothing can be measured: its weights or the statistics of its batch norm have diverged,"
            " or precision is too low for them; a smaller schedule.learning_rate or precision=fp32 may help"
        )


def predict(model: Any, images: Tensor, protocol: EvaluationSettings) -> Tensor:
    """Scores of a batch under the protocol: averaged over scales, mirrored images and windows.

    Args:
        images: uint8 `[B, 3, H, W]`, already on the device.

    Returns:
        `[B, num_classes, H, W]`, probabilities or logits; for a single unmirrored whole view always logits, as their
        order is the same.
    """
    height, width = images.shape[-2:]
    pixels = normalise(images)
    if protocol.pad_first and not protocol.window:
        pixels = _padded(pixels, protocol.pad_to or 0)
    mirrorings = (False, True) if protocol.flip else (False,)
    views = list(itertools.product(protocol.scales, mirrorings))
    alone = len(views) == 1 and protocol.window is None
    scored = _probabilities if protocol.average is Average.probabilities else Tensor.float
    total = torch.zeros((), device=images.device)
    for scale, mirrored in views:
        view = _view_scores(model, pixels.flip(-1) if mirrored else pixels, scale, protocol, scored)
        view = view.flip(-1) if mirrored else view
        view = view[..., :height, :width]
        if alone:
            return view
        total = total + (view if protocol.window else scored(view))
    return total / len(views)


def _probabilities(logits: Tensor) -> Tensor:
    return logits.float().softmax(1)


def _view_scores(
    model: Any, pixels: Tensor, scale: float, protocol: EvaluationSettings, scored: Callable[[Tensor], Tensor]
) -> Tensor:
    """Logits of one scaled view, or the mean scores of its windows, resized to the images: `[B, num_classes, H, W]`.

    Scores are never antialiased, as in no public code.
    """
    height, width = pixels.shape[-2:]
    if scale != 1:
        align = protocol.scaled_align_corners
        pixels = functional.interpolate(
            pixels,
            size=(protocol.scaled_size(height, scale), protocol.scaled_size(width, scale)),
            mode="bilinear",
            align_corners=model.align_corners if align is None else align,
            antialias=protocol.antialias and scale < 1,
        )
    scaled_height, scaled_width = pixels.shape[-2:]
    pixels = _padded(pixels, protocol.window or protocol.scaled_size(protocol.pad_to or 0, scale))
    if protocol.window:
        stride = protocol.window_stride or window_stride(protocol.window)
        view = _window_scores(lambda window: scored(model(window)["main"]), pixels, protocol.window, stride)
    else:
        view = model(pixels)["main"]
    view = view[..., :scaled_height, :scaled_width]
    if scale != 1:
        align = model.align_corners
        view = functional.interpolate(view, size=(height, width), mode="bilinear", align_corners=align)
    return view


def _padded(pixels: Tensor, side: int) -> Tensor:
    """Normalised images padded at the bottom and right, to at least the side, with 0, which is the mean colour."""
    height, width = pixels.shape[-2:]
    return functional.pad(pixels, (0, max(side - width, 0), 0, max(side - height, 0)))


def _window_scores(scores: Callable[[Tensor], Tensor], pixels: Tensor, side: int, stride: int) -> Tensor:
    """Scores of square windows slid over `[B, 3, H, W]`, averaged where they overlap; the last ones end at the border.

    Source: PSPNet's, GALD's and mmsegmentation's public code.
    """
    height, width = pixels.shape[-2:]
    total, count = torch.zeros((), device=pixels.device), torch.zeros(height, width, device=pixels.device)
    for top, left in itertools.product(_starts(height, side, stride), _starts(width, side, stride)):
        window = (..., slice(top, top + side), slice(left, left + side))
        seen = scores(pixels[window])
        if total.dim() == 0:
            total = seen.new_zeros(*seen.shape[:2], height, width)
        total[window] += seen
        count[window] += 1
    return total / count


def _starts(length: int, side: int, stride: int) -> list[int]:
    """First pixels of windows that cover a length, the last one shifted back to end with it."""
    return [*range(0, length - side, stride), length - side]


def batched(samples: Iterable[Sample], batch_size: int) -> Iterator[tuple[list[int], Tensor, Tensor]]:
    """Groups consecutive samples of one size; the grouping changes no score."""
    group: list[Sample] = []
    for sample in samples:
        if group and (len(group) == batch_size or sample[1].shape != group[0][1].shape):
            yield _stacked(group)
            group = []
        group.append(sample)
    if group:
        yield _stacked(group)


def _stacked(group: list[Sample]) -> tuple[list[int], Tensor, Tensor]:
    indices, images, labels = zip(*group, strict=True)
    return list(indices), torch.stack(images), torch.stack(labels)
