"""Differences over images: a second source beside the seeds, computed where the run folders are, remembered elsewhere.

What seeds say and what images say are two questions, and neither interval is ever mixed with the other: seeds tell what
training again would give on these images, images what other images would give for these very weights.
"""

from collections.abc import Callable, Iterable, Mapping
from functools import lru_cache
from typing import TYPE_CHECKING

from repro.errors import DataError, StoreError
from repro.report.printed import signed
from repro.seeding import numpy_generator
from repro.store.files import is_there
from repro.store.images_csv import Key, OverImages, confusions_sha256, rounded
from repro.store.matrices import ImageConfusions
from repro.store.outputs import Outputs
from repro.store.runs_csv import Recorded

if TYPE_CHECKING:
    from repro.metrics.bootstrap import Tallies

SEED = 0
"""Of the generator that draws the images: one stream, so that all differences on a split rest on the same draws."""

Source = Callable[[Recorded], ImageConfusions | None]
"""Gives the matrices of an evaluation's images; None where they are not at hand."""

RESAMPLES = 2000
"""From one seed of the generator to another the ends then vary by about 4 % of half the interval."""

_KEPT = 64
"""Evaluations whose images are in memory at once: 0.7 MB each on VOC."""


def in_run_folders(outputs: Outputs) -> Source:
    """The matrices that run folders hold.

    The source raises a `StoreError` where there is a record and it or its matrices are damaged.
    """

    def source(line: Recorded) -> ImageConfusions | None:
        folder = outputs.run(line.run_id)
        if not is_there(folder.record_path(line.evaluation_id)):
            return None
        record = folder.read_record(line.evaluation_id)
        return folder.read_image_confusions(record) if record.confusion_sha256 == line.confusion_sha256 else None

    return source


class DifferencesOverImages:
    """Finds differences of evaluations over their images, each computed once.

    Args:
        evaluations: every known evaluation by its id.
        remembered: what images.csv holds.
        source: gives the matrices; None where only what is remembered counts.

    Attributes:
        problems: why matrices that should be there cannot be used, one sentence each.
    """

    def __init__(
        self, evaluations: Mapping[str, Recorded], remembered: Mapping[Key, OverImages], source: Source | None = None
    ) -> None:
        self._evaluations = evaluations
        self._remembered = {
            key: line for key, line in remembered.items() if self._digest(key) == line.confusions_sha256
        }
        self._found: dict[Key, OverImages | None] = {}
        self._source = source
        self._tallies = lru_cache(_KEPT)(self._read)
        self.problems: list[str] = []

    def of(self, first: Iterable[str], second: Iterable[str], score: str = "miou_percent") -> OverImages | None:
        """First minus second with its interval over images; each side's score is the mean over its evaluations.

        None where the sides were not measured on the same images in the same order, where the score is none that
        matrices give, and where neither matrices nor a remembered line are at hand.

        Args:
            first: ids of the evaluations of one side, such as of several seeds.
            second: those of the other side.
            score: as in `repro.store.record.Scores`.
        """
        key = (tuple(sorted(set(first))), tuple(sorted(set(second))), score)
        if key not in self._found:
            self._found[key] = self._made(key)
        return self._found[key]

    def lines(self, *, asked_alone: bool) -> list[OverImages]:
        """What images.csv is to hold: what was asked for, and unless that alone, what is remembered and still true."""
        asked = {key: line for key, line in self._found.items() if line is not None}
        return list((asked if asked_alone else self._remembered | asked).values())

    def _made(self, key: Key) -> OverImages | None:
        digest = self._digest(key)
        if digest is None or not self._of_one_split(key):
            return None
        remembered = self._remembered.get(key)
        if remembered is not None and self._is_as_drawn_today(remembered):
            return remembered
        return self._computed(key, digest) or remembered

    def _is_as_drawn_today(self, line: OverImages) -> bool:
        return self._source is None or line.low is None or (line.seed, line.resamples) == (SEED, RESAMPLES)

    def _digest(self, key: Key) -> str | None:
        """Of what a key would be the difference of; None if an evaluation is not known, or a side is empty."""
        sides = [[self._evaluations.get(item) for item in side] for side in key[:2]]
        known = [[line.confusion_sha256 for line in side if line] for side in sides]
        if not all(known) or list(map(len, known)) != list(map(len, sides)):
            return None
        return confusions_sha256(*known)

    def _of_one_split(self, key: Key) -> bool:
        lines = [self._evaluations[item] for side in key[:2] for item in side]
        splits = {(line.split_sha256, tuple(line.per_class_iou_percent)) for line in lines}
        return len(splits) == 1 and bool(lines[0].split_sha256)

    def _computed(self, key: Key, digest: str) -> OverImages | None:
        if self._source is None:
            return None
        from repro.metrics.bootstrap import SCORES, difference_over_images  # torch, which what is remembered spares

        first, second, score = key
        one, other = ([tallies for item in side if (tallies := self._tallies(item))] for side in (first, second))
        if score not in SCORES or (len(one), len(other)) != (len(first), len(second)):
            return None
        try:
            found = difference_over_images(
                one, other, score, generator=numpy_generator(SEED, "images"), resamples=RESAMPLES
            )
        except DataError as error:
            self.problems.append(f"evaluations {' '.join(first)} and {' '.join(second)}: {error}")
            return None
        return OverImages(
            first,
            second,
            score,
            rounded(found.difference),
            None if found.low is None else rounded(found.low),
            None if found.high is None else rounded(found.high),
            found.images,
            found.resamples,
            SEED,
            digest,
        )

    def _read(self, evaluation_id: str) -> "Tallies | None":
        from repro.metrics.bootstrap import Tallies

        assert self._source is not None  # asked for by what computes alone
        try:
            matrices = self._source(self._evaluations[evaluation_id])
        except StoreError as error:
            self.problems.append(str(error))
            return None
        return None if matrices is None else Tallies.of(matrices)


def told(line: OverImages) -> str:
    """A difference in words that say of what kind it is."""
    difference = signed(line.difference, 1)
    if line.low is None or line.high is None:
        return f"{difference} over 1 image, without an interval"
    return f"{difference} [{signed(line.low, 1)}, {signed(line.high, 1)}] over {line.images:,} images"
