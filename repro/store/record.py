"""The record of one evaluation: a small typed JSON file that is all a report needs, beside its confusion matrix."""

import dataclasses
import functools
import hashlib
import math
import types
import typing
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from repro.errors import DamagedError, StoreError
from repro.store.files import sealed_json, unsealed_json

Plain = Any  # None, bool, int, float, str, or lists and string-keyed dicts of them; checked by `_check_plain`.


@dataclass(frozen=True)
class Names:
    """The choice made in each config group, as typed on the command line, such as `head = "vortex"`."""

    backbone: str
    head: str
    dataset: str
    schedule: str
    evaluation: str


@dataclass(frozen=True)
class Scores:
    """Scores over the whole evaluated split, in percent; None where no pixel has a label (a test split).

    A score that comes later has the default None, which is what a record from before it says.
    """

    miou_percent: float | None
    pixel_accuracy_percent: float | None


@dataclass(frozen=True)
class Record:
    """What one evaluation of one run measured, under which configuration, and where the numbers come from.

    Attributes:
        run_id: 16 hex digits of the run's identity.
        evaluation_id: identity of (run, evaluated split, evaluation protocol).
        recipe: number that is raised when code changes the meaning of a configuration.
        created: time of writing, ISO 8601 in UTC.
        seed: seed of the training.
        scale: name of the scale at which the run was made, `paper` if nothing was scaled.
        names: the choice of each config group.
        scores: scores over the split.
        per_class_iou_percent: class name to IoU; None for a class in neither labels nor predictions.
        confusion_sha256: `confusion_sha256` of the matrix stored beside the record.
        config: resolved science configuration of the run.
        evaluation_config: resolved evaluation group.
        provenance: commit, versions, hardware, split hashes.
        steps: optimiser steps behind the weights.
        wall_seconds: time of training and evaluation, over all restarts.
        gpu_seconds: the same times the number of GPUs; 0 on a CPU.
        parameters: number of parameters of the network.
        weights_sha256: digest of the weights that were measured; None in a record from before there was one.
        image_confusions_sha256: digest of the matrices of the single images, in the same file; None in a record from
            before they were kept.
    """

    run_id: str
    evaluation_id: str
    recipe: int
    created: str
    seed: int
    scale: str
    names: Names
    scores: Scores
    per_class_iou_percent: dict[str, float | None]
    confusion_sha256: str
    config: dict[str, Plain]
    evaluation_config: dict[str, Plain]
    provenance: dict[str, Plain]
    steps: int
    wall_seconds: float
    gpu_seconds: float
    parameters: int
    weights_sha256: str | None = None
    image_confusions_sha256: str | None = None

    def to_json(self) -> str:
        """Writes the record as indented JSON with one key per line and its digest; a NaN score becomes null.

        Raises:
            StoreError: a value has the wrong type, or is NaN or infinite where a number is required.
        """
        content = dataclasses.asdict(self)
        content["scores"] = _nan_to_none(content["scores"])
        content["per_class_iou_percent"] = _nan_to_none(content["per_class_iou_percent"])
        _build(Record, content, "", f"the record of evaluation {self.evaluation_id}")
        return sealed_json(content)

    @classmethod
    def from_json(cls, text: str | bytes, source: str) -> "Record":
        """Reads a record, accepting exactly what `to_json` writes.

        Args:
            text: the JSON text.
            source: name of the file, for the error.

        Raises:
            DamagedError: naming the file and the key: an unknown or missing key, a wrong type, NaN.
        """
        content = unsealed_json(text, source)
        try:
            record = _build(cls, content, "", source)
        except StoreError as error:
            raise DamagedError(str(error)) from error
        assert isinstance(record, cls)
        return record


def confusion_sha256(matrix: np.ndarray) -> str:
    """Hash of a confusion matrix `[C, C]`: sha256 of its shape and its int64 values, row by row, little endian."""
    values = np.ascontiguousarray(matrix, dtype="<i8")
    return hashlib.sha256(str(values.shape).encode() + values.tobytes()).hexdigest()


def _nan_to_none(scores: Mapping[str, float | None]) -> dict[str, float | None]:
    return {name: None if value is None or math.isnan(value) else value for name, value in scores.items()}


def _build(kind: type, content: Any, place: str, source: str) -> Any:
    """Makes the dataclass `kind` from a JSON object whose keys are exactly its fields."""
    if not isinstance(content, dict):
        raise StoreError(f"{source}: {place or 'the whole'} must be an object, not {_type_name(content)}")
    hints = _hints(kind)
    prefix = f"{place}." if place else ""
    for what, keys in (
        ("is unknown", content.keys() - hints),
        ("is missing", hints.keys() - content - later_fields(kind)),
    ):
        if keys:
            raise StoreError(f"{source}: key {prefix}{sorted(map(str, keys))[0]} {what}")
    return kind(**{key: _check(hints[key], content[key], prefix + key, source) for key in hints if key in content})


_hints = functools.cache(typing.get_type_hints)


@functools.cache
def later_fields(kind: type) -> frozenset[str]:
    """Fields that have a default, since older files lack them."""
    return frozenset(item.name for item in dataclasses.fields(kind) if item.default is not dataclasses.MISSING)


def _check(hint: Any, value: Any, place: str, source: str) -> Any:
    """Returns the value if it has the declared type, whole numbers being welcome where a float is declared."""
    if dataclasses.is_dataclass(hint):
        return _build(typing.cast(type, hint), value, place, source)
    if typing.get_origin(hint) is dict:
        if not isinstance(value, dict):
            raise StoreError(f"{source}: {place} must be an object, not {_type_name(value)}")
        inner = typing.get_args(hint)[1]
        if inner is Plain and _is_plain(value):
            return value
        return {key: _check(inner, item, f"{place}.{key}", source) for key, item in value.items()}
    if hint is Plain:
        return _check_plain(value, place, source)
    allowed = typing.get_args(hint) if isinstance(hint, types.UnionType) else (hint,)
    if type(value) is int and float in allowed and int not in allowed:
        value = float(value)
    if type(value) not in allowed:
        wanted = " or ".join("null" if kind is type(None) else kind.__name__ for kind in allowed)
        raise StoreError(f"{source}: {place} must be {wanted}, not {_type_name(value)}")
    return _check_plain(value, place, source)


def _check_plain(value: Any, place: str, source: str) -> Any:
    """Returns the value if JSON can carry it unchanged: string keys, no NaN, no infinity, no foreign types."""
    if _is_plain(value):
        return value
    if isinstance(value, float) and not math.isfinite(value):
        raise StoreError(f"{source}: {place} is {value}, and a record holds finite numbers only")
    if isinstance(value, dict):
        for key, item in value.items():
            if type(key) is not str:
                raise StoreError(f"{source}: a key of {place} is {key!r}, not a string")
            _check_plain(item, f"{place}.{key}", source)
    elif isinstance(value, list):
        for index, item in enumerate(value):
            _check_plain(item, f"{place}[{index}]", source)
    elif value is not None and type(value) not in (bool, int, float, str):
        raise StoreError(f"{source}: {place} must be a plain value, not {_type_name(value)}")
    return value


def _is_plain(value: Any) -> bool:
    """The same without a place to name, in a fraction of the time."""
    if type(value) is dict:
        return all(type(key) is str for key in value) and all(map(_is_plain, value.values()))
    if type(value) is list:
        return all(map(_is_plain, value))
    return math.isfinite(value) if type(value) is float else type(value) in (str, int, bool, type(None))


def _type_name(value: Any) -> str:
    return "null" if value is None else type(value).__name__
