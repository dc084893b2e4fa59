"""One line of runs.csv against itself: scores, ranges, and what its command, its scale and its data set say."""

import math
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, fields
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from repro.config.identity import NOT_PART_OF_AN_EVALUATION
from repro.config.recorded_command import Command, Lookup, read_command
from repro.config.settings import Length, Selection
from repro.config.tree import written
from repro.errors import ConfigError
from repro.papers import Scale
from repro.report.audit.contradiction import Contradiction, OwnKind
from repro.store.record import Names
from repro.store.runs_csv import Recorded, flat

TOLERANCE_PERCENT = 1e-9
"""What the order of a sum may change in a mean of scores."""

_HEX64 = re.compile(r"[0-9a-f]{64}")
_FORMS = {
    "evaluation_id": re.compile(r"[0-9a-f]{16}"), "run_id": re.compile(r"[0-9a-f]{16}"), "confusion_sha256": _HEX64,
    "split_sha256": _HEX64, "weights_digest": _HEX64, "start_digest": _HEX64,
    "commit": re.compile(r"[0-9a-f]{6,64}"), "science_code": re.compile(r"[0-9a-f]{16}( [0-9a-f]{16})*"),
}  # fmt: skip
_LEAST = {
    "seed": 0, "recipe": 1, "steps": 0, "wall_seconds": 0, "gpu_seconds": 0, "parameters": 1, "batch_norm_samples": 1,
    "restarts": 0, "images": 1, "measured_trained": 0, "measured_selecting": 0, "selecting_trained": 0, "threads": 1,
    "processes": 1,
}  # fmt: skip
_MAY_BE_EMPTY = frozenset({"split_sha256", "weights_digest", "start_digest", "commit", "science_code"})


@dataclass(frozen=True)
class Known:
    """What lines are held against.

    Attributes:
        scales: by their names.
        conf_folder: a folder with further choices of the config groups.
    """

    scales: Mapping[str, Scale] = field(default_factory=dict)
    conf_folder: Path | None = None


def contradictions(line: Recorded, known: Known) -> list[Contradiction]:
    """What an evaluation says that something else in it, or a file of the configuration, rules out."""
    found = [*_of_scores(line), *_of_ranges(line)]
    if not line.command:  # a record that does not tell it
        return found
    try:
        command = read_command(line.command)
    except ValueError as error:
        return [*found, Contradiction(OwnKind.COMMAND, "command", line.command, f"it cannot be read: {error}")]
    lookup = Lookup(command, vars(line.names), known.conf_folder)
    found += [*_of_command(line, command, lookup), *_of_steps(line, lookup), *_of_split(line, lookup)]
    if line.scale in known.scales:
        found += _of_scale(line, command, known.scales[line.scale])
    return found


def _of_scores(line: Recorded) -> Iterator[Contradiction]:
    scores = {**vars(line.scores), **{f"{name} of the classes": v for name, v in line.per_class_iou_percent.items()}}
    outside = [name for name, value in scores.items() if value is not None and not 0 <= value <= 100]
    for name in outside:
        column = name if name in vars(line.scores) else "per_class_iou_percent"
        value = scores[name] if name in vars(line.scores) else f"{name.removesuffix(' of the classes')}: {scores[name]}"
        yield Contradiction(OwnKind.RANGE, column, value, "a percentage lies within 0 to 100")
    if outside:
        return
    classes = [value for value in line.per_class_iou_percent.values() if value is not None]
    mean = math.fsum(classes) / len(classes) if classes else None
    miou, accuracy = line.scores.miou_percent, line.scores.pixel_accuracy_percent
    if not _equal(miou, mean):
        right = "no class has a score" if mean is None else f"the mean of its {len(classes)} classes is {mean}"
        yield Contradiction(OwnKind.SCORES, "miou_percent", miou, right)
    if (accuracy is None) != (mean is None):
        right = "no class has a score" if mean is None else "its classes have scores"
        yield Contradiction(OwnKind.SCORES, "pixel_accuracy_percent", accuracy, right)
    elif accuracy is not None:
        low, high = _dice_percent(min(classes)), _dice_percent(max(classes))
        if not low - TOLERANCE_PERCENT <= accuracy <= high + TOLERANCE_PERCENT:
            yield Contradiction(OwnKind.SCORES, "pixel_accuracy_percent", accuracy,
                                f"the scores of its classes allow {low:.4g} to {high:.4g}")  # fmt: skip


def _dice_percent(iou_percent: float) -> float:
    """2 |A and B| / (|A| + |B|) of a class; the pixel accuracy is a weighted mean of the classes' values."""
    return 200 * iou_percent / (100 + iou_percent)


def _equal(one: float | None, other: float | None) -> bool:
    if one is None or other is None:
        return one is other
    return abs(one - other) <= TOLERANCE_PERCENT


