"""Records against their configurations and matrices, and lines of runs.csv against the records they were made of."""

import re
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from repro.config import identity
from repro.config.tree import flatten
from repro.report.audit.contradiction import Contradiction, OwnKind
from repro.report.audit.own_lines import TOLERANCE_PERCENT, Known, contradictions
from repro.store.files import read_bytes
from repro.store.record import Record
from repro.store.runs_csv import LATER_COLUMNS, Recorded, different_fields, flat, recorded

_KEYS = {
    "split": "evaluated_split", "images": "evaluated_split", "split_sha256": "evaluated_split",
    "hardware": "hardware", "weights_digest": "weights_sha256", "start_digest": "start", "determinism": "determinism",
}  # fmt: skip
"""Column to the key of a record that it comes from, where the names differ."""


def record_contradictions(record: Record, matrix: np.ndarray | None, known: Known) -> list[Contradiction]:
    """What a record says that its configuration, its matrix `[C, C]` if at hand, or something else in it rules out."""
    found = [*_of_identity(record), *_of_configuration(record)]
    if matrix is not None:
        found += _of_matrix(record, matrix)
    told = {item.column for item in found}
    return found + [item for item in contradictions(recorded(record), known) if item.column not in told]


def line_contradictions(line: Recorded, record: Recorded, source: str) -> list[Contradiction]:
    """Where a line is not what its record, which lies at `source`, gives; a record of another time is another one."""
    if line.created != record.created:
        return []
    values, right = flat(line), flat(record)
    differing = (column for column in different_fields(line, record))
    return [
        Contradiction(OwnKind.RECORD, column, values[column], f"its record {source} says {right[column]}")
        for column in differing
        if not (column in LATER_COLUMNS and values[column] in (None, ""))
    ]


def line_in_record(path: Path, column: str) -> int:
    """The number of the line that holds a column's value in the file of a record; 1 where none is found."""
    key = re.compile(rf'^ *"{re.escape(_KEYS.get(column, column))}":')
    rows = read_bytes(path).decode(errors="replace").splitlines()
    return next((number for number, row in enumerate(rows, 1) if key.match(row)), 1)


def _of_identity(record: Record) -> Iterator[Contradiction]:
    run_id = identity.digest(record.config)
    if run_id != record.run_id:
        yield Contradiction(OwnKind.IDENTITY, "run_id", record.run_id, f"its configuration has the id {run_id}")
    evaluation_id = identity.evaluation_digest(record.run_id, record.evaluation_config)
    if evaluation_id != record.evaluation_id:
        yield Contradiction(OwnKind.IDENTITY, "evaluation_id", record.evaluation_id,
                            f"its run and protocol have the id {evaluation_id}")  # fmt: skip


def _of_configuration(record: Record) -> Iterator[Contradiction]:
    leaves, protocol, line = flatten(record.config), flatten(record.evaluation_config), recorded(record)
    split = protocol.get("evaluation.split")
    wanted = {
        "seed": leaves.get("seed"),
        "recipe": leaves.get("recipe"),
        "batch_norm_samples": leaves.get("schedule.batch_norm.samples"),
        "split": split,
        "split_sha256": protocol.get(f"dataset.split_sha256.{split}"),
        "images": protocol.get(f"dataset.expected_images.{split}"),
    }
    values = flat(line)
    for column, right in wanted.items():
        if right is not None and values[column] not in (None, "", right):
            yield Contradiction(OwnKind.IDENTITY, column, values[column], f"its configuration says {right}")
    if line.gpu_seconds and not _has_gpu(record):
        yield Contradiction(OwnKind.RANGE, "gpu_seconds", line.gpu_seconds, "its provenance names no GPU")


def _has_gpu(record: Record) -> bool:
    """Whether the training or the evaluation names one; so it may have where none of them names its machine."""
    parts = [record.provenance, record.provenance.get("training")]
    machines = [part["hardware"] for part in parts if isinstance(part, dict) and isinstance(part.get("hardware"), dict)]
    return not machines or any("gpu" in machine for machine in machines)


def _of_matrix(record: Record, matrix: np.ndarray) -> Iterator[Contradiction]:
    from repro.metrics import SCORES, iou_percent  # torch, which a report without run folders does without

    for name, score in SCORES.items():
        yield from _unlike(name, getattr(record.scores, name), float(score(matrix)), "")
    names, right = list(record.per_class_iou_percent), iou_percent(matrix)
    if len(names) != len(right):
        yield Contradiction(OwnKind.MATRIX, "per_class_iou_percent", f"{len(names)} classes",
                            f"its confusion matrix has {len(right)}")  # fmt: skip
        return
    for name, value in zip(names, map(float, right), strict=True):
        yield from _unlike("per_class_iou_percent", record.per_class_iou_percent[name], value, f"{name}: ")


def _unlike(column: str, found: float | None, right: float, label: str) -> Iterator[Contradiction]:
    wanted = None if np.isnan(right) else right
    same = found is wanted if found is None or wanted is None else abs(found - wanted) <= TOLERANCE_PERCENT
    if not same:
        yield Contradiction(OwnKind.MATRIX, column, f"{label}{found}", f"its confusion matrix gives {wanted}")
