"""Small run folders and records for the tests of store and tracking."""

from pathlib import Path
from typing import Any

import numpy as np
import yaml

from repro.store.journal import Journal
from repro.store.record import Names, Record, Scores, confusion_sha256
from repro.store.run_folder import RunFolder
from repro.store.status import RunState

CONFIG: dict[str, Any] = {
    "name": None,
    "seed": 3,
    "recipe": 1,
    "head": {"_target_": "repro.nn.Vortex", "rates": [1, 3, 9]},
    "schedule": {"length": "40 steps", "batch_size": 8},
    "composition": {
        "choices": {"backbone": "resnet18", "head": "vortex", "dataset": "shapes", "schedule": "tiny"},
        "overrides": [],
    },
    "tracking": {"kind": "mlflow", "uri": None, "experiment": "repro"},
}
MATRIX = np.array([[50, 2, 0], [5, 40, 0], [0, 0, 0]], dtype=np.int64)


def example_record(run_id: str = "00000000000000aa", evaluation_id: str = "00000000000000ee", **changes: Any) -> Record:
    values: dict[str, Any] = {
        "run_id": run_id,
        "evaluation_id": evaluation_id,
        "recipe": 1,
        "created": "2026-01-02T03:04:05+00:00",
        "seed": 3,
        "scale": "paper",
        "names": Names("resnet18", "vortex", "shapes", "tiny", "whole"),
        "scores": Scores(86.4, 92.8),
        "per_class_iou_percent": {"background": 87.7, "disc": 85.1, "road/lane": None},
        "confusion_sha256": confusion_sha256(MATRIX),
        "config": {"seed": 3, "head": {"rates": [1, 3, 9]}},
        "evaluation_config": {"scales": [1], "flip": False},
        "provenance": {"code": {"commit": "c0ffee", "dirty": False}},
        "steps": 40,
        "wall_seconds": 12.5,
        "gpu_seconds": 0.0,
        "parameters": 11_000_000,
    }
    return Record(**(values | changes))


def example_run(
    root: Path,
    run_id: str = "00000000000000aa",
    *,
    steps: int = 40,
    checkpoint: int | None = None,
    state: RunState = RunState.FINISHED,
) -> RunFolder:
    """A run folder with `steps` points of two metrics; with a record if it is finished."""
    folder = RunFolder(root, run_id)
    folder.freeze_config(yaml.safe_dump(CONFIG))
    folder.write_status(RunState.RUNNING, step=0)
    with Journal(folder.journal_path) as journal:
        journal.event("started", commit="c0ffee")
        write_points(journal, 1, steps)
        journal.event("checkpoint", step=steps if checkpoint is None else checkpoint)
    if state == RunState.FINISHED:
        folder.write_record(example_record(run_id), MATRIX)
    if state != RunState.RUNNING:
        folder.write_status(state, step=steps)
    return folder


def write_points(journal: Journal, first: int, last: int) -> None:
    for step in range(first, last + 1):
        journal.point(step, loss=1 / step, learning_rate=0.01)
