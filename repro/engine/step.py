"""One optimiser step: gradients of all passes over a batch added up, then the update."""

from collections.abc import Callable
from contextlib import nullcontext
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from repro.config.settings import BatchNorm, FrozenIn, Loss, Precision, Settings
from repro.data import normalise
from repro.engine.checkpoint import TrainingState
from repro.engine.device import autocast
from repro.engine.losses import Losses, joined, labelled_pixels, segmentation_losses, weighted_mean
from repro.engine.optim import set_learning_rate


@dataclass
class Learner:
    """What learns, and how.

    Attributes:
        network: what is called: the state's model, or its compiled form.
        auxiliary_weight: of the loss of the auxiliary logits.
        steps: steps of the whole training, which the learning rate goes by.
    """

    state: TrainingState
    network: Callable[[Tensor], dict[str, Tensor]]
    settings: Settings
    auxiliary_weight: float
    steps: int
    device: torch.device


def training_step(learner: Learner, image: Tensor, label: Tensor) -> tuple[Tensor, float]:
    """One optimiser step on one batch.

    Args:
        image: uint8 `[B, 3, H, W]`.
        label: uint8 `[B, H, W]`, 255 = ignore.

    Returns:
        The loss as a detached scalar on the device, and the base learning rate.
    """
    state = learner.state
    rate = set_learning_rate(state.optimiser, state.step, learner.steps, learner.settings.schedule)
    state.optimiser.zero_grad(set_to_none=True)
    with state.stale.in_place(state.step) if state.stale else nullcontext():
        total = backward(learner, image, label)
    state.scaler.step(state.optimiser)
    state.scaler.update()
    return total, rate


def backward(learner: Learner, image: Tensor, label: Tensor) -> Tensor:
    """Leaves the gradient of the loss of one batch, taken in passes of so many images; returns it, detached.

    Where the loss is one mean over the hard pixels of several passes, what divides it is known after the last of them,
    and until then these stay in memory.

    Raises:
        ConfigError: in the first step, if mining can leave no pixel out.
    """
    schedule, align = learner.settings.schedule, learner.settings.align_corners
    hard = schedule.ohem if schedule.loss is Loss.ohem else None
    size, images = learner.settings.images_per_pass, schedule.averaged_images
    label = label.to(learner.device, non_blocking=True)
    total, waiting, counts = torch.zeros((), device=learner.device), list[Losses](), dict[str, Tensor]()

    def descend(loss: Tensor) -> Tensor:
        torch.autograd.backward(learner.state.scaler.scale(loss))
        return loss.detach()

    passes = zip(torch.split(image, size), torch.split(label, size), strict=True)
    for number, (part_image, part_label) in enumerate(passes):
        pixels = to_device(part_image, learner.device, learner.settings.runtime.channels_last)
        with autocast(learner.device, learner.settings.precision):
            logits = learner.network(normalise(pixels))
            losses = segmentation_losses(logits, part_label, hard, align_corners=align)
        if learner.state.step == 0:
            schedule.check_hard_pixels(logits["main"][0, 0].numel())
        if images > size and hard is not None:
            waiting.append(losses)
            if len(waiting) * size == images:
                total += descend(weighted_mean(joined(waiting), learner.auxiliary_weight, images, len(image)))
                waiting.clear()
            continue
        if images > size and number * size % images == 0:  # the first of a group of images with one mean
            group = label[number * size :][:images]
            counts = labelled_pixels(logits, group, align_corners=align)
        total += descend(weighted_mean(losses, learner.auxiliary_weight, images, len(image), counts))
    return total


def to_device(image: Tensor, device: torch.device, channels_last: bool) -> Tensor:
    """Moves uint8 images `[B, 3, H, W]` to the device in the memory format that convolutions like there."""
    image = image.to(device, non_blocking=True)
    return image.contiguous(memory_format=torch.channels_last) if channels_last else image


def set_training_mode(model: nn.Module, batch_norm: BatchNorm) -> None:
    """Training mode, with the batch-norm momentum of each part, and frozen statistics left in evaluation mode.

    Blocks added behind the backbone count with the head: DeepLabv3, section 4.1, gives one decay for the modules added
    on top of ResNet, and what is added has no statistics of ImageNet to keep.
    """
    model.train()
    added = tuple(f"backbone.{prefix}" for prefix in getattr(getattr(model, "backbone", None), "fresh_prefixes", ()))
    for name, module in model.named_modules():
        if isinstance(module, nn.modules.batchnorm._BatchNorm):
            published = name.startswith("backbone.") and not name.startswith(added)
            module.momentum = batch_norm.backbone_momentum if published else batch_norm.head_momentum
            module.train(not (batch_norm.frozen and (published or batch_norm.frozen_in is FrozenIn.network)))


def gradient_scaler(precision: Precision, device: torch.device) -> torch.amp.GradScaler:
    """Loss scaling for fp16; a pass-through otherwise."""
    return torch.amp.GradScaler(device.type, enabled=precision is Precision.fp16)
