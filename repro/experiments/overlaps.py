"""Images that served twice on the way to a score: in words, and whether the paper itself has them serve so."""

from collections.abc import Iterable, Iterator
from enum import StrEnum

from repro.config.configuration import Configuration
from repro.config.settings import Overlap, Selection
from repro.experiments.measurement import Measurement
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


def told_and_deviating(
    measurement: Measurement, evaluations: Iterable[Recorded]
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The sentences about some evaluations of a cell, each once, and those of them that the paper does not do itself.

    The paper does it where its own chain asks for the overlap, or chooses by the split that it reports.
    """
    papers_own = {Twice.UNKNOWN, *_of_the_paper(measurement)}
    found = dict.fromkeys(item for evaluation in evaluations for item in served_twice(evaluation))
    told = tuple(sentence for _, sentence in found)
    return told, tuple(sentence for kind, sentence in found if kind not in papers_own)


def _of_the_paper(measurement: Measurement) -> Iterator[Twice]:
    chain = [link.configuration for link in measurement.paper_chain.links]
    asked = {str(word) for item in chain for word in item.leaves.get("dataset.allow_overlap") or ()}
    if Overlap.measured.value in asked:
        yield Twice.MEASURED_TRAINED
    if Overlap.selecting.value in asked:
        yield Twice.SELECTING_TRAINED
    if any(_chooses_by(item, chain[-1]) for item in chain):
        yield Twice.MEASURED_SELECTING


def _chooses_by(training: Configuration, last: Configuration) -> bool:
    """Whether a training of a chain chooses its weights by the split that the last one reports."""
    customary = training.leaves.get("dataset.evaluation_split")
    reported = last.leaves.get("evaluation.split") or last.leaves.get("dataset.evaluation_split")
    return (
        training.leaves["selection"] == Selection.best.value
        and training.choices["dataset"] == last.choices["dataset"]
        and (training.leaves["validation.split"] or customary) == reported
    )
