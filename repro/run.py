"""One run: skip what is done, build, train, evaluate, record, and keep the tracking server informed."""

import logging
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
import yaml

from repro import compose, identity, provenance
from repro.build import build_dataset, build_model
from repro.data import Augmentation, SegmentationDataset, steps_per_epoch, training_loader
from repro.engine.checkpoint import CheckpointFolder, TrainingState, serialised
from repro.engine.device import available_threads, choose_device, loader_workers, set_determinism, set_threads
from repro.engine.evaluate import evaluate
from repro.engine.optim import build_optimiser
from repro.engine.stop import Interrupted, StopRequest
from repro.engine.train import Training, gradient_scaler, train
from repro.errors import DataError, StoreError
from repro.measure import describe_split, measure
from repro.metrics import miou_percent
from repro.nn import Segmenter
from repro.records import Record
from repro.seeding import stream
from repro.settings import Length, Selection, Settings
from repro.store import FolderLock, RunFolder, atomic_write
from repro.tracking import Journal, Tracker, make_tracker

log = logging.getLogger(__name__)

Config = dict[str, Any]


@dataclass(frozen=True)
class Outcome:
    """What a run left: its folder, the record of the evaluation asked for, and whether anything had to be done."""

    folder: RunFolder
    record: Record
    fresh: bool


