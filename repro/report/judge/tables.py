"""Measurements and evaluations -> the result of a table at a scale: a verdict for each cell and each claim."""

from collections.abc import Mapping

from repro.experiments.deviations import deviations
from repro.experiments.measurement import Kind, Measurement
from repro.experiments.measurements import Measurements
from repro.papers import SpecError, Table
from repro.report.judge.claims import Claims
from repro.report.judge.evidence import Absent, Evidence
from repro.report.judge.results import CellResult, TableResult
from repro.report.judge.statistics import interval
from repro.report.judge.verdicts import Tolerance, Verdict, judge
from repro.report.printed import rounded
from repro.store.runs_csv import Recorded

ONE_SEED = "one seed has no interval"


class Tables:
    """Builds the results of tables at one scale.

    Args:
        measurements: how the cells are measured at the scale.
        evaluations: every known evaluation by its id.
        tolerance: about published values.

    Attributes:
        evidence: where the values come from; it also knows which evaluations were used.
    """

    def __init__(self, measurements: Measurements, evaluations: Mapping[str, Recorded], tolerance: Tolerance) -> None:
        self._measurements = measurements
        self._library = measurements.library
        self._tolerance = tolerance
        self.evidence = Evidence(measurements, evaluations)

    def result(self, table: Table) -> TableResult:
        """The result of one table."""
        found = {cell.address: self._cell(self._measurements[cell.address]) for cell in table.cells()}
        judge_of = Claims(self._measurements, self.evidence)
        claims = tuple(judge_of.result(claim) for claim in table.claims)
        return TableResult(table, self._measurements.scale.name, found, claims)

    def _cell(self, measurement: Measurement) -> CellResult:
        address, published = measurement.address, measurement.cell.signed
        if not measurement.kind.is_measured:
            return CellResult(address, Verdict(measurement.kind), measurement.reason, published=published)
        values = self.evidence.of(measurement)
        if isinstance(values, Absent):
            return CellResult(address, values.verdict, values.reason, published=published)
        measured = interval(list(values.by_seed.values()))
        assert measured is not None
        found = deviations(self._library, measurement)
        reason, stated = "", (*found.stated, *values.deviations)
        original = rounded(self._library, measurement.cell)
        if original is None or published is None:  # wanted for a claim, and never printed
            return CellResult(
                address, Verdict.NOT_PRINTED, "", values.by_seed, measured, None, None, stated, found.left_open,
                values.evidence, values.hardware, values.warnings, values.code,
            )  # fmt: skip
        if stated:
            verdict = Verdict.DEVIATES
        else:
            tolerance = self._tolerance.of(measurement.metric, published, original.half)
            verdict = judge(measured, published, tolerance, exact=values.exact)
            reason = ONE_SEED if measured.n == 1 and not values.exact else ""
        return CellResult(
            address, verdict, reason, values.by_seed, measured, published, measured.mean - published,
            stated, found.left_open, values.evidence, values.hardware, values.warnings, values.code,
        )  # fmt: skip


def twins(measurements: Measurements, table: Table) -> list[SpecError]:
    """Cells of a table that are one evaluation under one metric although the paper prints them as different ones.

    Rows that say which cell they repeat are none.
    """
    first: dict[tuple[str, str, str], Measurement] = {}
    found = []
    for cell in table.cells():
        measurement = measurements[cell.address]
        if measurement.kind is not Kind.RUN or table.rows[cell.address.row].same_as is not None:
            continue
        key = (measurement.run_id(0), measurement.evaluation_id(0), str(measurement.metric))
        twin = first.setdefault(key, measurement)
        if twin is not measurement:
            message = (
                f"{cell.address.row} @ {cell.address.column} is measured by the same run and evaluation as "
                f"{twin.address.row} @ {twin.address.column}; say in run or evaluation what tells them apart"
            )
            found.append(SpecError(table.file, cell.line, message))
    return found
