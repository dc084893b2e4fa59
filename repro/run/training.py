"""The training of a run: its images, its optimiser, its loop, and the weights that it leaves."""

from collections.abc import Callable
from typing import cast

import torch
from torch import nn

from repro.build import build_dataset
from repro.config.configuration import Configuration
from repro.config.settings import Length, Loss, Precision, Schedule, Selection, Settings, Shares
from repro.data import Augmentation, Loader, Oversampled, SegmentationDataset, steps_per_epoch, training_loader
from repro.data.loaders import Batch
from repro.engine.asynchronous import StaleWeights
from repro.engine.checkpoint import CheckpointFolder, TrainingState
from repro.engine.device import loader_workers
from repro.engine.evaluate import evaluate
from repro.engine.optim import build_optimiser
from repro.engine.progress import Progress
from repro.engine.recompute import recomputing
from repro.engine.statistics import share_statistics
from repro.engine.step import Learner, gradient_scaler
from repro.engine.stop import StopRequest
from repro.engine.team import ALONE, Team
from repro.engine.train import Keeper, Training, train
from repro.errors import DataError
from repro.metrics import miou_percent
from repro.nn import Segmenter
from repro.run.evaluation import describe_split
from repro.run.fitting import recomputes
from repro.run.held import TRAINING, HeldRun
from repro.run.weights import layout_of, store_weights
from repro.seeding import stream
from repro.store.status import STEPS, RunState

BEFORE_TRAINING = "before its first step here"


def training_split(
    configuration: Configuration, keeper: Keeper, dataset: SegmentationDataset, team: Team = ALONE
) -> SegmentationDataset:
    """The split trained on, images of some classes more than once if the configuration says so."""
    wanted, runtime = configuration.settings.dataset, configuration.settings.runtime
    if wanted.duplicate is None:
        return dataset
    with Progress("masks for oversampling", total=len(dataset), unit="mask", shown=runtime.progress) as bar:

        def advance() -> None:
            if team.size == 1:  # several end together, at a step
                keeper.interrupt(BEFORE_TRAINING)
            bar.advance()

        oversampled = Oversampled(dataset, wanted.duplicate, wanted.duplicate_times, advance=advance)
    keeper.event("oversampled", images=oversampled.repeated, of=len(dataset), epoch=len(oversampled))
    return oversampled


def train_network(job: Training, dataset: SegmentationDataset, held: HeldRun) -> None:
    """Trains to the last step and stores the selected weights.

    Raises:
        Interrupted: a signal came; there is a checkpoint to go on from.
        Diverged: the loss is no number any more.
        DataError: a file that cannot be used, or a loader that was killed.
    """
    job.restarted, job.checkpoint_took = held.restarted, held.checkpoint_took
    held.folder.write_status(RunState.RUNNING, message=TRAINING, **{STEPS: job.learner.steps})
    if job.learner.team.size == 1:
        held.interrupt(BEFORE_TRAINING)
    until_done(job, held.stop)
    held.check()
    keep_weights(job, dataset, held)


def training_job(
    configuration: Configuration,
    keeper: Keeper,
    checkpoints: CheckpointFolder,
    model: Segmenter,
    auxiliary_weight: float,
    dataset: SegmentationDataset,
    device: torch.device,
    team: Team = ALONE,
) -> Training:
    """The training that a configuration asks for, or the part of one process in it.

    Raises:
        ConfigError: mining could leave no pixel out, or the processes cannot share a batch.
        DataError: fewer images than one batch.
    """
    settings, schedule = configuration.settings, configuration.settings.schedule
    check_hard_pixels(schedule, dataset)
    epoch_steps = steps_per_epoch(len(dataset), schedule.batch_size)
    steps = Length.parse(schedule.length, "schedule.length").steps(epoch_steps)
    learner = _learner(settings, model, auxiliary_weight, steps, device, team)
    learner.recomputes = recomputes(configuration, device, team.size)
    share = learner.shares.share(team.rank)
    return Training(
        learner=learner,
        steps_per_epoch=epoch_steps,
        batches=lambda first_step: batches(dataset, settings, first_step, steps, device, share),
        validate=validation(configuration, model, device, keeper.interrupt, team),
        checkpoints=checkpoints,
        keeper=keeper,
    )