def _of_ranges(line: Recorded) -> Iterator[Contradiction]:
    values = flat(line)
    for column, least in _LEAST.items():
        value = values[column]
        if value is not None and not (math.isfinite(value) and value >= least):
            yield Contradiction(OwnKind.RANGE, column, value, f"it is at least {least}")
    for column, form in _FORMS.items():
        if not form.fullmatch(values[column]) and not (values[column] == "" and column in _MAY_BE_EMPTY):
            yield Contradiction(OwnKind.RANGE, column, values[column], "it is a hash in lower-case hex digits")
    for column in ("measured_trained", "measured_selecting"):
        if line.images is not None and (values[column] or 0) > line.images:
            right = f"only {line.images} images were measured"
            yield Contradiction(OwnKind.RANGE, column, values[column], right)
    if not _is_utc(line.created):  # whether it lies ahead says nothing: clocks of two machines are not compared
        yield Contradiction(OwnKind.RANGE, "created", line.created, "it is a time in UTC, such as "
                            "2026-01-02T03:04:05+00:00")  # fmt: skip


def _is_utc(text: str) -> bool:
    try:
        return datetime.fromisoformat(text).utcoffset() == timedelta(0)
    except ValueError:
        return False


def _of_command(line: Recorded, command: Command, lookup: Lookup) -> Iterator[Contradiction]:
    for column in ("seed", "recipe", "determinism"):
        value, right = flat(line)[column], lookup(column)
        if right is None or value in ("", right):
            continue
        if column == "recipe" and column not in command.given and value < right:
            continue  # measured before it was raised
        yield Contradiction(OwnKind.COMMAND, column, value, f"its command means {right}")
    for group in (item.name for item in fields(Names)):
        right, value = command.given.get(group, "").strip("'\""), getattr(line.names, group)
        if right and right != value:
            yield Contradiction(OwnKind.COMMAND, group, value, f"its command says {group}={right}")
    split = lookup("evaluation.split") or lookup("dataset.evaluation_split")
    if split and line.split and split != line.split:
        yield Contradiction(OwnKind.COMMAND, "split", line.split, f"its command measures {split}")
    samples = lookup("schedule.batch_norm.samples") or lookup("schedule.batch_size")
    if line.steps and samples and line.batch_norm_samples not in (None, samples):
        right = f"its command has {samples} images behind a statistic"
        yield Contradiction(OwnKind.COMMAND, "batch_norm_samples", line.batch_norm_samples, right)
    if line.start_digest and not str(lookup("init.from") or "").startswith("run:"):
        yield Contradiction(OwnKind.COMMAND, "start_digest", line.start_digest, "its command starts from no other run")


def _of_steps(line: Recorded, lookup: Lookup) -> Iterator[Contradiction]:
    text, selects = lookup("schedule.length"), lookup("selection") == Selection.best.value
    if text is None:
        return
    try:
        length = Length.parse(text, "schedule.length", least=0)
    except ConfigError as error:
        yield Contradiction(OwnKind.COMMAND, "command", text, str(error))
        return
    right: int | None = length.count
    if length.unit == "epochs" and length.count:
        images, batch = _declared(lookup, str(lookup("dataset.train_split")))[0], lookup("schedule.batch_size")
        known = isinstance(images, int) and isinstance(batch, int) and batch and lookup("dataset.duplicate") is None
        right = length.count * (images // batch) if known else None
    if right is None:
        return
    if line.steps > right or (line.steps < right and not selects):
        most = "at most " if selects else ""
        sentence = f"its command trains {most}{text}" + (f", {right} steps" if length.unit == "epochs" else "")
        yield Contradiction(OwnKind.COMMAND, "steps", line.steps, sentence)


def _of_split(line: Recorded, lookup: Lookup) -> Iterator[Contradiction]:
    if not line.split:
        return
    images, sha256 = _declared(lookup, line.split)
    name = f"the split {line.split} of {line.names.dataset}"
    if images is not None and line.images not in (None, images):
        yield Contradiction(OwnKind.SPLIT, "images", line.images, f"{name} is declared with {images} images")
    if sha256 is not None and line.split_sha256 not in ("", sha256):
        yield Contradiction(OwnKind.SPLIT, "split_sha256", line.split_sha256, f"{name} is declared with {sha256}")


def _declared(lookup: Callable[[str], Any], split: str) -> tuple[int | None, str | None]:
    """Number of images of a split, and hash of their ids, where the data set's file declares them."""
    images = lookup(f"dataset.expected_images.{split}") or lookup(f"dataset.{split}_images")
    return images, lookup(f"dataset.split_sha256.{split}")


def _of_scale(line: Recorded, command: Command, scale: Scale) -> Iterator[Contradiction]:
    given = {**command.given, **vars(line.names)}
    for key, values in scale.map.items():
        found = given.get(key)
        if found is None:
            continue
        wanted = values.get(found, values.get("*", found))
        if written(wanted) != found and found not in map(written, values.values()):
            column = key if key in vars(line.names) else "scale"
            value = found if column == key else line.scale
            yield Contradiction(OwnKind.SCALE, column, value,
                                f"the scale {scale.name} turns {key}={found} into {written(wanted)}")  # fmt: skip
    lasting = {leaf: written(value) for leaf, value in scale.set.items() if leaf not in NOT_PART_OF_AN_EVALUATION}
    others = [leaf for leaf, value in lasting.items() if command.given.get(leaf, value) != value]
    if lasting and not lasting.keys() & command.given.keys():
        yield Contradiction(OwnKind.SCALE, "scale", scale.name, "its command sets nothing of what this scale sets")
    elif others:
        asked, wanted = command.given[others[0]], lasting[others[0]]
        right = f"its command has {others[0]}={asked}, where this scale sets {wanted}"
        yield Contradiction(OwnKind.SCALE, "scale", scale.name, right)
