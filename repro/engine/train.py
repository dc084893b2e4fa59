"""The training loop: restore, step, log, validate, checkpoint, finish."""

import math
import time
from collections.abc import Callable, Iterable
from contextlib import nullcontext
from dataclasses import dataclass
from typing import Protocol

import torch
from torch import Tensor, nn

from repro.config.settings import BatchNorm, Length, Loss, Precision, Selection, Settings
from repro.data import normalise
from repro.engine.checkpoint import CheckpointFolder, TrainingState
from repro.engine.device import autocast
from repro.engine.losses import segmentation_loss
from repro.engine.optim import set_learning_rate
from repro.engine.progress import Progress
from repro.errors import ConfigError, ReproError


class Diverged(ReproError):
    """The loss is no finite number any more."""


class Journal(Protocol):
    """What the loop reports to."""

    def point(self, step: int, **metrics: float) -> None:
        """Metrics after a step."""

    def event(self, kind: str, **facts: object) -> None:
        """Something that happened."""


@dataclass
class Training:
    """One training: what is trained, on what, and who is told.

    Attributes:
        network: what is called: the state's model, or its compiled form.
        batches: from the first step not yet done to the last; called with that step once it is known.
        validate: scores the validation images and returns mIoU in percent.
        before_checkpoint: raises if the run folder is not ours any more.
        on_checkpoint: told the step of every checkpoint written.
        stop_requested: whether the process was asked to end.
        restarted: whether an earlier process has begun this training.
        align_corners: how logits are enlarged.
    """

    state: TrainingState
    network: Callable[[Tensor], dict[str, Tensor]]
    settings: Settings
    auxiliary_weight: float
    steps: int
    steps_per_epoch: int
    device: torch.device
    batches: Callable[[int], Iterable[tuple[Tensor, Tensor]]]
    checkpoints: CheckpointFolder
    journal: Journal
    validate: Callable[[], float]
    before_checkpoint: Callable[[], None]
    on_checkpoint: Callable[[int], None]
    stop_requested: Callable[[], bool]
    restarted: bool = False
    align_corners: bool = False


def train(job: Training) -> bool:
    """Trains from the newest checkpoint, or from the start, to the last step.

    Returns:
        Whether the last step was reached; false if the process was asked to stop, after a checkpoint.

    Raises:
        Diverged: if the loss is not finite; the checkpoint before is kept.
    """
    state, settings = job.state, job.settings
    resumed = job.checkpoints.restore(state)
    if resumed is not None or job.restarted:
        job.journal.event("resumed", step=state.step)
    if state.step >= job.steps:
        return True
    meter = Meter(job)
    every = settings.validation.every
    validate_every = Length.parse(every, "validation.every").steps(job.steps_per_epoch) if every else None
    chooses = settings.selection is Selection.best
    set_training_mode(job.state.model, settings.schedule.batch_norm)
    with Progress("training", total=job.steps, done=state.step, unit="step", shown=settings.runtime.progress) as bar:
        for image, label in job.batches(state.step):
            loss, rate = training_step(job, image, label)
            state.step += 1
            last = state.step == job.steps
            bar.advance(figures=meter.update(loss, rate, settings.schedule.batch_size, force=last))
            due = validate_every and (state.step % validate_every == 0 or (last and chooses))
            if due and (chooses or not job.stop_requested()):  # a score that only informs must not delay the end
                validation(job)
            if last or job.stop_requested() or meter.checkpoint_due(settings.runtime.checkpoint_seconds):
                checkpoint(job, meter)
                if job.stop_requested() and not last:
                    return False
    return True


def training_step(job: Training, image: Tensor, label: Tensor) -> tuple[Tensor, float]:
    """One optimiser step on one batch: gradients averaged over micro-batches, then the update.

    Returns:
        The loss as a detached scalar on the device, and the base learning rate.
    """
    state, settings = job.state, job.settings
    rate = set_learning_rate(state.optimiser, state.step, job.steps, settings.schedule)
    state.optimiser.zero_grad(set_to_none=True)
    with state.stale.in_place(state.step) if state.stale else nullcontext():
        total = backward(job, image, label)
    state.scaler.step(state.optimiser)
    state.scaler.update()
    return total, rate


