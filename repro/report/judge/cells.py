"""Printed cells -> verdicts: each from its own seeds, `above` and `below` after Holm over the table."""

from dataclasses import dataclass, replace

from repro.experiments.measurement import Kind, Measurement
from repro.experiments.measurements import Measurements
from repro.papers import Address, Table
from repro.report.judge.evidence import Absent, Evidence, Values
from repro.report.judge.results import CellResult
from repro.report.judge.statistics import LEVEL, Estimate, Interval, holm
from repro.report.judge.verdicts import (
    MOST_SEEDS,
    SEEDS_OF_A_CELL,
    CellTest,
    Tolerance,
    Verdict,
    more_seeds,
    seeds_that_decide,
    try_cell,
    verdict_without_seeds,
)
from repro.report.printed import rounded

ONE_SEED = "one seed has no spread"
NO_RUN = "no run has both of what is compared"
WITHIN = "further off than one more run of ours would be, and yet within the tolerance"
MANY = f"within the tolerance, and yet more than {MOST_SEEDS} seeds would be needed to show it"
NEVER = "more seeds do not decide: the mean is beyond the tolerance, and yet one more run could be as far off"


@dataclass(frozen=True)
class _Tested:
    """What the verdict on a cell rests on where its seeds can decide."""

    mean: Estimate
    run: Estimate
    published: float
    tolerance: float
    half: float

    @property
    def test(self) -> CellTest:
        return try_cell(self.mean, self.run, self.published, self.tolerance, self.half)

    def seeds_needed(self, size: int) -> int | None:
        """The fewest seeds that decide in a family of so many if mean and spread stay as they are."""
        more = more_seeds(self.mean.n)
        mean, run = self.mean.with_seeds(more), self.run.with_seeds(more)
        test = try_cell(mean, run, self.published, self.tolerance, self.half)
        return seeds_that_decide(self.mean.n, test.verdicts(size * test.away) != str(Verdict.INCONCLUSIVE))


@dataclass(frozen=True)
class _Draft:
    """A cell before Holm; `name` is the same for cells that print one quantity of one evaluation alike."""

    cell: CellResult
    name: str = ""
    tested: _Tested | None = None


class Cells:
    """Judges cells at one scale.

    Args:
        measurements: how the cells are measured at the scale.
        evidence: their values.
        tolerance: about published values, where a table has none of its own.
    """

    def __init__(self, measurements: Measurements, evidence: Evidence, tolerance: Tolerance) -> None:
        self._measurements, self._evidence, self._tolerance = measurements, evidence, tolerance

    def results(self, table: Table) -> dict[Address, CellResult]:
        """The results of all cells of a table.

        The family of Holm are the cells that can be judged at the scale; what is not measured counts as one that is
        not significant, so that no verdict is lost when more is measured.
        """
        points = self._tolerance.points if table.tolerance is None else table.tolerance
        tolerance = replace(self._tolerance, points=points)
        drafts = [self._draft(self._measurements[cell.address], tolerance) for cell in table.cells()]
        p_values = {draft.name: float(draft.tested.test.away) for draft in drafts if draft.tested}
        if p_values:
            for draft in drafts:
                if draft.name not in p_values and self._is_open(draft):
                    p_values[draft.name] = 1.0
            corrected = holm(list(p_values.values()))(list(p_values.values()))
            adjusted = dict(zip(p_values, map(float, corrected), strict=True))
            drafts = [replace(draft, cell=_decided(draft, adjusted)) for draft in drafts]
        return {draft.cell.address: draft.cell for draft in drafts}

    def _is_open(self, draft: _Draft) -> bool:
        """Whether a cell that has no p-value may get one."""
        if draft.cell.verdict is Verdict.INCONCLUSIVE:
            return True
        waits = draft.name and draft.cell.published is not None and draft.cell.verdict is Verdict.NOT_RUN
        return bool(waits) and not self._evidence.deviations(self._measurements[draft.cell.address]).stated

    def _draft(self, measurement: Measurement, allowed: Tolerance) -> _Draft:
        address, published = measurement.address, measurement.cell.signed
        if not measurement.kind.is_measured:
            return _Draft(CellResult(address, Verdict(measurement.kind), measurement.reason, published=published))
        name = (
            f"{measurement.evaluation_id(0)} {measurement.metric} {published}" if measurement.kind is Kind.RUN else ""
        )
        values = self._evidence.of(measurement)
        if isinstance(values, Absent):
            return _Draft(CellResult(address, values.verdict, values.reason, published=published), name)
        measured = _constant(values) if values.exact else values.contrast.interval(SEEDS_OF_A_CELL)
        if measured is None:
            return _Draft(CellResult(address, Verdict.NOT_RUN, NO_RUN, published=published), name)
        found = self._evidence.deviations(measurement)
        cell = CellResult(
            address, Verdict.NOT_PRINTED, "", values.by_seed, measured, published, None,
            (*found.stated, *values.deviations), found.left_open, values.evidence, values.hardware, values.warnings,
        )  # fmt: skip
        original = rounded(self._measurements.library, measurement.cell)
        if original is None:
            return _Draft(cell)
        cell = replace(cell, difference=measured.mean - original.value)
        if cell.deviations:
            return _Draft(replace(cell, verdict=Verdict.DEVIATES))
        if values.exact:
            verdict = verdict_without_seeds(measured.mean, original.value, original.half)
            return _Draft(replace(cell, verdict=verdict, margin=original.half))
        tolerance = allowed.of(measurement.metric, original.value, original.half)
        cell = replace(cell, verdict=Verdict.INCONCLUSIVE, margin=tolerance)
        hindrance = values.contrast.hindrance(SEEDS_OF_A_CELL)
        if hindrance:
            return _Draft(replace(cell, reason=ONE_SEED if measured.n == 1 else hindrance), name)
        mean, run = values.contrast.mean(SEEDS_OF_A_CELL), values.contrast.against_one()
        return _Draft(cell, name, _Tested(mean, run, original.value, tolerance, original.half))


def _constant(values: Values) -> Interval:
    return Interval(1, values.contrast.constant, None, None, None)


def _decided(draft: _Draft, adjusted: dict[str, float]) -> CellResult:
    """The cell of a draft with its verdict."""
    cell, tested = draft.cell, draft.tested
    if tested is None:
        return cell
    test, corrected = tested.test, adjusted[draft.name]
    verdict = Verdict(str(test.verdicts(corrected)))
    cell = replace(cell, verdict=verdict, p_value=float(test.away), adjusted=corrected)
    if verdict is Verdict.REPRODUCED and corrected <= LEVEL:
        return replace(cell, reason=WITHIN)
    if verdict is not Verdict.INCONCLUSIVE:
        return cell
    needed = tested.seeds_needed(len(adjusted))
    beyond = abs(float(tested.mean.mean) - tested.published) >= tested.tolerance
    return replace(cell, seeds_needed=needed, reason="" if needed else NEVER if beyond else MANY)
