"""The measurement of a run's weights under one protocol: the record, and the pictures asked for."""

import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any

import torch

from repro import provenance
from repro.build import parameter_count
from repro.config.configuration import Configuration
from repro.config.own_code import facts_of
from repro.config.settings import Settings
from repro.data import SegmentationDataset
from repro.engine.evaluate import evaluate
from repro.engine.fold import Folded, fold_batch_norm, is_exact, unfolded, view_size
from repro.engine.pictures import Gallery
from repro.engine.team import ALONE, Team
from repro.errors import DamagedError
from repro.metrics import SCORES, iou_percent
from repro.nn import Segmenter
from repro.papers import PAPER_SCALE
from repro.run.held import HeldRun
from repro.run.repetition import REPEATED, compared
from repro.run.starts import summary
from repro.run.weights import TrainingFacts
from repro.store.images import ImageCounts
from repro.store.journal import read_journal
from repro.store.matrices import ImageConfusions
from repro.store.record import Names, Record, Scores, confusion_sha256
from repro.store.run_folder import RunFolder


@dataclass(frozen=True)
class Measured:
    """What an evaluation yields.

    Attributes:
        confusions: the matrices of all images.
        seconds: that they took.
        network: what scored the images.
    """

    confusions: ImageConfusions
    seconds: float
    network: Folded


def record_evaluation(
    configuration: Configuration,
    held: HeldRun,
    model: Segmenter,
    dataset: SegmentationDataset,
    device: torch.device,
    training: TrainingFacts,
    images: ImageCounts,
    team: Team = ALONE,
) -> Record:
    """Evaluates, writes the record with the matrices of all images beside it, and the pictures asked for.

    `images` says how many of those measured were trained on, or chose the weights.
    """
    settings, folder, evaluation_id = configuration.settings, held.folder, configuration.evaluation_id
    measured = measured_confusions(configuration, folder, model, dataset, device, held.interrupt, team)
    confusions, seconds, matrix = measured.confusions, measured.seconds, measured.confusions.total()
    record = Record(
        run_id=folder.run_id,
        evaluation_id=evaluation_id,
        recipe=settings.recipe,
        created=provenance.now(),
        seed=settings.seed,
        scale=configuration.scale or PAPER_SCALE,
        names=Names(**{group.name: configuration.choices[group.name] for group in fields(Names)}),
        scores=Scores(**{name: float(score(matrix)) for name, score in SCORES.items()}),
        per_class_iou_percent=dict(zip(dataset.class_names, map(float, iou_percent(matrix)), strict=True)),
        confusion_sha256=confusion_sha256(matrix),
        config=dict(configuration.science),
        evaluation_config=dict(configuration.protocol),
        provenance={
            "command": configuration.command,
            **provenance.of_process(str(device)),
            "start": dict(training.start),
            "own_code": own_code_facts(configuration),
            "evaluated_split": describe_split(dataset),
            "images": {**asdict(images), "unknown": list(images.unknown)},
            "training": dict(training.facts),
            "restarts": training.restarts,
            "starts": summary(read_journal(folder.journal_path).events),
            "processes": team.size,
            "batch_norm": {"folded": measured.network.layers, "kept": measured.network.kept},
        },
        steps=training.step,
        wall_seconds=training.wall_seconds + seconds,
        gpu_seconds=training.gpu_seconds + (seconds * team.size if device.type == "cuda" else 0.0),
        parameters=parameter_count(model),
        weights_sha256=training.sha256,
        image_confusions_sha256=confusions.sha256(),
    )
    if comparison := compared(folder.record_before(evaluation_id), record):
        record.provenance[REPEATED] = comparison
    folder.write_record(record, matrix, confusions)
    return folder.read_record(evaluation_id)


def measured_confusions(
    configuration: Configuration,
    folder: RunFolder,
    model: Segmenter,
    dataset: SegmentationDataset,
    device: torch.device,
    interrupt: Callable[[str], None],
    team: Team = ALONE,
) -> Measured:
    """Evaluates, by all processes of a team at once, and writes the pictures asked for.

    Args:
        interrupt: raises if the evaluation is to end at the place that it is given.
    """
    settings, evaluation_id = configuration.settings, configuration.evaluation_id
    masks = folder.masks_path(evaluation_id) if settings.evaluation.masks else None
    panels = folder.panels_path(evaluation_id)
    gallery = Gallery(dataset, masks, panels, settings.evaluation.panels, interrupt, team)
    start = time.perf_counter()
    network = network_to_measure(settings, model, dataset, device)
    confusions = evaluate(
        network.network, dataset, settings, device, title="evaluation", observer=gallery.show, team=team
    )
    seconds = time.perf_counter() - start
    gallery.finish()
    return Measured(confusions, seconds, network)


def network_to_measure(
    settings: Settings, model: Segmenter, dataset: SegmentationDataset, device: torch.device
) -> Folded:
    """A copy of the network with batch norm in its convolutions, where that is wanted and exact; else itself."""
    if not (settings.runtime.fold_batch_norm and is_exact(device, settings.precision)):
        return unfolded(model)
    protocol = settings.evaluation
    return fold_batch_norm(model, protocol.output_stride or model.output_stride, view_size(dataset, protocol))


def set_aside_other_records(held: HeldRun, weights_sha256: str) -> None:
    """Sets aside the records that are damaged, or name other weights than those that the run has now.

    Raises:
        StoreError: the disk refuses one, which says nothing about it.
    """
    folder = held.folder
    for evaluation_id in folder.evaluation_ids():
        path = folder.record_path(evaluation_id)
        try:
            record = folder.read_record(evaluation_id)
            folder.read_image_confusions(record)
        except DamagedError as error:
            held.set_aside(path, str(error))
            continue
        if record.weights_sha256 not in (None, weights_sha256):  # an older one names none
            held.set_aside(path, f"{path} was measured on other weights than the run has now", "other-weights")


def own_code_facts(configuration: Configuration) -> dict[str, Any]:
    """What stands behind the targets that are not of this package: hashes, files, and the commits of these."""
    facts = facts_of(configuration.science)
    for code in facts.values():
        for file in code["files"].values():
            file |= provenance.file_version(Path(file["file"]))
    return facts


def describe_split(dataset: SegmentationDataset) -> dict[str, Any]:
    """Name, number of images and hash of the ids of a split."""
    return {"name": dataset.split, "images": len(dataset), "sha256": dataset.split_sha256()}
