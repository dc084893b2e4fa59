"""Measurements and evaluations -> the result of a table at a scale: a verdict for each cell and each claim."""

from collections.abc import Iterable, Mapping
from dataclasses import replace

from repro.experiments.measurement import Kind, Measurement
from repro.experiments.measurements import Measurements
from repro.experiments.readings import Reading
from repro.papers import Address, SpecError, Table
from repro.report.audit.mixtures import mixtures
from repro.report.judge.cells import Cells
from repro.report.judge.claims import Claims
from repro.report.judge.claims_over_images import with_images
from repro.report.judge.evidence import Evidence
from repro.report.judge.identities import Identity, identity
from repro.report.judge.images import DifferencesOverImages
from repro.report.judge.results import CellResult, TableResult
from repro.report.judge.robustness import with_robustness
from repro.report.judge.verdicts import Tolerance
from repro.store.runs_csv import Recorded


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
        self._measurements, self._evaluations, self._tolerance = measurements, evaluations, tolerance
        self.evidence = Evidence(measurements, evaluations)
        self._cells = Cells(measurements, self.evidence, tolerance)
        self._claims = Claims(measurements, self.evidence, tolerance)

    def result(self, table: Table) -> TableResult:
        """The result of one table."""
        scale, claims = self._measurements.scale, self._claims.results(table)
        cells = self._with_mixtures(self._cells.results(table))
        return TableResult(table, scale.name, cells, claims, self._identities(table), scale.planned_seeds)

    def _with_mixtures(self, cells: dict[Address, CellResult]) -> dict[Address, CellResult]:
        found = mixtures(self._evaluations[item] for cell in cells.values() for item in cell.evidence)
        told = {address: dict.fromkeys(text for item in cell.evidence for text in found.get(item, ()))
                for address, cell in cells.items()}  # fmt: skip
        return {address: replace(cell, mixed=tuple(told[address])) for address, cell in cells.items()}

    def _identities(self, table: Table) -> dict[Address, Identity]:
        resolved = ((cell.address, self.evidence.resolved(self._measurements[cell.address])) for cell in table.cells())
        return {address: found for address, item in resolved if (found := identity(item)) is not None}

    def with_images(self, result: TableResult, images: DifferencesOverImages) -> TableResult:
        """A result whose comparisons have their intervals over images as well, where these are known."""
        return with_images(result, self._measurements, self.evidence, images)

    def with_readings(self, result: TableResult, readings: Iterable[Reading]) -> TableResult:
        """A result with the robustness of its claims over the open readings that are measured."""
        return with_robustness(result, readings, self._measurements, self.evidence, self._tolerance)


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