def backward(job: Training, image: Tensor, label: Tensor) -> Tensor:
    """Leaves the gradient of one batch, averaged over its micro-batches; returns the loss, detached."""
    state, settings = job.state, job.settings
    micro_batch, parts = settings.schedule.micro_batch, settings.schedule.accumulation
    hard = settings.schedule.ohem if settings.schedule.loss is Loss.ohem else None
    total = torch.zeros((), device=job.device)
    for part_image, part_label in zip(torch.split(image, micro_batch), torch.split(label, micro_batch), strict=True):
        pixels = to_device(part_image, job.device, settings.runtime.channels_last)
        with autocast(job.device, settings.precision):
            logits = job.network(normalise(pixels))
            truth = part_label.to(job.device, non_blocking=True)
            align = job.align_corners
            loss = segmentation_loss(logits, truth, job.auxiliary_weight, hard, align_corners=align) / parts
        torch.autograd.backward(state.scaler.scale(loss))
        total += loss.detach()
    return total


def to_device(image: Tensor, device: torch.device, channels_last: bool) -> Tensor:
    """Moves uint8 images `[B, 3, H, W]` to the device in the memory format that convolutions like there."""
    image = image.to(device, non_blocking=True)
    return image.contiguous(memory_format=torch.channels_last) if channels_last else image


def set_training_mode(model: nn.Module, batch_norm: BatchNorm) -> None:
    """Training mode, with the batch-norm momentum of the schedule, and frozen statistics left in evaluation mode."""
    model.train()
    for module in model.modules():
        if isinstance(module, nn.modules.batchnorm._BatchNorm):
            module.momentum = batch_norm.momentum
            module.train(not batch_norm.frozen)


def gradient_scaler(precision: Precision, device: torch.device) -> torch.amp.GradScaler:
    """Loss scaling for fp16; a pass-through otherwise."""
    return torch.amp.GradScaler(device.type, enabled=precision is Precision.fp16)


def validation(job: Training) -> None:
    """Scores the validation images, journals the score and keeps the best weights."""
    state = job.state
    state.model.eval()
    score = job.validate()
    set_training_mode(state.model, job.settings.schedule.batch_norm)
    job.journal.point(state.step, validation_miou_percent=score)
    if job.settings.selection is not Selection.best:
        return
    if math.isnan(score):
        raise ConfigError("selection=best needs labels, but the validation split has none; choose validation.split")
    if state.best_miou_percent is None or score > state.best_miou_percent:
        state.best_miou_percent, state.best_step = score, state.step
        job.checkpoints.save_best(state)


def checkpoint(job: Training, meter: "Meter") -> None:
    """Writes a checkpoint, unless a loss since the last was not finite, and tells who follows the run."""
    meter.check_finite()
    meter.book_time()
    job.before_checkpoint()
    job.checkpoints.save(job.state)
    job.journal.event("checkpoint", step=job.state.step)
    job.on_checkpoint(job.state.step)


class Meter:
    """Averages the loss between two log points, watches that it is finite, and keeps the time.

    The loss stays on the device between log points, so that a GPU is not made to wait at every step.
    """

    def __init__(self, job: Training) -> None:
        self._job = job
        self._loss = torch.zeros((), device=job.device)
        self._steps = self._images = 0
        self._since = self._booked = self._saved = time.perf_counter()
        self._finite_up_to = job.state.step

    def update(self, loss: Tensor, rate: float, images: int, *, force: bool) -> dict[str, str]:
        """Takes one step's loss; at a log point journals and returns the figures for the progress bar."""
        self._loss += loss
        self._steps += 1
        self._images += images
        step = self._job.state.step
        if step % self._job.settings.runtime.log_every_steps and not force:
            return {}
        self.check_finite()
        now = time.perf_counter()
        mean, speed = self._loss.item() / self._steps, self._images / (now - self._since)
        self._job.journal.point(step, loss=mean, learning_rate=rate, images_per_second=speed)
        self._loss.zero_()
        self._steps = self._images = 0
        self._since = now
        return {"loss": f"{mean:.3f}", "lr": f"{rate:.2g}", "images/s": f"{speed:.1f}"}

    def check_finite(self) -> None:
        """Raises `Diverged` with the range of steps if a loss since the last check was NaN or infinite."""
        step = self._job.state.step
        if not torch.isfinite(self._loss):
            rate = self._job.settings.schedule.learning_rate
            raise Diverged(
                f"the loss is {self._loss.item()} between steps {self._finite_up_to} and {step}; "
                f"a smaller schedule.learning_rate than {rate} or precision=fp32 may help"
            )
        self._finite_up_to = step

    def checkpoint_due(self, every_seconds: float) -> bool:
        """Whether as much time has passed since the last checkpoint."""
        return time.perf_counter() - self._saved >= every_seconds

    def book_time(self) -> None:
        """Adds the time since the last booking to the state."""
        now = time.perf_counter()
        self._job.state.wall_seconds += now - self._booked
        if self._job.device.type == "cuda":
            self._job.state.gpu_seconds += now - self._booked
        self._booked = self._saved = now
