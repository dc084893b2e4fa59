"""Images that served twice on the way to a score, in words."""

from collections.abc import Iterator
from enum import StrEnum

from repro.store.runs_csv import Recorded


class Twice(StrEnum):
    """How images served twice, or that nobody knows whether they did."""

    MEASURED_TRAINED = "measured and trained on"
    MEASURED_SELECTING = "measured and choosing"
    SELECTING_TRAINED = "choosing and trained on"
    UNKNOWN = "unknown"


def served_twice(evaluation: Recorded) -> Iterator[tuple[Twice, str]]:
    """What a reader must know of the images behind an evaluation, as sentences."""
    images = "the" if evaluation.images is None else f"the {evaluation.images:,}"
    if count := evaluation.measured_trained:
        yield Twice.MEASURED_TRAINED, f"{count:,} of {images} measured images were trained on"
    if count := evaluation.measured_selecting:
        yield Twice.MEASURED_SELECTING, f"the weights were chosen by {count:,} of {images} measured images"
    if count := evaluation.selecting_trained:
        yield Twice.SELECTING_TRAINED, f"the weights were chosen by images of which {count:,} were trained on"
    if source := evaluation.unknown_images:
        yield Twice.UNKNOWN, f"which images are behind the weights of {source} is unknown"
