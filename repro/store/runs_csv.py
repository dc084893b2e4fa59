"""runs.csv: one line per evaluation with what tables and reviewers need, in one order and one form."""

import dataclasses
import json
import shlex
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, get_type_hints

from repro.store.record import Names, Record, Scores, later_fields

ClassScores = dict[str, float | None]


@dataclass(frozen=True)
class Recorded:
    """One evaluation as runs.csv holds it: its fields, and in their place those of `names` and `scores`, are columns.

    Most are as in `repro.store.record.Record`. `hardware` is the GPU or processor of the training, `split_sha256` and
    `images` are of the evaluated split, `dirty` says whether the code differed from its commit, `command` is what
    starts the run again. `measured_trained` and what follows are as in `repro.store.images.ImageCounts`, several
    unknown weights with spaces between them. `science_code` has the hashes of the code that trained and that measured,
    once where they are one; the digests are of the weights measured, and of another run's that they started from.
    `determinism` is the configuration's word, `threads` the CPU threads of the training. `processes` is the largest
    number of processes that a start of the training had.
    """

    evaluation_id: str
    run_id: str
    scale: str
    seed: int
    recipe: int
    created: str
    names: Names
    scores: Scores
    per_class_iou_percent: ClassScores
    steps: int
    wall_seconds: float
    gpu_seconds: float
    parameters: int
    batch_norm_samples: int | None
    restarts: int | None
    split: str
    images: int | None
    split_sha256: str
    hardware: str
    torch: str
    commit: str
    dirty: bool | None
    command: str
    confusion_sha256: str
    measured_trained: int | None = None
    measured_selecting: int | None = None
    selecting_trained: int | None = None
    unknown_images: str = ""
    science_code: str = ""
    weights_digest: str = ""
    start_digest: str = ""
    determinism: str = ""
    threads: int | None = None
    processes: int | None = None


def _columns() -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name, kind in get_type_hints(Recorded).items():
        found |= get_type_hints(kind) if dataclasses.is_dataclass(kind) else {name: kind}
    return found


TYPES = _columns()
"""Name of each column to the type of its values."""

COLUMNS = tuple(TYPES)
LATER_COLUMNS = later_fields(Scores) | later_fields(Recorded)
"""Columns that an older file may lack: what came after it was written."""

SORTED_BY = ("scale", "dataset", "backbone", "head", "schedule", "evaluation", "seed", "run_id", "evaluation_id")


def recorded(record: Record) -> Recorded:
    """The line of a record; what its provenance does not tell stays empty."""
    provenance = record.provenance
    training = _part(provenance, "training") or provenance
    machine, code = _part(training, "hardware"), _part(training, "code")
    split, images = _part(provenance, "evaluated_split"), _part(provenance, "images")
    command = provenance.get("command")
    return Recorded(
        **{
            field.name: getattr(record, field.name)
            for field in dataclasses.fields(Recorded)
            if hasattr(record, field.name)
        },
        batch_norm_samples=_typed(training, "batch_norm_samples", int),
        restarts=_typed(provenance, "restarts", int),
        split=_typed(split, "name", str) or "",
        images=_typed(split, "images", int),
        split_sha256=_typed(split, "sha256", str) or "",
        hardware=_typed(machine, "gpu", str) or _typed(machine, "processor", str) or "",
        torch=_typed(_part(training, "versions"), "torch", str) or "",
        commit=_typed(code, "commit", str) or "",
        dirty=_typed(code, "dirty", bool),
        command=shlex.join(map(str, command)) if isinstance(command, list) else "",
        measured_trained=_typed(images, "measured_trained", int),
        measured_selecting=_typed(images, "measured_selecting", int),
        selecting_trained=_typed(images, "selecting_trained", int),
        unknown_images=" ".join(map(str, images.get("unknown") or ())),
        science_code=" ".join(_science_code(code, _part(provenance, "code"))),
        weights_digest=record.weights_sha256 or "",
        start_digest=_typed(_part(provenance, "start"), "sha256", str) or "",
        determinism=_typed(record.config, "determinism", str) or "",
        threads=_typed(machine, "threads", int),
        processes=_processes(_part(training, "layout")),
    )


def _processes(layout: dict[str, Any]) -> int | None:
    """The largest number of processes that a start of the training had; None where the record does not tell."""
    known = _typed(layout, "processes", int)
    return None if known is None else max([known, *(_typed(layout, "processes_at_starts", list) or [])])


def _science_code(*code: dict[str, Any]) -> list[str]:
    """Hashes of the code that computes, each once."""
    return list(dict.fromkeys(found for part in code if (found := _typed(part, "science", str))))


def runs_csv(lines: Iterable[Recorded]) -> str:
    """The text of runs.csv, the same for the same evaluations whatever their order."""
    import pandas  # a quarter of a second that a plan, which only reads, does without

    content = ([_text(value) for value in flat(line).values()] for line in lines)
    frame = pandas.DataFrame(content, columns=list(COLUMNS), dtype=str)
    order = frame.assign(seed=frame["seed"].astype(int)).sort_values(list(SORTED_BY)).index
    return str(frame.loc[order].to_csv(index=False, lineterminator="\n"))


def flat(line: Recorded) -> dict[str, Any]:
    """Column to value of a line."""
    found: dict[str, Any] = {}
    for field in dataclasses.fields(line):
        value = getattr(line, field.name)
        found |= vars(value) if dataclasses.is_dataclass(value) else {field.name: value}
    return found


def different_fields(one: Recorded, other: Recorded) -> list[str]:
    """Columns in which two lines differ."""
    first, second = flat(one), flat(other)
    return [name for name in first if first[name] != second[name]]


def _text(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, dict):
        return json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    return " ".join(value.splitlines()) if isinstance(value, str) else repr(value)


def _part(tree: dict[str, Any], key: str) -> dict[str, Any]:
    found = tree.get(key)
    return found if isinstance(found, dict) else {}


def _typed(tree: dict[str, Any], key: str, kind: type) -> Any:
    found = tree.get(key)
    return found if type(found) is kind else None
