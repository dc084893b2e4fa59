"""images.csv: differences of evaluations over images, which are computed where the run folders are and remembered."""

import csv
import hashlib
import io
import math
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, fields
from pathlib import Path

_IDENTITIES = re.compile(r"[0-9a-f]{16}( [0-9a-f]{16})*")
_DIGEST = re.compile(r"[0-9a-f]{64}")
_DECIMALS = 4

Key = tuple[tuple[str, ...], tuple[str, ...], str]
"""Evaluation ids of both sides, and the name of the score."""


@dataclass(frozen=True)
class OverImages:
    """The difference of a score between two sides, with its 95 % interval over the images of their split.

    Attributes:
        first: evaluation ids of one side, sorted; the mean of their scores counts.
        second: those of the other side.
        score: name of the score, as in `repro.store.record.Scores`.
        difference: first minus second, in percentage points.
        low: end of the interval; None where fewer than two images have labels.
        high: its other end.
        images: how many images with labels there are.
        resamples: how often they were drawn.
        seed: of the generator that drew them.
        confusions_sha256: `confusions_sha256` of both sides: what was compared.
    """

    first: tuple[str, ...]
    second: tuple[str, ...]
    score: str
    difference: float
    low: float | None
    high: float | None
    images: int
    resamples: int
    seed: int
    confusions_sha256: str

    @property
    def key(self) -> Key:
        """What it is the difference of."""
        return self.first, self.second, self.score


COLUMNS = tuple(field.name for field in fields(OverImages))


def confusions_sha256(first: Sequence[str], second: Sequence[str]) -> str:
    """Digest of the digests of two sides' whole confusion matrices, in the order of the evaluations."""
    return hashlib.sha256("\n".join((*first, "-", *second)).encode()).hexdigest()


def rounded(value: float) -> float:
    """As the file holds it, so that what was just computed reads as what is remembered."""
    return round(value, _DECIMALS) + 0.0  # no -0.0


def images_csv(lines: Iterable[OverImages]) -> str:
    """The text of images.csv, the same for the same lines whatever their order."""
    text = io.StringIO(newline="")
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(COLUMNS)
    for line in sorted(lines, key=lambda line: line.key):
        writer.writerow([_text(getattr(line, name)) for name in COLUMNS])
    return text.getvalue()


def read_images_csv(path: Path) -> tuple[dict[Key, OverImages], list[str]]:
    """The lines of an images.csv that are right, and a sentence for each that is not; no file means no lines."""
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        return {}, []
    except (OSError, ValueError) as error:
        return {}, [f"{path} cannot be read: {error}"]
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    lines: dict[Key, OverImages] = {}
    problems = []
    try:
        for values in reader:
            place = f"{path}:{reader.line_num}"
            if reader.line_num == 1:
                if tuple(values) != COLUMNS:
                    return {}, [f"{place}: the head line must be {','.join(COLUMNS)}"]
                continue
            try:
                line = _parsed(values)
                if line.key in lines:
                    raise ValueError("the same difference is there twice")
                lines[line.key] = line
            except ValueError as error:
                problems.append(f"{place}: {error}")
    except csv.Error as error:
        problems.append(f"{path}:{reader.line_num}: {error}")
    return lines, problems


def _text(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, tuple):
        return " ".join(value)
    return f"{value:.{_DECIMALS}f}" if isinstance(value, float) else str(value)


def _parsed(values: Sequence[str]) -> OverImages:
    if len(values) != len(COLUMNS):
        raise ValueError(f"the line has {len(values)} fields, not {len(COLUMNS)}")
    given = dict(zip(COLUMNS, values, strict=True))
    for name in ("first", "second"):
        if not _IDENTITIES.fullmatch(given[name]):
            raise ValueError(f"{name} is {given[name][:60]!r}; these are ids of 16 hex digits with spaces between them")
    if not _DIGEST.fullmatch(given["confusions_sha256"]):
        raise ValueError(f"confusions_sha256 is {given['confusions_sha256'][:60]!r}, which is no sha256")
    ends = [_number(given, name) if given[name] else None for name in ("low", "high")]
    low, high = ends
    if (low is None) != (high is None) or (low is not None and high is not None and low > high):
        raise ValueError(f"{given['low']!r} to {given['high']!r} is no interval")
    return OverImages(
        first=_identities(given["first"]),
        second=_identities(given["second"]),
        score=given["score"],
        difference=_number(given, "difference"),
        low=low,
        high=high,
        confusions_sha256=given["confusions_sha256"],
        **{name: _count(given, name) for name in ("images", "resamples", "seed")},
    )


def _identities(text: str) -> tuple[str, ...]:
    return tuple(sorted(text.split()))


def _number(given: Mapping[str, str], name: str) -> float:
    try:
        value = float(given[name])
    except ValueError:
        value = math.nan
    if not math.isfinite(value) or abs(value) > 100:
        raise ValueError(f"{name} is {given[name][:60]!r}, which is no difference in percentage points")
    return value


def _count(given: Mapping[str, str], name: str) -> int:
    if not given[name].isascii() or not given[name].isdigit():
        raise ValueError(f"{name} is {given[name][:60]!r}, which is no whole number")
    return int(given[name])
