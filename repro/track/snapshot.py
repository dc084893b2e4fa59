"""What of a run folder is shown in MLflow, worked out without MLflow: parameters, tags, points, files, state."""

import hashlib
import json
import math
import re
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from repro.config.identity import flatten, is_part_of_a_run, run_name, science
from repro.errors import ReproError, StoreError
from repro.store.journal import JournalView, read_journal
from repro.store.record import Record
from repro.track.interfaces import RunFiles

LONGEST_VALUE = 5000  # MLflow cuts parameters at 6000 characters without a mark; we cut earlier, with one.
LARGEST_ARTIFACT_BYTES = 20_000_000
_FORBIDDEN = re.compile(r"[^\w\-. :/]")


@dataclass(frozen=True)
class MetricPoint:
    """One value of one metric; finite."""

    key: str
    value: float
    time_ms: int
    step: int


@dataclass(frozen=True)
class Snapshot:
    """A run as MLflow should show it.

    Attributes:
        run_id: the run's identity.
        name: what the run is called in lists.
        state: CREATED, RUNNING, FINISHED, FAILED or INTERRUPTED.
        params: dotted path of each science leaf to its value.
        tags: `repro.*` tags.
        points: journal points that no resume can undo any more, then the scores of the records.
        artifacts: files with their place among the artifacts.
        started_ms: time of the first line of the journal.
        ended_ms: time of the last status, for a run that is not running.
        fingerprint: changes whenever the run folder has something new to show.
        artifact_fingerprint: changes whenever one of the files does.
    """

    run_id: str
    name: str
    state: str
    params: dict[str, str]
    tags: dict[str, str]
    points: tuple[MetricPoint, ...]
    artifacts: tuple[tuple[Path, str], ...]
    started_ms: int | None
    ended_ms: int | None
    fingerprint: str
    artifact_fingerprint: str


def take_snapshot(
    folder: RunFiles,
    *,
    state: str | None = None,
    upto_step: int | None = None,
) -> Snapshot:
    """Reads a run folder.

    Args:
        folder: the run folder.
        state: the run's state as the caller knows it; None: as status.json says.
        upto_step: last step to show; None: the newest checkpoint's, and everything for a finished run.

    Raises:
        StoreError: config, status or a record is missing or damaged.
    """
    config = _read_config(folder)
    status = folder.read_status()
    state = state or (status.state if status is not None else "CREATED")
    journal = read_journal(folder.journal_path)
    records = folder.records()
    limit = math.inf if state == "FINISHED" else (journal.checkpoint_step if upto_step is None else upto_step)
    journal_points = [point for point in _journal_points(journal) if limit is not None and point.step <= limit]
    tags = _tags(folder.run_id, config, journal, records, state)
    if status is not None and status.message and status.state == state in ("FAILED", "INTERRUPTED"):
        tags["repro.message"] = _cut(status.message)
    if odd := sorted({point.key for point in journal_points if not math.isfinite(point.value)}):
        tags["repro.non_finite_metrics"] = _cut(", ".join(odd))
    points = [point for point in journal_points if math.isfinite(point.value)] + list(_record_points(records))
    name = _name(config, folder.run_id)
    params = _params(config)
    artifacts = tuple(_artifacts(folder.path))
    files = _digest([(place, path.name, path.stat().st_size, path.stat().st_mtime_ns) for path, place in artifacts])
    shown = [(point.key, point.step, point.value) for point in points]
    running = state in ("CREATED", "RUNNING")
    return Snapshot(
        run_id=folder.run_id,
        name=name,
        state=state,
        params=params,
        tags=tags,
        points=tuple(points),
        artifacts=artifacts,
        started_ms=journal.started_ms,
        ended_ms=None if running else _milliseconds(status.updated) if status else time.time_ns() // 1_000_000,
        fingerprint=_digest([name, state, params, tags, shown, files]),
        artifact_fingerprint=files,
    )


@cache
def clean_key(text: str) -> str:
    """A metric, parameter or tag name as MLflow accepts it on every server: letters, digits and `_-. :/`."""
    parts = [part for part in _FORBIDDEN.sub("_", text).split("/") if part not in ("", ".", "..")]
    return "/".join(parts)[:250] or "_"


