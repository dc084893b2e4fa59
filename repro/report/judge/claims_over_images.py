"""Comparisons of claims over images: beside what the seeds say, and never mixed with it."""

from dataclasses import replace

from repro.experiments.measurements import Measurements
from repro.papers import Address
from repro.report.judge.evidence import Evidence, Values
from repro.report.judge.images import DifferencesOverImages
from repro.report.judge.results import PartResult, TableResult


def with_images(
    result: TableResult, measurements: Measurements, evidence: Evidence, images: DifferencesOverImages
) -> TableResult:
    """The result with the interval over images of each comparison of two cells under one score of the whole split."""

    def side(address: Address) -> tuple[str, tuple[str, ...]]:
        """The score and the evaluations of a cell; none where that is no mean over runs."""
        measurement = evidence.resolved(measurements[address])
        values = evidence.of(measurement)
        metric = measurement.metric
        if not isinstance(values, Values) or metric.reference is not None or metric.class_name is not None:
            return "", ()
        return metric.kind.field, values.evidence

    def told(part: PartResult) -> PartResult:
        left, right = part.part.left, part.part.right
        if part.difference is None or not isinstance(left, Address) or not isinstance(right, Address):
            return part
        (score, first), (other, second) = side(left), side(right)
        if score != other or not first or not second:
            return part
        return replace(part, over_images=images.of(first, second, score))

    claims = tuple(replace(claim, parts=tuple(map(told, claim.parts))) for claim in result.claims)
    return replace(result, claims=claims)
