"""Measures the weights of a run under one evaluation protocol and writes the record, masks and panels."""

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from repro import provenance
from repro.build import parameter_count
from repro.config import identity
from repro.config.settings import Settings
from repro.data import SegmentationDataset
from repro.engine.evaluate import evaluate
from repro.engine.pictures import mask_picture, panel, save_picture, stacked
from repro.metrics import iou_percent, miou_percent, pixel_accuracy_percent
from repro.nn import Segmenter
from repro.store.journal import read_journal
from repro.store.record import Names, Record, Scores, confusion_sha256
from repro.store.run_folder import RunFolder

Config = dict[str, Any]


def measure(
    config: Config,
    settings: Settings,
    folder: RunFolder,
    model: Segmenter,
    dataset: SegmentationDataset,
    device: torch.device,
    interrupt: Callable[[str], None],
    training: dict[str, Any],
) -> Record:
    """Evaluates, writes the record with its confusion matrix beside it, and the pictures asked for.

    Args:
        interrupt: called with a place between images; raises if the evaluation is to end.
        training: what is known of the training: `step`, `wall_seconds`, `gpu_seconds` and plain facts.
    """
    evaluation_id = identity.evaluation_id(config)
    gallery = Gallery(dataset, settings, folder.evaluations_path / evaluation_id, interrupt)
    start = time.perf_counter()
    matrix = evaluate(model, dataset, settings, device, title="evaluation", observer=gallery.show)
    seconds = time.perf_counter() - start
    gallery.finish()
    choices = config["composition"]["choices"]
    record = Record(
        run_id=folder.run_id,
        evaluation_id=evaluation_id,
        recipe=settings.recipe,
        created=provenance.now(),
        seed=settings.seed,
        scale=config["composition"].get("scale", "paper"),
        names=Names(**{group: choices[group] for group in ("backbone", "head", "dataset", "schedule", "evaluation")}),
        scores=Scores(float(miou_percent(matrix)), float(pixel_accuracy_percent(matrix))),
        per_class_iou_percent=dict(zip(dataset.class_names, map(float, iou_percent(matrix)), strict=True)),
        confusion_sha256=confusion_sha256(matrix),
        config=identity.science(config),
        evaluation_config=identity.evaluation_protocol(config),
        provenance={
            "command": ["python", "-m", "repro", *config["composition"]["overrides"]],
            **describe_process(device),
            "evaluated_split": describe_split(dataset),
            "training": {key: value for key, value in training.items() if key not in ("wall_seconds", "gpu_seconds")},
            "restarts": sum(event.kind == "resumed" for event in read_journal(folder.journal_path).events),
        },
        steps=training["step"],
        wall_seconds=training["wall_seconds"] + seconds,
        gpu_seconds=training["gpu_seconds"] + (seconds if device.type == "cuda" else 0.0),
        parameters=parameter_count(model),
    )
    folder.write_record(record, matrix)
    return folder.read_record(evaluation_id)


def describe_process(device: torch.device) -> dict[str, Any]:
    """Code, versions and hardware of this process; training and evaluation may differ in them."""
    return {
        "code": provenance.code_version(),
        "versions": provenance.versions(),
        "hardware": provenance.hardware(str(device)),
    }


def describe_split(dataset: SegmentationDataset) -> dict[str, Any]:
    """Name, number of images and hash of the ids of a split."""
    return {"name": dataset.split, "images": len(dataset), "sha256": dataset.split_sha256()}


class Gallery:
    """Writes masks of all images and panels of a few, evenly spread over the split."""

    def __init__(
        self, dataset: SegmentationDataset, settings: Settings, folder: Path, interrupt: Callable[[str], None]
    ) -> None:
        self._dataset, self._folder, self._interrupt = dataset, folder, interrupt
        self._masks = settings.evaluation.masks
        count = min(settings.evaluation.panels, len(dataset))
        self._shown = {index * len(dataset) // count for index in range(count)}
        self._panels: list[Any] = []

    def show(self, index: int, image: Tensor, label: Tensor, prediction: Tensor) -> None:
        """Takes one evaluated image; also the place where a signal ends an evaluation."""
        self._interrupt("during the evaluation; the trained weights are kept")
        if self._masks:
            picture = mask_picture(prediction, self._dataset.palette)
            save_picture(picture, self._folder / "masks" / f"{self._dataset.ids[index]}.png")
        if index in self._shown:
            self._panels.append(panel(image, label, prediction, self._dataset.palette))

    def finish(self) -> None:
        """Writes the panels as one picture."""
        if self._panels:
            save_picture(stacked(self._panels), self._folder / "panels.png")
