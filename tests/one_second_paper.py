"""A paper of one's own with rows that train in less than a second, and the words that make them run quietly."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml

from repro.sweep.command import main

TRAINING = [
    "backbone=resnet18",
    "backbone._target_=tests.tiny_network.Small",
    "head=fcn",
    "head.width=16",
    "dataset=shapes",
    "dataset.size=64",
    "dataset.cue_distance=0",
    "dataset.train_images=8",
    "dataset.val_images=3",
    "schedule=shapes_200",
    "schedule.length=3 steps",
    "schedule.batch_size=4",
]
QUIET = ["tracking=none", "runtime.threads=1", "runtime.workers=0", "runtime.progress=false"]


def row(label: str, *run: str, **more: Any) -> dict[str, Any]:
    return {"label": label, "cells": {"mIoU": 70.0}, "run": list(run), **more}


def write_table(
    folder: Path, rows: Sequence[Mapping[str, Any]], *, key: str = "table1", run: Sequence[str] = TRAINING, **more: Any
) -> Path:
    """Writes paper `mine` below a sweeps folder, which is returned, with one table."""
    content = {
        "title": "Rows of a second each",
        "place": "section 1, Table 1",
        "kind": "comparison",
        "evaluated_on": "shapes val",
        "label_column": "Row",
        "varies": ["head.width"],
        "run": list(run),
        "evaluation": ["evaluation=whole", "evaluation.panels=0"],
        "columns": {"mIoU": {"metric": "miou", "unit": "%", "decimals": 1}},
        "rows": [dict(item) for item in rows],
        **more,
    }
    paper = folder / "mine"
    paper.mkdir(parents=True, exist_ok=True)
    (paper / f"{key}.yaml").write_text(
        f"# python -m repro.sweep table=mine/{key}\n" + yaml.safe_dump(content, sort_keys=False)
    )
    facts = {"title": "A paper", "authors": "Somebody", "year": 2026, "venue": "nowhere", "not_built": {}}
    (paper / "paper.yaml").write_text(yaml.safe_dump(facts))
    return folder


def write_ledger(folder: Path, content: Mapping[str, Any]) -> None:
    (folder / "mine" / "ledger.yaml").write_text(yaml.safe_dump(dict(content), sort_keys=False))


def words(folder: Path, outputs: Path, *more: str, run: Sequence[str] = ()) -> list[str]:
    """The command line of a sweep over paper `mine`; settings of runs come on top of the quiet ones."""
    given = [
        "table=mine/*",
        "scale=paper",
        f"sweeps_folder={folder}",
        f"outputs={outputs}",
        f"reports={outputs / 'reports'}",
        *QUIET,
        *run,
    ]
    replaced = {item.partition("=")[0] for item in more}
    return [item for item in given if item.partition("=")[0] not in replaced] + list(more)


def sweep(folder: Path, outputs: Path, *more: str, run: Sequence[str] = ()) -> int:
    return main(words(folder, outputs, *more, run=run))
