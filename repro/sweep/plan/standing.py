"""Where a training stands that is running: read from the end of its journal, which every log point is a line of."""

from dataclasses import dataclass

from repro.store.journal import Event, Point, newest_entries
from repro.store.run_folder import RunFolder
from repro.store.status import STEPS, Status
from repro.sweep.plan.words import duration

_BEGINNINGS = ("started", "resumed")
"""Events that no pace is taken across."""


@dataclass(frozen=True)
class Standing:
    """What the newest log points say.

    Attributes:
        step: the newest one.
        steps: how many the training takes.
        loss: the newest one.
        images_per_second: the newest ones.
        seconds_left: of the training, at the pace of the points since it was started.
    """

    step: int
    steps: int | None = None
    loss: float | None = None
    images_per_second: float | None = None
    seconds_left: float | None = None

    def __str__(self) -> str:
        parts = [f"step {self.step:,}" + (f" of {self.steps:,}" if self.steps else "")]
        if self.loss is not None:
            parts.append(f"loss {self.loss:.3f}")
        if self.images_per_second is not None:
            parts.append(f"{self.images_per_second:.3g} images/s")
        if self.seconds_left:
            parts.append(f"about {duration(self.seconds_left)} left")
        return ", ".join(parts)


def standing(folder: RunFolder, status: Status | None) -> Standing | None:
    """Where the training of a folder stands; None before its first step."""
    entries = newest_entries(folder.journal_path)
    begun = max((place for place, entry in enumerate(entries)
                 if isinstance(entry, Event) and entry.kind in _BEGINNINGS), default=-1)  # fmt: skip
    points = [entry for entry in entries[begun + 1 :] if isinstance(entry, Point) and "loss" in entry.metrics]
    steps = status.extra.get(STEPS) if status is not None else None
    total = steps if isinstance(steps, int) else None
    if not points:
        passed = [entry.step if isinstance(entry, Point) else entry.fields.get("step") for entry in entries]
        known = [step for step in passed if isinstance(step, int)]
        return Standing(known[-1], total) if known else None
    newest = points[-1]
    loss, speed = newest.metrics["loss"], newest.metrics.get("images_per_second")
    return Standing(newest.step, total, loss, speed, _seconds_left(points, total))


def _seconds_left(points: list[Point], steps: int | None) -> float | None:
    first, newest = points[0], points[-1]
    if steps is None or newest.step <= first.step:
        return None
    seconds_per_step = (newest.time_ms - first.time_ms) / 1000 / (newest.step - first.step)
    return max(0.0, (steps - newest.step) * seconds_per_step)
