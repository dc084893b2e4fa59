"""The work of one process on one run: build, train, evaluate."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any, cast

import torch

from repro.build import build_dataset, build_model
from repro.config.settings import Length, Loss, Precision, Schedule, Selection, Settings
from repro.data import Augmentation, Duplicated, SegmentationDataset, steps_per_epoch, training_loader
from repro.engine.asynchronous import StaleWeights
from repro.engine.checkpoint import CheckpointFolder, TrainingState, serialised
from repro.engine.device import available_threads, choose_device, loader_workers, set_determinism, set_threads
from repro.engine.evaluate import evaluate
from repro.engine.optim import build_optimiser
from repro.engine.progress import Progress
from repro.engine.stop import StopRequest
from repro.engine.train import Training, gradient_scaler, train
from repro.errors import ConfigError, DataError
from repro.metrics import miou_percent
from repro.nn import Segmenter, load_network_weights, load_published_weights
from repro.run.evaluation import describe_process, describe_split, measure
from repro.seeding import stream
from repro.store.files import atomic_write
from repro.store.journal import Journal, read_journal
from repro.store.lock import FolderLock
from repro.store.record import Record
from repro.store.run_folder import RunFolder
from repro.track import Tracker

Config = dict[str, Any]


class Session:
    """The work of one process on one run."""

    def __init__(
        self,
        config: Config,
        settings: Settings,
        folder: RunFolder,
        lock: FolderLock,
        journal: Journal,
        tracker: Tracker,
        stop: StopRequest,
    ) -> None:
        self.config, self.settings, self.folder, self.lock = config, settings, folder, lock
        self.journal, self.tracker, self.stop = journal, tracker, stop
        self.weights_path = folder.path / "weights.pt"
        self.checkpoints = CheckpointFolder(folder.checkpoints_path, atomic_write)
        events = read_journal(folder.journal_path).events
        self.restarted = sum(event.kind == "started" for event in events) > 1
        set_threads(settings.runtime.threads or available_threads())
        set_determinism(settings.determinism)
        self.device = choose_device(settings.runtime.device)

    def carry_out(self, evaluation_id: str) -> Record:
        """Trains unless the final weights are there, then evaluates and writes the record."""
        dataset = self.config["dataset"]
        measured = build_dataset(self.config, self.settings.evaluation.split or dataset["evaluation_split"])
        trained = self.weights_path.exists()
        started = trained or bool(self.checkpoints.files())
        fresh = not started and not replaces_backbone(self.config["init"])
        model, auxiliary_weight = build_model(self.config, measured.num_classes, pretrained=fresh)
        if not started:
            self.take_over_weights(model)
        check_output_stride(model, self.settings.evaluation.output_stride)
        if self.settings.runtime.channels_last:
            model = model.to(memory_format=torch.channels_last)
        model = model.to(self.device)
        if not trained and self.settings.trains:
            self.train(model, auxiliary_weight, self.training_split())
        elif not trained:
            self.store_weights(model.state_dict(), step=0, wall_seconds=0.0, gpu_seconds=0.0)
        self.checkpoints.clear()
        final = torch.load(self.weights_path, map_location=self.device, weights_only=True)
        model.load_state_dict(final.pop("model"))
        self.folder.write_status("RUNNING", step=final["step"], message="evaluating")
        record = measure(self.config, self.settings, self.folder, model, measured, self.device, self.interrupt, final)
        self.journal.event("evaluated", evaluation=evaluation_id)
        self.tracker.sync(final["step"])
        return record

    def training_split(self) -> SegmentationDataset:
        """The split trained on, images of some classes more than once if the configuration says so."""
        node = self.config["dataset"]
        dataset = build_dataset(self.config, node["train_split"])
        if node.get("duplicate") is None:
            return dataset
        shown = self.settings.runtime.progress
        with Progress("masks for duplicates", total=len(dataset), unit="mask", shown=shown) as bar:
            duplicated = Duplicated(dataset, node["duplicate"], node["duplicate_times"], advance=bar.advance)
        self.journal.event("duplicated", images=duplicated.duplicated, of=len(dataset), epoch=len(duplicated))
        return duplicated

    def take_over_weights(self, model: Segmenter) -> None:
        """Starts from the weights that `init` names, if any.

        Raises:
            ConfigError: it names something else than a run or a file.
            DataError: the weights are not there or do not fit.
        """
        init = self.config["init"]
        if init["from"] is None:
            return
        kind, _, name = init["from"].partition(":")
        if kind == "torchvision":
            load_published_weights(model, name, init["drop"])
        elif kind == "run":
            path = self.folder.path.parent / name / "weights.pt"
            if not path.exists():
                raise DataError(f"init.from names the run {name}, which has no weights at {path}; carry it out first")
            load_network_weights(model, path, init["drop"])
        elif kind == "file":
            load_network_weights(model, Path(name).expanduser(), init["drop"])
        else:
            raise ConfigError(f"init.from is {init['from']!r}; write run:<run id>, file:<path> or torchvision:<name>")
        self.journal.event("weights_taken_over", source=init["from"], dropped=init["drop"])

    def interrupt(self, where: str) -> None:
        """Ends the evaluation if a signal has come or the folder is not ours any more."""
        self.stop.check(where)
        self.lock.check()

    def train(self, model: Segmenter, auxiliary_weight: float, dataset: SegmentationDataset) -> None:
        """Trains to the last step and stores the selected weights."""
        schedule, device = self.settings.schedule, self.device
        check_hard_pixels(schedule, dataset)
        epoch_steps = steps_per_epoch(len(dataset), schedule.batch_size)
        others = [model.head] + ([model.auxiliary] if model.auxiliary is not None else [])
        scaled = self.settings.precision is Precision.fp16
        optimiser = build_optimiser(model.backbone, others, schedule, fused=not scaled)
        torch.manual_seed(stream(self.settings.seed, "dropout"))
        network = torch.compile(model) if self.settings.runtime.compile else model
        job = Training(
            state=TrainingState(
                model,
                optimiser,
                gradient_scaler(self.settings.precision, device),
                stale=StaleWeights(model, schedule.replicas) if schedule.replicas > 1 else None,
            ),
            network=network,
            settings=self.settings,
            auxiliary_weight=auxiliary_weight,
            steps=Length.parse(schedule.length, "schedule.length").steps(epoch_steps),
            steps_per_epoch=epoch_steps,
            device=device,
            batches=lambda first: self.batches(dataset, first, job.steps),
            checkpoints=self.checkpoints,
            journal=self.journal,
            validate=self.validation(model),
            before_checkpoint=self.lock.check,
            on_checkpoint=self.tracker.sync,
            stop_requested=self.stop.requested,
            restarted=self.restarted,
            align_corners=self.config["align_corners"],
        )
        self.folder.write_status("RUNNING", message="training")
        try:
            finished = train(job)
        except RuntimeError as error:  # torch's own, raised wherever the training stands when a worker dies
            if "DataLoader worker" not in str(error):
                raise
            raise DataError(f"a loader worker was killed, most often for lack of memory: {error}") from error
        if not finished:
            self.stop.check(f"at step {job.state.step} of {job.steps}, after a checkpoint")
        self.lock.check()
        self.keep_weights(job, dataset)

    def validation(self, model: Segmenter) -> Callable[[], float]:
        """Scores the model on the validation split, single scale at the trained stride; opened only if wanted.

        Raises:
            ConfigError: the test split would choose the weights.
        """
        split = self.settings.validation.split or self.config["dataset"]["evaluation_split"]
        if self.settings.validation.every is None:
            return lambda: float("nan")
        if split == "test" and self.settings.selection is Selection.best:
            raise ConfigError("selection=best would choose the weights by the test split; give validation.split=val")
        dataset = build_dataset(self.config, split)
        plain = replace(self.settings.evaluation, scales=[1.0], flip=False, output_stride=None, pad_to=None,
                        window=None, window_stride=None)  # fmt: skip
        protocol = replace(self.settings, evaluation=plain)
        return lambda: float(miou_percent(evaluate(model, dataset, protocol, self.device, title="validation")))

    def batches(self, dataset: SegmentationDataset, first_step: int, steps: int) -> Any:
        """The batches of the steps still to do."""
        runtime, wanted = self.settings.runtime, self.settings.schedule.augmentation
        scales = cast(tuple[float, float], tuple(wanted.scale_range))
        augmentation = Augmentation(wanted.crop_size, scales, wanted.scale_step, wanted.flip)
        return training_loader(
            dataset,
            augmentation,
            seed=self.settings.seed,
            batch_size=self.settings.schedule.batch_size,
            first_step=first_step,
            total_steps=steps,
            workers=loader_workers(runtime.workers, self.device),
            prefetch=runtime.prefetch,
            pin_memory=self.device.type == "cuda",
        )

    def keep_weights(self, job: Training, dataset: SegmentationDataset) -> None:
        """Stores the selected weights with what the record says about the training."""
        state = job.state
        best = self.settings.selection is Selection.best
        self.store_weights(
            job.checkpoints.load_best(state) if best else state.model.state_dict(),
            step=state.best_step if best else state.step,
            wall_seconds=state.wall_seconds,
            gpu_seconds=state.gpu_seconds,
            batch_norm_samples=job.settings.schedule.micro_batch,
            split=describe_split(dataset),
        )

    def store_weights(self, model: Any, **facts: Any) -> None:
        """Stores final weights with what the record says about the training."""
        content = {"model": model, **facts, **describe_process(self.device)}
        atomic_write(self.weights_path, serialised(content))


def replaces_backbone(init: dict[str, Any]) -> bool:
    """Whether the weights to start from make those of the backbone superfluous."""
    return init["from"] is not None and not any(prefix.startswith("backbone") for prefix in init["drop"])


def check_hard_pixels(schedule: Schedule, dataset: SegmentationDataset) -> None:
    """Refuses a mining of hard pixels that could leave none out."""
    if schedule.loss is not Loss.ohem:
        return
    side = schedule.augmentation.crop_size
    pixels = side**2 if side else dataset.load_label(0).numel()
    if pixels <= schedule.ohem.kept_pixels:
        raise ConfigError(
            f"schedule.ohem.kept_pixels is {schedule.ohem.kept_pixels}, but a training image has {pixels} pixels, so "
            f"that none would be left out; give a smaller number, such as {round(0.14 * pixels)}, the share that "
            "GALD's public code keeps, or schedule.loss=cross_entropy"
        )


def check_output_stride(model: Segmenter, output_stride: int | None) -> None:
    """Finds out before the training whether the evaluation's output stride is possible."""
    trained = model.output_stride
    try:
        model.set_output_stride(output_stride or trained)
    except ValueError as error:
        raise ConfigError(f"evaluation.output_stride: {error}") from error
    model.set_output_stride(trained)