def until_done(job: Training, stop: StopRequest) -> None:
    """Trains to the last step.

    Raises:
        Interrupted: a signal has come, to this process or to another one, and a checkpoint is written.
        DataError: a loader worker was killed.
    """
    learner = job.learner
    try:
        with recomputing(learner.state.model, wanted=learner.recomputes):
            finished = train(job)
    except RuntimeError as error:  # torch's own, raised wherever the training stands when a worker dies
        if "DataLoader worker" not in str(error):
            raise
        raise DataError(f"a loader worker was killed, most often for lack of memory: {error}") from error
    if not finished:
        (number,) = learner.team.agree(stop.signal or 0)
        stop.signal = number or None
        stop.check(f"at step {learner.state.step} of {learner.steps}, after a checkpoint")


def _learner(
    settings: Settings, model: Segmenter, auxiliary_weight: float, steps: int, device: torch.device, team: Team
) -> Learner:
    schedule = settings.schedule
    share_statistics(model, team, Shares.of(schedule, team.size, settings.runtime.micro_batch))
    others = [model.head] + ([model.auxiliary] if model.auxiliary is not None else [])
    optimiser = build_optimiser(model.backbone, others, schedule, fused=settings.precision is not Precision.fp16)
    torch.manual_seed(stream(settings.seed, "dropout"))
    network = cast(nn.Module, torch.compile(model)) if settings.runtime.compile else model
    stale = StaleWeights(model, schedule.replicas) if schedule.replicas > 1 else None
    state = TrainingState(model, optimiser, gradient_scaler(settings.precision, device), stale=stale)
    return Learner(state, team.synchronised(network), settings, auxiliary_weight, steps, device, team)


def validation(
    configuration: Configuration,
    model: Segmenter,
    device: torch.device,
    interrupt: Callable[[str], None],
    team: Team = ALONE,
) -> Callable[[], float]:
    """Scores the model on the validation split as the evaluation does, but in one view; opened only if wanted.

    The view is padded or slid over as the evaluation's are, at scale 1, not mirrored, at the trained output stride.
    Before each image `interrupt` is called, which raises if it is to end.
    """
    settings = configuration.settings
    if settings.validation.every is None:
        return lambda: float("nan")
    dataset = build_dataset(configuration, settings.validation_split)
    one_view = configuration.with_evaluation(scales=[1.0], flip=False, output_stride=None).settings
    observer = (lambda *_: interrupt("during a validation")) if team.size == 1 else None  # several end one they began

    def scored() -> float:
        found = evaluate(model, dataset, one_view, device, title="validation", team=team, observer=observer)
        return miou_percent(found.total())

    return scored


def batches(
    dataset: SegmentationDataset,
    settings: Settings,
    first_step: int,
    steps: int,
    device: torch.device,
    share: range | None = None,
) -> Loader[Batch]:
    """The batches of the steps still to do, or what one process has of each."""
    runtime, wanted = settings.runtime, settings.schedule.augmentation
    scales = cast(tuple[float, float], tuple(wanted.scale_range))
    return training_loader(
        dataset,
        Augmentation(
            wanted.crop_size, scales, wanted.scale_step, wanted.flip, wanted.antialias, wanted.label_from_corner
        ),
        seed=settings.seed,
        batch_size=settings.schedule.batch_size,
        share=share,
        first_step=first_step,
        total_steps=steps,
        workers=loader_workers(runtime.workers, device),
        prefetch=runtime.prefetch,
        pin_memory=device.type == "cuda",
    )


def keep_weights(job: Training, dataset: SegmentationDataset, held: HeldRun) -> None:
    """Stores the selected weights with what the record says about the training."""
    learner, state = job.learner, job.learner.state
    best = learner.settings.selection is Selection.best
    store_weights(
        held.folder,
        job.checkpoints.load_best(state) if best else state.model.state_dict(),
        learner.device,
        step=state.best_step if best else state.step,
        wall_seconds=state.wall_seconds,
        gpu_seconds=state.gpu_seconds,
        batch_norm_samples=learner.settings.schedule.micro_batch,
        layout=layout_of(learner, held.folder),
        split=describe_split(dataset),
    )


def check_hard_pixels(schedule: Schedule, dataset: SegmentationDataset) -> None:
    """Refuses a mining of hard pixels that could leave none of an image out; the first step knows smaller logits."""
    if schedule.loss is Loss.ohem:
        schedule.check_hard_pixels((schedule.augmentation.crop_size or 0) ** 2 or dataset.label(0).numel())
