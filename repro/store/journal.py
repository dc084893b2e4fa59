"""The journal of a run: one JSON line per point and event, appended, never rewritten; MLflow is its mirror.

Each line ends with a sum of the rest of it, so that one with a flipped bit counts as little as a torn one.
"""

import errno
import json
import math
import os
import re
import time
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any

from repro.store.files import guarded, is_there, open_or_make, read_bytes

TAIL_BYTES = 8192
"""Enough of a journal's end to hold its newest step."""

_SUM = re.compile(rb',"crc32":"([0-9a-f]{8})"\}$')


@dataclass(frozen=True)
class Point:
    """Metrics of one step; the time is in milliseconds since 1970, values may be NaN or infinite."""

    time_ms: int
    step: int
    metrics: dict[str, float]


@dataclass(frozen=True)
class Event:
    """Something that happened to the run, such as "resumed" with `fields = {"step": 200}`."""

    time_ms: int
    kind: str
    fields: dict[str, Any]


@dataclass(frozen=True)
class JournalView:
    """A journal as it counts: without what a later resume has superseded.

    Attributes:
        points: points in step order, one per step and metric name.
        events: every event ever written, superseded ones too.
        checkpoint_step: step of the newest checkpoint that still counts, None before the first.
        damaged_lines: lines torn by a crash, or that are not what was written, left out.
        started_ms: time of the first line, None for an empty journal.
    """

    points: tuple[Point, ...]
    events: tuple[Event, ...]
    checkpoint_step: int | None
    damaged_lines: int
    started_ms: int | None


class Journal:
    """Appends to a run's journal; a line is with the operating system when the call returns.

    Args:
        path: the journal file; made if missing. A torn last line of a killed process is closed off first.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._descriptor: int | None = open_or_make(path, os.O_APPEND)
        size = os.fstat(self._descriptor).st_size
        self._torn = size > 0 and os.pread(self._descriptor, 1, size - 1) != b"\n"

    def point(self, step: int, **metrics: float) -> None:
        """Writes the metrics of one step.

        Raises:
            StoreError: the disk refuses the line.
        """
        values = {name: _number_to_json(float(value)) for name, value in metrics.items()}
        self._append({"time": time.time_ns() // 1_000_000, "step": int(step), "metrics": values})

    def event(self, kind: str, **fields: Any) -> None:
        """Writes one event with plain fields.

        The kinds with a meaning here: `resumed` with `step` (later points of earlier lines no longer count) and
        `checkpoint` with `step` (points up to it may be shown elsewhere, since a resume can no longer undo them).

        Raises:
            StoreError: the disk refuses the line.
        """
        if reserved := {"time", "event"} & fields.keys():
            raise ValueError(f"{sorted(reserved)[0]} is not a name for a field of an event")
        self._append({"time": time.time_ns() // 1_000_000, "event": kind, **fields})

    def close(self) -> None:
        """Closes the file; harmless if done twice."""
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None

    def _append(self, content: dict[str, Any]) -> None:
        if self._descriptor is None:
            raise ValueError(f"the journal {self.path} is closed")
        line = _summed(json.dumps(content, allow_nan=False, separators=(",", ":")).encode()) + b"\n"
        data = b"\n" + line if self._torn else line
        self._torn = True
        with guarded(self.path, "written"):
            if os.write(self._descriptor, data) < len(data):
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        self._torn = False

    def __enter__(self) -> "Journal":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def read_journal(path: Path) -> JournalView:
    """Reads a journal, also one that is being written; a missing file is an empty journal.

    Raises:
        StoreError: the file exists but cannot be read.
    """
    content = read_bytes(path) if is_there(path) else b""
    damaged = 0
    started: int | None = None
    points: dict[int, Point] = {}
    events: list[Event] = []
    checkpoints: set[int] = set()
    for entry in _entries(content):
        if entry is None:
            damaged += 1
            continue
        started = entry.time_ms if started is None else started
        if isinstance(entry, Point):
            earlier = points.get(entry.step)
            metrics = {**earlier.metrics, **entry.metrics} if earlier else entry.metrics
            points[entry.step] = Point(entry.time_ms, entry.step, metrics)
            continue
        events.append(entry)
        step = entry.fields.get("step")
        if entry.kind == "checkpoint" and isinstance(step, int):
            checkpoints.add(step)
        elif entry.kind == "resumed" and isinstance(step, int):
            points = {place: point for place, point in points.items() if place <= step}
            checkpoints = {place for place in checkpoints if place <= step}
    ordered = tuple(points[step] for step in sorted(points))
    return JournalView(ordered, tuple(events), max(checkpoints, default=None), damaged, started)


def newest_step(path: Path) -> int | None:
    """The newest step in a journal, read from its end; None if there is none."""
    for entry in _newest_first(path):
        match entry:
            case Point(step=int(step)) | Event(fields={"step": int(step)}):
                return step
    return None


def newest_event(path: Path, kind: str) -> Event | None:
    """The newest event of a kind, read from the journal's end; None if there is none of late."""
    return next((entry for entry in _newest_first(path) if isinstance(entry, Event) and entry.kind == kind), None)


def newest_entries(path: Path) -> list[Point | Event]:
    """The last points and events of a journal, oldest first, read from its end; none where it cannot be read."""
    return [entry for entry in reversed(list(_newest_first(path))) if entry is not None]


def _newest_first(path: Path) -> Iterator[Point | Event | None]:
    """The entries at a journal's end, the newest first; None for a line that the tail cuts or that is just written."""
    try:
        with path.open("rb") as stream:
            stream.seek(0, os.SEEK_END)
            stream.seek(max(0, stream.tell() - TAIL_BYTES))
            lines = stream.read().splitlines()
    except OSError:
        return
    yield from map(_entry, reversed(lines))


def _entries(content: bytes) -> Iterator[Point | Event | None]:
    """Each line as a point or an event, None for a damaged one; blank lines are skipped."""
    for line in content.split(b"\n"):
        if line.strip():
            yield _entry(line)


def _entry(line: bytes) -> Point | Event | None:
    try:
        return _parse(json.loads(_unsummed(line)))
    except (ValueError, TypeError, KeyError, AttributeError):
        return None


def _summed(line: bytes) -> bytes:
    """A line that is a JSON object, with the sum of all before it as its last key."""
    return line[:-1] + b',"crc32":"%08x"}' % zlib.crc32(line[:-1])


def _unsummed(line: bytes) -> bytes:
    """What `_summed` was given; a line from before there were sums is left as it is.

    Raises:
        ValueError: it is not what was written.
    """
    end = _SUM.search(line)
    if end is None:
        return line
    if int(end[1], 16) != zlib.crc32(line[: end.start()]):
        raise ValueError("the line is not what its sum was taken of")
    return line[: end.start()] + b"}"


def _parse(content: dict[str, Any]) -> Point | Event:
    moment = int(content.pop("time"))
    if "event" in content:
        return Event(moment, str(content.pop("event")), content)
    metrics = {name: float(value) for name, value in content["metrics"].items()}
    return Point(moment, int(content["step"]), metrics)


def _number_to_json(value: float) -> float | str:
    """JSON has no NaN and no infinity; as text they survive, and `float` reads them back."""
    return value if math.isfinite(value) else str(value)