def run(config: Config) -> Outcome:
    """Carries out one run to its record; what is already there is not done again.

    Args:
        config: a resolved configuration, see `repro.compose.compose`.

    Raises:
        ReproError: a mistake in the configuration or the data, a folder held by another process, a diverged loss, or
            a signal; the run folder's status says what happened and the same command goes on from there.
    """
    settings = compose.settings(config)
    folder = RunFolder(Path(config["outputs"]) / "runs", identity.run_id(config))
    evaluation_id = identity.evaluation_id(config)
    if folder.has_evaluation(evaluation_id):
        return Outcome(folder, folder.read_record(evaluation_id), fresh=False)
    with StopRequest() as stop, folder.lock() as lock, Journal(folder.journal_path) as journal:
        if lock.taken_over:
            journal.event("lock_taken_over", host=lock.taken_over.host, pid=lock.taken_over.pid)
        if folder.has_evaluation(evaluation_id):  # whoever held the lock has done it
            return Outcome(folder, folder.read_record(evaluation_id), fresh=False)
        settings.runtime.threads = freeze(folder, config)
        with logged_to(folder.path / "run.log"):
            choices = config["composition"]["choices"]
            journal.event("started", names=choices, commit=provenance.code_version()["commit"])
            tracker = start_tracker(folder, config)
            try:
                session = Session(config, settings, folder, lock, journal, tracker, stop)
                record = session.carry_out(evaluation_id)
            except BaseException as error:
                tracker.finish(record_fate(folder, journal, error))
                raise
            folder.write_status("FINISHED", step=record.steps)
            tracker.finish("FINISHED")
    return Outcome(folder, record, fresh=True)


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
        set_threads(settings.runtime.threads or available_threads())
        set_determinism(settings.determinism)
        self.device = choose_device(settings.runtime.device)

    def carry_out(self, evaluation_id: str) -> Record:
        """Trains unless the final weights are there, then evaluates and writes the record."""
        dataset = self.config["dataset"]
        measured = build_dataset(self.config, self.settings.evaluation.split or dataset["evaluation_split"])
        model, auxiliary_weight = build_model(self.config, measured.num_classes)
        if self.settings.runtime.channels_last:
            model = model.to(memory_format=torch.channels_last)
        model = model.to(self.device)
        if not self.weights_path.exists():
            self.train(model, auxiliary_weight, build_dataset(self.config, dataset["train_split"]), measured)
        final = torch.load(self.weights_path, map_location=self.device, weights_only=True)
        model.load_state_dict(final.pop("model"))
        self.folder.write_status("RUNNING", step=final["step"], message="evaluating")
        record = measure(self.config, self.settings, self.folder, model, measured, self.device, self.stop, final)
        self.journal.event("evaluated", evaluation=evaluation_id)
        self.tracker.sync(final["step"])
        return record

    def train(
        self, model: Segmenter, auxiliary_weight: float, dataset: SegmentationDataset, measured: SegmentationDataset
    ) -> None:
        """Trains to the last step and stores the selected weights in place of the checkpoints."""
        schedule, device = self.settings.schedule, self.device
        epoch_steps = steps_per_epoch(len(dataset), schedule.batch_size)
        others = [model.head] + ([model.auxiliary] if model.auxiliary is not None else [])
        optimiser = build_optimiser(model.backbone, others, schedule)
        torch.manual_seed(stream(self.settings.seed, "dropout"))
        network = torch.compile(model) if self.settings.runtime.compile else model
        checkpoints = CheckpointFolder(self.folder.checkpoints_path, atomic_write)
        job = Training(
            state=TrainingState(model, optimiser, gradient_scaler(self.settings.precision, device)),
            network=network,
            settings=self.settings,
            auxiliary_weight=auxiliary_weight,
            steps=Length.parse(schedule.length, "schedule.length").steps(epoch_steps),
            steps_per_epoch=epoch_steps,
            device=device,
            batches=lambda first: self.batches(dataset, first, job.steps),
            checkpoints=checkpoints,
            journal=self.journal,
            validate=lambda: float(miou_percent(evaluate(model, measured, self.settings, device, title="validation"))),
            before_checkpoint=self.lock.check,
            on_checkpoint=self.tracker.sync,
            stop_requested=self.stop.requested,
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
        self.keep_weights(job, dataset)
        checkpoints.clear()

    def batches(self, dataset: SegmentationDataset, first_step: int, steps: int) -> Any:
        """The batches of the steps still to do."""
        runtime, wanted = self.settings.runtime, self.settings.schedule.augmentation
        augmentation = Augmentation(
            wanted.crop_size, (wanted.scale_range[0], wanted.scale_range[1]), wanted.scale_step, wanted.flip
        )
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
        model = job.checkpoints.load_best(state) if best else state.model.state_dict()
        facts = {
            "step": state.best_step if best else state.step,
            "wall_seconds": state.wall_seconds,
            "gpu_seconds": state.gpu_seconds,
            "batch_norm_samples": job.settings.schedule.micro_batch,
            "split": describe_split(dataset),
        }
        atomic_write(self.weights_path, serialised({"model": model, **facts}))


def freeze(folder: RunFolder, config: Config) -> int:
    """Writes the configuration into the run folder at the first start; returns the CPU threads that the run keeps.

    The science of the configuration given equals the frozen one, since both have the folder's run id; of the rest only
    the number of threads must not drift, because sums depend on it.
    """
    asked = config["runtime"]["threads"]
    if not folder.config_path.exists():
        config = {**config, "runtime": {**config["runtime"], "threads": asked or available_threads()}}
        folder.freeze_config(yaml.safe_dump(config, sort_keys=False))
        folder.write_status("CREATED", step=0)
    frozen = yaml.safe_load(folder.read_config())
    if identity.run_id(frozen) != folder.run_id:
        raise StoreError(f"{folder.config_path} was edited: it describes another run; remove the folder to start anew")
    return int(asked or frozen["runtime"]["threads"])


def start_tracker(folder: RunFolder, config: Config) -> Tracker:
    """The configured tracker, showing the run from now on."""
    tracker = make_tracker(config["tracking"], Path(config["outputs"]))
    tracker.start(folder)
    return tracker


def run_name(config: Config) -> str:
    """The name asked for, or head, dataset and seed."""
    choices = config["composition"]["choices"]
    return config["name"] or f"{choices['head']}-{choices['dataset']}-seed{config['seed']}"


def record_fate(folder: RunFolder, journal: Journal, error: BaseException) -> str:
    """Writes into status and journal how the work ended if it did not end well; returns that state."""
    state = "INTERRUPTED" if isinstance(error, (Interrupted, KeyboardInterrupt)) else "FAILED"
    message = str(error) or type(error).__name__
    journal.event(state.lower(), message=message)
    folder.write_status(state, message=message)
    return state


@contextmanager
def logged_to(path: Path) -> Iterator[None]:
    """Sends a copy of what the package logs to a file."""
    handler = logging.FileHandler(path)
    handler.setFormatter(logging.Formatter(f"%(asctime)s {os.getpid()} %(levelname)s %(name)s: %(message)s"))
    logging.getLogger("repro").addHandler(handler)
    try:
        yield
    finally:
        logging.getLogger("repro").removeHandler(handler)
        handler.close()