def _read_config(folder: RunFiles) -> dict[str, Any]:
    try:
        config = yaml.safe_load(folder.read_config())
    except yaml.YAMLError as error:
        raise StoreError(f"{folder.path / 'config.yaml'} is damaged: {str(error).splitlines()[0]}.") from error
    if not isinstance(config, dict):
        raise StoreError(f"{folder.path / 'config.yaml'} is damaged: it holds no configuration.")
    return config


def _params(config: Mapping[str, Any]) -> dict[str, str]:
    """The leaves of the science configuration; a weights file that is gone by now is shown by its path."""
    try:
        leaves = flatten(science(config))
    except ReproError:
        leaves = {path: value for path, value in flatten(config).items() if is_part_of_a_run(path)}
    return {clean_key(path): _cut(_text(value)) for path, value in leaves.items()}


def _tags(
    run_id: str, config: Mapping[str, Any], journal: JournalView, records: Sequence[Record], state: str
) -> dict[str, str]:
    """Tags for finding runs: identity, state, the choice made in each group, seed, commit of the last start."""
    tags = {"repro.run_id": run_id, "repro.state": state}
    groups = {group: choice for group, choice in _choices(config).items() if group not in ("runtime", "tracking")}
    tags |= {f"repro.{clean_key(group)}": _cut(str(choice)) for group, choice in groups.items()}
    tags |= {f"repro.{key}": str(config[key]) for key in ("seed", "recipe") if key in config}
    if records:
        tags["repro.scale"] = records[-1].scale
    commits = [event.fields.get("commit") for event in journal.events if event.kind == "started"]
    if commits and isinstance(commits[-1], str):
        tags["repro.commit"] = _cut(commits[-1])
    return tags


def _name(config: Mapping[str, Any], run_id: str) -> str:
    """The run's name, or its id where the configuration is damaged."""
    whole = {"head", "dataset"} <= _choices(config).keys() and "seed" in config
    return run_name({"name": None, **config}) if whole else str(config.get("name") or run_id)


def _choices(config: Mapping[str, Any]) -> dict[str, Any]:
    composition = config.get("composition")
    choices = composition.get("choices") if isinstance(composition, dict) else None
    return choices if isinstance(choices, dict) else {}


def _journal_points(journal: JournalView) -> Iterator[MetricPoint]:
    for point in journal.points:
        for name, value in point.metrics.items():
            yield MetricPoint(clean_key(name), value, point.time_ms, point.step)


def _record_points(records: Sequence[Record]) -> Iterator[MetricPoint]:
    """Scores as metrics under the evaluation's name; a second protocol of that name gets its id appended."""
    taken: set[str] = set()
    for record in records:
        name = record.names.evaluation
        prefix = f"{name}.{record.evaluation_id[:8]}" if name in taken else name
        taken.add(name)
        moment = _milliseconds(record.created)
        scores: dict[str, float | None] = dict(vars(record.scores))
        classes = record.per_class_iou_percent.items()
        scores |= {f"iou_percent/{label.replace('/', '_')}": value for label, value in classes}
        for key, value in scores.items():
            if value is not None:
                yield MetricPoint(clean_key(f"{prefix}/{key}"), value, moment, record.steps)


def _artifacts(path: Path) -> Iterator[tuple[Path, str]]:
    """The config, the records with their matrices, and every picture; never a checkpoint."""
    wanted = [path / "config.yaml", *(path / "evaluations").glob("*.json"), *(path / "evaluations").glob("*.npz")]
    for file in sorted({*wanted, *path.rglob("panels*.png")}):
        hidden = any(part.startswith(".") for part in file.relative_to(path).parts)
        if file.is_file() and not hidden and file.stat().st_size <= LARGEST_ARTIFACT_BYTES:
            folder = file.parent.relative_to(path).as_posix()
            yield file, "" if folder == "." else folder


def _text(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _cut(text: str) -> str:
    mark = " ... (cut; whole in config.yaml)"
    return text if len(text) <= LONGEST_VALUE else text[: LONGEST_VALUE - len(mark)] + mark


def _milliseconds(moment: str) -> int:
    try:
        return round(datetime.fromisoformat(moment).timestamp() * 1000)
    except ValueError as error:
        raise StoreError(f"{moment!r} is not a time in ISO 8601.") from error


def _digest(content: Any) -> str:
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()[:32]
