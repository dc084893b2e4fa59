"""What of a run folder is shown in MLflow, worked out without MLflow: parameters, tags, points, files, state."""

import hashlib
import json
import math
import re
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import Any

from repro.config.configuration import Configuration
from repro.errors import StoreError
from repro.store.journal import JournalView, read_journal
from repro.store.record import Record
from repro.store.run_folder import RunFolder
from repro.store.runs_csv import recorded
from repro.store.status import RunState, Status
from repro.store.twice import served_twice

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
        state: where the run stands.
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
    state: RunState
    params: dict[str, str]
    tags: dict[str, str]
    points: tuple[MetricPoint, ...]
    artifacts: tuple[tuple[Path, str], ...]
    started_ms: int | None
    ended_ms: int | None
    fingerprint: str
    artifact_fingerprint: str


def take_snapshot(
    folder: RunFolder,
    *,
    state: RunState | None = None,
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
    configuration = Configuration.from_yaml(folder.read_config(), folder.config_path)
    status = folder.read_status()
    state = state or (status.state if status is not None else RunState.CREATED)
    journal = read_journal(folder.journal_path)
    records = folder.records()
    limit = math.inf if state is RunState.FINISHED else (journal.checkpoint_step if upto_step is None else upto_step)
    journal_points = [point for point in _journal_points(journal) if limit is not None and point.step <= limit]
    tags = _tags(folder.run_id, configuration, journal, records, state)
    ill = state in (RunState.FAILED, RunState.INTERRUPTED)
    if status is not None and status.message and status.state is state and ill:
        tags["repro.message"] = _cut(status.message)
    if odd := sorted({point.key for point in journal_points if not math.isfinite(point.value)}):
        tags["repro.non_finite_metrics"] = _cut(", ".join(odd))
    points = [point for point in journal_points if math.isfinite(point.value)] + list(_record_points(records))
    name = _name(configuration, folder.run_id)
    params = {clean_key(path): _cut(_text(value)) for path, value in configuration.science_leaves.items()}
    artifacts = tuple(_artifacts(folder))
    files = _digest([(place, path.name, path.stat().st_size, path.stat().st_mtime_ns) for path, place in artifacts])
    shown = [(point.key, point.step, point.value) for point in points]
    return Snapshot(
        run_id=folder.run_id,
        name=name,
        state=state,
        params=params,
        tags=tags,
        points=tuple(points),
        artifacts=artifacts,
        started_ms=journal.started_ms,
        ended_ms=_ended_ms(status) if state.has_ended else None,
        fingerprint=_digest([name, state, params, tags, shown, files]),
        artifact_fingerprint=files,
    )


@cache
def clean_key(text: str) -> str:
    """A metric, parameter or tag name as MLflow accepts it on every server: letters, digits and `_-. :/`."""
    parts = [part for part in _FORBIDDEN.sub("_", text).split("/") if part not in ("", ".", "..")]
    return "/".join(parts)[:250] or "_"


def _ended_ms(status: Status | None) -> int:
    return _milliseconds(status.updated) if status else time.time_ns() // 1_000_000


def _tags(
    run_id: str, configuration: Configuration, journal: JournalView, records: Sequence[Record], state: RunState
) -> dict[str, str]:
    """Tags for finding runs: identity, state, choices, seed, commit of the last start, images that served twice."""
    tags, leaves = {"repro.run_id": run_id, "repro.state": str(state)}, configuration.leaves
    groups = {group: choice for group, choice in configuration.choices.items() if group not in ("runtime", "tracking")}
    tags |= {f"repro.{clean_key(group)}": _cut(str(choice)) for group, choice in groups.items()}
    tags |= {f"repro.{key}": str(leaves[key]) for key in ("seed", "recipe") if key in leaves}
    if records:
        tags["repro.scale"] = records[-1].scale
    if told := dict.fromkeys(sentence for record in records for _, sentence in served_twice(recorded(record))):
        tags["repro.images"] = _cut("; ".join(told))
    commits = [event.fields.get("commit") for event in journal.events if event.kind == "started"]
    if commits and isinstance(commits[-1], str):
        tags["repro.commit"] = _cut(commits[-1])
    return tags


def _name(configuration: Configuration, run_id: str) -> str:
    """The run's name, or its id where the configuration is damaged."""
    whole = {"head", "dataset"} <= configuration.choices.keys() and "seed" in configuration.leaves
    return configuration.name if whole else str(configuration.leaves.get("name") or run_id)


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


def _artifacts(folder: RunFolder) -> Iterator[tuple[Path, str]]:
    """What of the folder may be shown elsewhere, with its place among the artifacts."""
    for file in folder.shown_files():
        if file.stat().st_size <= LARGEST_ARTIFACT_BYTES:
            place = file.parent.relative_to(folder.path).as_posix()
            yield file, "" if place == "." else place


def _text(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _cut(text: str) -> str:
    mark = " ... (cut; whole in config.yaml)"
    return text if len(text) <= LONGEST_VALUE else text[: LONGEST_VALUE - len(mark)] + mark


def _milliseconds(moment: str) -> int:
    try:
        return round(datetime.fromisoformat(moment).timestamp() * 1000)
    except ValueError as error:
        raise StoreError(f"{moment!r} is not a time in ISO 8601") from error


def _digest(content: Any) -> str:
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()[:32]
