"""One optimiser step: gradients of all passes over a batch added up, then the update."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from functools import cached_property

import torch
from torch import Tensor, nn
from torch.nn import functional

from repro.config.settings import BatchNorm, FrozenIn, Loss, Precision, Schedule, Settings, Shares
from repro.data import normalise
from repro.engine.checkpoint import TrainingState
from repro.engine.device import autocast
from repro.engine.losses import Losses, joined, labelled_pixels, segmentation_losses, weighted_mean
from repro.engine.optim import set_learning_rate
from repro.engine.statistics import RunningStatistics
from repro.engine.team import ALONE, Team
from repro.seeding import stream


@dataclass
class Learner:
    """What learns, and how.

    Attributes:
        network: what is called: the state's model, its compiled form, or either among several processes.
        auxiliary_weight: of the loss of the auxiliary logits.
        steps: steps of the whole training, which the learning rate goes by.
    """

    state: TrainingState
    network: Callable[[Tensor], dict[str, Tensor]]
    settings: Settings
    auxiliary_weight: float
    steps: int
    device: torch.device
    team: Team = ALONE

    @property
    def schedule(self) -> Schedule:
        """What the settings say of the optimisation."""
        return self.settings.schedule

    @cached_property
    def shares(self) -> Shares:
        """How the processes share a batch."""
        return Shares.of(self.schedule, self.team.size)

    @cached_property
    def statistics(self) -> RunningStatistics:
        """The running statistics of batch norm."""
        return RunningStatistics(self.state.model, self.team, self.shares)

    @contextmanager
    def pass_of(self, start: int, *, last: bool) -> Iterator[None]:
        """One forward and backward pass: among several, gradients travel in the last one.

        What is dropped is then drawn for the step, the process and the pass, so that no process needs to know what
        others have drawn, and their number may change between two steps.

        Args:
            start: place of its first image in the own share.
            last: whether it is the last one of the step.
        """
        if self.team.size == 1:
            yield
            return
        torch.manual_seed(stream(self.settings.seed, "dropout", self.state.step, self.team.rank, start))
        with nullcontext() if last else self.network.no_sync():  # type: ignore[attr-defined]
            yield


def training_step(learner: Learner, image: Tensor, label: Tensor) -> tuple[Tensor, float]:
    """One optimiser step on one batch, or on this process's share of it.

    Args:
        image: uint8 `[B, 3, H, W]`.
        label: uint8 `[B, H, W]`, 255 = ignore.

    Returns:
        The loss as a detached scalar on the device, of which each process has what its images add, and the base
        learning rate.
    """
    state = learner.state
    rate = set_learning_rate(state.optimiser, state.step, learner.steps, learner.settings.schedule)
    state.optimiser.zero_grad(set_to_none=True)
    with state.stale.in_place(state.step) if state.stale else nullcontext(), learner.statistics.folded():
        total = backward(learner, image, label)
    state.scaler.step(state.optimiser)
    state.scaler.update()
    return total, rate


def backward(learner: Learner, image: Tensor, label: Tensor) -> Tensor:
    """Leaves the gradient of the loss of one batch, taken in passes of one batch-norm statistic; returns it, detached.

    Where the loss is one mean over the hard pixels of several passes or processes, what divides it is known after the
    last of them, and until then all of them stay in memory.

    Raises:
        ConfigError: in the first step, if mining can leave no pixel out.
    """
    schedule, align, team, shares = learner.schedule, learner.settings.align_corners, learner.team, learner.shares
    hard = schedule.ohem if schedule.loss is Loss.ohem else None
    size, images = shares.pass_images, schedule.averaged_images
    own, whole = shares.share(team.rank), shares.is_whole_on_a_process(images)
    label = label.to(learner.device, non_blocking=True)
    total, waiting, counts = torch.zeros((), device=learner.device), list[Losses](), dict[str, Tensor]()

    def descend(losses: Losses, first: int) -> Tensor:
        loss = weighted_mean(losses, learner.auxiliary_weight, images, shares.batch_size, counts, first)
        # Gradients of several processes are averaged, and the loss is a sum over them.
        torch.autograd.backward(learner.state.scaler.scale(loss * team.size if team.size > 1 else loss))
        return loss.detach()

    for start in range(0, len(own), size):
        part_image, part_label = image[start : start + size], label[start : start + size]
        pixels = to_device(part_image, learner.device, learner.settings.runtime.channels_last)
        with learner.pass_of(start, last=start + size >= len(own)):
            with autocast(learner.device, learner.settings.precision):
                logits = learner.network(normalise(pixels))
                losses = segmentation_losses(logits, part_label, hard, align_corners=align)
            if learner.state.step == 0:
                schedule.check_hard_pixels(logits["main"][0, 0].numel())
            if not whole and hard is not None:
                waiting.append(losses)
                continue
            if not whole and not counts:
                counts = team_counts(team, shares, labelled_pixels(logits, label, align_corners=align))
            total = total + descend(losses, own.start + start)
    if waiting:
        mined = joined(waiting)
        counts = team_counts(team, shares, {name: one.counts for name, one in mined.items()})
        total = total + descend(mined, own.start)
    return total


def team_counts(team: Team, shares: Shares, own: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """How many pixels of each image of the whole batch count, `[batch]`, from those of the own share, by loss."""
    share = shares.share(team.rank)
    row = torch.stack(list(own.values()))
    batch = functional.pad(row, (share.start, shares.batch_size - share.stop))
    return dict(zip(own, team.sum(batch), strict=True))


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
