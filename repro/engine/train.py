"""The training loop: restore, step, log, validate, checkpoint, finish."""

import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Protocol

from torch import Tensor

from repro.config.settings import Length, Selection
from repro.engine.checkpoint import CheckpointFolder
from repro.engine.meter import Meter
from repro.engine.progress import Progress
from repro.engine.step import Learner, set_training_mode, training_step
from repro.engine.stop import Interrupted
from repro.errors import ConfigError


class Keeper(Protocol):
    """Who keeps the run: is told what happens, and asked whether it may go on."""

    def point(self, step: int, **metrics: float) -> None:
        """Metrics after a step."""

    def event(self, kind: str, **facts: object) -> None:
        """Something that happened."""

    def check(self) -> None:
        """Raises if the run folder is not ours any more, before something is written there."""

    def saved(self, step: int) -> None:
        """A checkpoint of a step is on disk."""

    def stop_requested(self) -> bool:
        """Whether the process was asked to end."""

    def interrupt(self, where: str) -> None:
        """Raises `Interrupted` if it was."""


@dataclass
class Training:
    """One training.

    Attributes:
        batches: from the first step not yet done to the last; called with that step once it is known.
        validate: scores the validation images and returns mIoU in percent; `Interrupted` if it was asked to end.
        restarted: whether an earlier process has begun this training.
        checkpoint_took: seconds of the last checkpoint that an earlier process has written; 0 if there is none.
    """

    learner: Learner
    steps_per_epoch: int
    batches: Callable[[int], Iterable[tuple[Tensor, Tensor]]]
    validate: Callable[[], float]
    checkpoints: CheckpointFolder
    keeper: Keeper
    restarted: bool = False
    checkpoint_took: float = 0.0


def train(job: Training) -> bool:
    """Trains from the newest checkpoint, or from the start, to the last step.

    Returns:
        Whether the last step was reached; false if the process was asked to stop, after a checkpoint.

    Raises:
        Diverged: if the loss is not finite; the checkpoint before is kept.
    """
    learner, keeper = job.learner, job.keeper
    state, settings = learner.state, learner.settings
    if restored(job) or job.restarted:
        keeper.event("resumed", step=state.step)
    meter = Meter(learner, job.checkpoint_took)
    if state.validation_pending:
        validation(job)
        if state.validation_pending:
            return False
    if state.step >= learner.steps:
        return True
    every = settings.validation.every
    validate_every = Length.parse(every, "validation.every").steps(job.steps_per_epoch) if every else None
    chooses = settings.selection is Selection.best
    set_training_mode(state.model, settings.schedule.batch_norm)
    shown = settings.runtime.progress
    with Progress("training", total=learner.steps, done=state.step, unit="step", shown=shown) as bar:
        for image, label in job.batches(state.step):
            loss, rate = training_step(learner, image, label)
            meter.take(loss, settings.schedule.batch_size)
            state.step += 1
            last = state.step == learner.steps
            bar.advance(figures=log(job, meter, rate, force=last))
            stop, save = agreed(job, meter)
            if validate_every and (state.step % validate_every == 0 or (last and chooses)):
                state.validation_pending = chooses  # a score that only informs is not made up for
                if not stop:
                    validation(job)
                    stop, save = agreed(job, meter)
            if last or stop or save:
                checkpoint(job, meter)
                if stop and (state.validation_pending or not last):
                    return False
    return True


def restored(job: Training) -> bool:
    """Goes on from the newest checkpoint, if there is one; all processes have the state of the leading one then."""
    state, team = job.learner.state, job.learner.team
    found = job.checkpoints.restore(state) is not None if team.leads else False
    if team.size > 1:
        told = team.tell(state.state_dict() if team.leads else None)
        if not team.leads:
            state.load_state_dict(told)
    return found


def agreed(job: Training, meter: Meter) -> tuple[bool, bool]:
    """Whether all processes are to stop here, and whether a checkpoint is due, which the leading one's clock says."""
    team = job.learner.team
    stop, save = team.agree(job.keeper.stop_requested(), meter.checkpoint_due() and team.leads)
    return bool(stop), bool(save)


def log(job: Training, meter: Meter, rate: float, *, force: bool) -> dict[str, str]:
    """At a log point journals what the meter says, and returns the figures for the progress bar."""
    step = job.learner.state.step
    if step % job.learner.settings.runtime.log_every_steps and not force:
        return {}
    loss, speed = meter.figures()
    job.keeper.point(step, loss=loss, learning_rate=rate, images_per_second=speed)
    return {"loss": f"{loss:.3f}", "lr": f"{rate:.2g}", "images/s": f"{speed:.1f}"}


def validation(job: Training) -> None:
    """Scores the validation images, journals the score and keeps the best weights; if asked to end, leaves that off."""
    state, settings = job.learner.state, job.learner.settings
    state.model.eval()
    try:
        score = job.validate()
    except Interrupted:
        return
    finally:
        set_training_mode(state.model, settings.schedule.batch_norm)
    state.validation_pending = False
    job.keeper.point(state.step, validation_miou_percent=score)
    if settings.selection is not Selection.best:
        return
    if math.isnan(score):
        raise ConfigError("selection=best needs labels, but the validation split has none; choose validation.split")
    if state.best_miou_percent is None or score > state.best_miou_percent:
        state.best_miou_percent, state.best_step = score, state.step
        if job.learner.team.leads:
            job.checkpoints.save_best(state)


def checkpoint(job: Training, meter: Meter) -> None:
    """Writes a checkpoint, unless a loss since the last was not finite, and tells who keeps the run."""
    state = job.learner.state
    meter.check_finite()
    meter.book_time()
    if not job.learner.team.leads:
        return
    job.keeper.check()
    with meter.checkpointing():
        job.checkpoints.save(state)
    job.keeper.event("checkpoint", step=state.step, seconds=round(meter.checkpoint_took, 3))
    job.keeper.saved(state.step)
