"""Images that served twice on the way to a score: whether the paper itself has them serve so."""

from collections.abc import Iterable, Iterator

from repro.config.configuration import Configuration
from repro.config.settings import Overlap, Selection
from repro.experiments.measurement import Measurement
from repro.store.runs_csv import Recorded
from repro.store.twice import Twice, served_twice


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
