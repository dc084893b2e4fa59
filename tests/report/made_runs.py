"""A small paper of its own with table, ledger and scale, and records as its runs would leave them."""

from collections.abc import Iterable
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

from repro.experiments.measurement import Measurement
from repro.experiments.measurements import Measurements
from repro.metrics import pixel_accuracy_percent
from repro.papers import Address, Library, load_papers
from repro.store.outputs import Outputs
from repro.store.record import Names, Record, Scores, confusion_sha256
from repro.store.runs_csv import Recorded, recorded


def matrix_of(miou_percent: float) -> np.ndarray:
    """Counts of two classes that have this IoU, to a thousandth, and of a third that does not occur."""
    right = round(2000 * miou_percent)
    wrong = (200_000 - right) // 2
    return np.array([[right, wrong, 0], [wrong, right, 0], [0, 0, 0]], dtype=np.int64)


PAPER = """\
title: A small paper
authors: Nobody
year: 2020
venue: nowhere
not_built:
  head=unbuilt: more blocks
"""

LEDGER = """\
schedule_length:
  - {at: paper, status: stated, place: section 1, says: 200 steps are taken., leaves: {schedule.length: 200 steps}}
batch_size:
  - at: paper
    status: open
    place: nowhere
    leaves: {schedule.batch_size: 8}
    why: Nothing says how many.
    alternatives: {sixteen: [schedule.batch_size=16]}
"""

TABLE = """\
title: Heads on the built-in images
place: section 1, Table 1
kind: ablation
evaluated_on: shapes val
label_column: Head
varies: [head, head.rates]
run: [backbone=resnet18, backbone.weights=null, dataset=shapes, schedule=shapes_200]
evaluation: [evaluation=whole]
columns:
  Kind: {metric: setting}
  mIoU: {metric: miou, unit: "%", decimals: 1}
  Gain: {metric: delta(Plain), unit: "%", decimals: 1}
  Parameters: {metric: parameters, unit: M, decimals: 1}
rows:
  - label: Plain
    cells: {Kind: simple, mIoU: 70.0, Parameters: 12.4}
    run: [head=fcn]
  - label: Rates
    cells: {Kind: context, mIoU: 73.0, Gain: 3.0}
    run: [head=aspp]
  - label: Rates, smaller
    cells: {Kind: context, mIoU: 72.0, Gain: 2.0}
    run: [head=aspp, "head.rates=[3,6,9]"]
  - label: Deeper
    cells: {Kind: context, mIoU: 74.0, Gain: 4.0}
    run: [head=unbuilt]
  - label: Someone [1]
    kind: cited
    reason: Someone 2019
    cells: {mIoU: 75.0, Gain: 5.0}
  - label: Server
    kind: server only
    reason: Only the server has the labels.
    cells: {mIoU: 76.0}
  - label: Secret
    kind: cannot be run
    reason: The data are not public.
    cells: {mIoU: 77.0}
claims:
  - {claim: ["Rates", ">", "Plain"], place: section 1}
  - {claim: ["Rates @ Gain", ">", "Rates, smaller @ Gain"], place: section 1}
  - {claim: ["Rates", ">", "Someone [1]"], place: section 1}
  - {claim: ["Deeper", ">", "Server"], place: section 1}
"""

SHORT = """\
title: A tenth of the steps and the half of the batch
multiply: {schedule.length: {by: {steps: 0.1, epochs: 0.1}, multiple_of: 1, minimum: 1}}
set: {schedule.batch_size: 4}
"""

MERGED = """\
title: Both sets of rates become one
map: {head.rates: {"[3, 6, 9]": [6, 12, 18]}}
"""

FIXED = """\
title: The head is set
set: {head.rates: [1, 2, 3]}
"""


def write_papers(folder: Path) -> Path:
    """A sweeps folder with the small paper and its scales."""
    files = {"small/paper": PAPER, "small/ledger": LEDGER, "small/table1": TABLE,
             "scales/short": SHORT, "scales/merged": MERGED, "scales/fixed": FIXED}  # fmt: skip
    for name, text in files.items():
        path = folder / f"{name}.yaml"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return folder


class Made:
    """The small paper at one scale."""

    def __init__(self, folder: Path, scale: str) -> None:
        self.library = library(folder)
        assert not [item for item in self.library.problems if item.file.is_relative_to(folder)]
        self.table = self.library.tables["small/table1"]
        self.found = Measurements(self.library, [self.table], self.library.scale(scale))

    def cell(self, row: str, column: str = "mIoU") -> Measurement:
        return self.found[Address("small/table1", row, column)]

    def record(self, row: str, seed: int, miou: float, **changes: Any) -> Record:
        return record_of(self.cell(row), seed, miou, **changes)

    def lines(self, row: str, scores: Iterable[float]) -> dict[str, Recorded]:
        """The lines of runs of one row, one per score, with the seeds 0, 1, 2, ..."""
        made = (recorded(self.record(row, seed, score)) for seed, score in enumerate(scores))
        return {line.evaluation_id: line for line in made}


@cache
def library(folder: Path) -> Library:
    return load_papers([folder])


def record_of(measurement: Measurement, seed: int, miou: float, **changes: Any) -> Record:
    """The record that a run of a cell would leave."""
    configuration = measurement.configuration(seed)
    batch, length = (configuration.leaves[f"schedule.{leaf}"] for leaf in ("batch_size", "length"))
    steps = int(length.removesuffix(" steps"))
    matrix, images = matrix_of(miou), configuration.leaves["dataset.val_images"]
    groups = ("backbone", "head", "dataset", "schedule", "evaluation")
    machine = {"code": {"commit": "c0ffee", "dirty": False}, "versions": {"torch": "2.11.0"},
               "hardware": {"processor": "A processor", "gpu": "A card"}}  # fmt: skip
    values: dict[str, Any] = {
        "run_id": measurement.run_id(seed),
        "evaluation_id": measurement.evaluation_id(seed),
        "recipe": 1,
        "created": "2026-01-02T03:04:05+00:00",
        "seed": seed,
        "scale": measurement.scale,
        "names": Names(**{group: configuration.choices[group] for group in groups}),
        "scores": Scores(miou, pixel_accuracy_percent(matrix)),
        "per_class_iou_percent": {"background": miou, "strip": miou, 'a, "strange" class/é': None},
        "confusion_sha256": confusion_sha256(matrix),
        "config": dict(configuration.science),
        "evaluation_config": dict(configuration.protocol),
        "provenance": {
            "command": ["python", "-m", "repro", *configuration.overrides],
            **machine,
            "evaluated_split": {"name": "val", "images": images, "sha256": "ab" * 32},
            "training": {"step": steps, "batch_norm_samples": batch, **machine},
            "restarts": 1,
        },
        "steps": steps,
        "wall_seconds": 12.5,
        "gpu_seconds": 6.25,
        "parameters": 12_000_000,
    }
    return Record(**(values | changes))


def store(outputs: Path, record: Record) -> Path:
    """Puts a record into its run folder."""
    return Outputs(outputs).run(record.run_id).write_record(record, matrix_of(record.scores.miou_percent or 0.0))
