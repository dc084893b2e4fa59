"""Which comparisons of claims have an interval over images."""

import dataclasses

import pytest

from repro.papers import Address, Gain
from repro.report.judge.images import DifferencesOverImages
from repro.report.judge.tables import Tables
from repro.report.judge.verdicts import Tolerance
from repro.store.images_csv import OverImages, confusions_sha256
from tests.report.judge.made_claims import a_claim


def at(row, column="mIoU"):
    return Address("small/table1", row, column)


def judged(made, claim):
    """The claim's only comparison, with what images.csv remembers of both rows; and that line."""
    known = made.lines("Rates", [73.0, 74.0, 75.2]) | made.lines("Plain", [70.0, 71.1, 72.0])
    first, second = (tuple(sorted(key for key in made.lines(row, [0.0] * 3))) for row in ("Rates", "Plain"))
    digest = confusions_sha256(*([known[key].confusion_sha256 for key in side] for side in (first, second)))
    line = OverImages(first, second, "miou_percent", 3.0, 2.0, 4.0, 96, 2000, 0, digest)
    images = DifferencesOverImages(known, {line.key: line})
    builder = Tables(made.found, known, Tolerance(1.0, 0.02))
    result = builder.with_images(builder.result(dataclasses.replace(made.table, claims=(claim,))), images)
    (part,) = result.claims[0].parts
    return part, line


def test_two_scores_of_the_whole_split_are_compared_over_images_beside_the_seeds(shortened):
    part, line = judged(shortened, a_claim(at("Rates"), ">", at("Plain")))
    assert part.over_images == line
    assert (part.verdict, part.difference.n) == ("holds", 3)


@pytest.mark.parametrize(
    "claim",
    [
        a_claim(Gain(at("Rates"), at("Plain")), ">", 0.5),
        a_claim(at("Rates"), ">", 60.0),
        a_claim(at("Rates", "Gain"), ">", at("Rates, smaller", "Gain")),
        a_claim(at("Rates", "Parameters"), ">", at("Plain", "Parameters")),
        a_claim(at("Rates"), ">", at("Deeper")),
    ],
    ids=["gain", "number", "differences", "closed forms", "not measured"],
)
def test_nothing_else_is(shortened, claim):
    part, _ = judged(shortened, claim)
    assert part.over_images is None
