"""What images were used for on the way to some weights, by their ids: as it lies in a run folder, and counted."""

import gzip
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from repro.errors import DamagedError

Ids = Mapping[str, frozenset[str]]
"""Name of a data set to ids of its images."""


@dataclass(frozen=True)
class UsedImages:
    """The images that a chain of trainings has seen, all stages together.

    Attributes:
        trained: those trained on.
        selecting: those whose scores chose weights.
        selecting_trained: those of them that had been trained on when they did.
        unknown: weights that were started from, such as `torchvision:<name>`, whose images nobody knows.
    """

    trained: Ids = field(default_factory=dict)
    selecting: Ids = field(default_factory=dict)
    selecting_trained: Ids = field(default_factory=dict)
    unknown: tuple[str, ...] = ()

    def trained_on(self, name: str, ids: Iterable[str]) -> "UsedImages":
        """The same after a training on images of a data set."""
        return UsedImages(_with(self.trained, name, ids), self.selecting, self.selecting_trained, self.unknown)

    def selected_by(self, name: str, ids: Iterable[str]) -> "UsedImages":
        """The same after a choice of weights by the scores on images of a data set."""
        chosen = frozenset(ids)
        trained = chosen & self.trained.get(name, frozenset())
        twice = _with(self.selecting_trained, name, trained)
        return UsedImages(self.trained, _with(self.selecting, name, chosen), twice, self.unknown)

    def after_unknown(self, source: str) -> "UsedImages":
        """The same with weights behind it whose images nobody knows."""
        sources = tuple(dict.fromkeys((*self.unknown, source)))
        return UsedImages(self.trained, self.selecting, self.selecting_trained, sources)

    def to_bytes(self) -> bytes:
        """The compressed form; the same for the same images."""
        content: dict[str, Any] = {"unknown": list(self.unknown)}
        for use in ("trained", "selecting", "selecting_trained"):
            content[use] = {name: sorted(ids) for name, ids in sorted(getattr(self, use).items())}
        return gzip.compress(json.dumps(content, ensure_ascii=False).encode(), mtime=0)

    @classmethod
    def from_bytes(cls, content: bytes, source: str) -> "UsedImages":
        """What `to_bytes` gave; `source` names the file in the error.

        Raises:
            DamagedError: the content is damaged.
        """
        try:
            read = json.loads(gzip.decompress(content))
            uses = {
                use: {str(name): frozenset(map(str, ids)) for name, ids in read[use].items()}
                for use in ("trained", "selecting", "selecting_trained")
            }
            return cls(**uses, unknown=tuple(map(str, read["unknown"])))
        except Exception as error:  # a damaged archive raises zlib, end-of-file, value and key errors alike
            raise DamagedError(
                f"{source} is damaged ({error}); it should hold the images behind the weights"
            ) from error


@dataclass(frozen=True)
class ImageCounts:
    """How many images served twice on the way to one measurement.

    Attributes:
        measured_trained: measured images that were trained on.
        measured_selecting: measured images whose scores chose weights.
        selecting_trained: images whose scores chose weights after they had been trained on.
        unknown: weights that were started from, whose images nobody knows.
    """

    measured_trained: int
    measured_selecting: int
    selecting_trained: int
    unknown: tuple[str, ...]


def counts(used: UsedImages, name: str, measured: Iterable[str]) -> ImageCounts:
    """Counts images of the data set `name`, with the ids `measured`, against what was used before."""
    ids, none = frozenset(measured), frozenset[str]()
    return ImageCounts(
        len(ids & used.trained.get(name, none)),
        len(ids & used.selecting.get(name, none)),
        sum(map(len, used.selecting_trained.values())),
        used.unknown,
    )


def _with(before: Ids, name: str, ids: Iterable[str]) -> Ids:
    together = before.get(name, frozenset()) | frozenset(ids)
    return {**before, name: together} if together else before
