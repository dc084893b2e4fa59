"""Claims under every measured reading of what a paper leaves open."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

from repro.experiments.measurement import Measurement
from repro.experiments.measurements import Measurements
from repro.experiments.readings import Reading
from repro.papers import Address, Claim, Standing
from repro.report.judge.claims import Claims
from repro.report.judge.evidence import Absent, Evidence
from repro.report.judge.results import ClaimResult, Robustness, TableResult
from repro.report.judge.verdicts import ClaimVerdict, Tolerance


@dataclass(frozen=True)
class _Other:
    """One other reading: how it measures the cells that it changes, and which of those are measured."""

    cells: dict[Address, Measurement]
    measured: frozenset[Address]


def with_robustness(
    result: TableResult,
    readings: Iterable[Reading],
    measurements: Measurements,
    evidence: Evidence,
    tolerance: Tolerance,
) -> TableResult:
    """The result with the robustness of each claim that is judged, and whose cells all stand in the table.

    A reading counts for a claim if it changes one of its cells and every one that it changes is measured under it. It
    is judged as ours is, after Holm over the same claims, whose other cells stay as they are.
    """
    readings = [reading for reading in readings if reading.base.table == result.table.key]
    own = [all(cell.table == result.table.key for cell in _cells(measurements, item.claim)) for item in result.claims]
    verdicts: list[list[ClaimVerdict]] = [[] for _ in result.claims]
    for other in _others(readings, evidence):
        if not other.measured:
            continue

        def lookup(address: Address, cells: dict[Address, Measurement] = other.cells) -> Measurement:
            usual = measurements[address]
            found = cells.get(_first(measurements, address))
            return usual if found is None else replace(found, cell=replace(found.cell, metric=usual.metric))

        judged = Claims(measurements, evidence, tolerance, lookup).results(result.table)
        for place, found in enumerate(judged):
            changed = set(_cells(measurements, found.claim)) & other.cells.keys()
            if own[place] and changed and changed <= other.measured and isinstance(found.verdict, ClaimVerdict):
                verdicts[place].append(found.verdict)
    claims = tuple(_with(ours, others) for ours, others in zip(result.claims, verdicts, strict=True))
    return replace(result, claims=claims)


def _with(ours: ClaimResult, others: list[ClaimVerdict]) -> ClaimResult:
    if not others or not isinstance(ours.verdict, ClaimVerdict):
        return ours
    found = [ours.verdict, *others]
    counts = (found.count(word) for word in (ClaimVerdict.HOLDS, ClaimVerdict.REVERSED, ClaimVerdict.INCONCLUSIVE))
    return replace(ours, robustness=Robustness(*counts))


def _others(readings: Iterable[Reading], evidence: Evidence) -> Iterator[_Other]:
    """The readings of a table's cells: those of one setting and one name are one."""
    found: dict[tuple[str, str], list[Reading]] = {}
    for reading in readings:
        if reading.entry.status is not Standing.STATED:
            found.setdefault((reading.entry.setting, reading.name), []).append(reading)
    for group in found.values():
        measured = (item.base for item in group if not isinstance(evidence.of(item.measurement), Absent))
        yield _Other({item.base: item.measurement for item in group}, frozenset(measured))


def _cells(measurements: Measurements, claim: Claim) -> Iterator[Address]:
    """The cells that a claim rests on, with those that differences are taken against."""
    for part in claim.parts:
        for address in part.addresses():
            yield _first(measurements, address)
            reference = measurements[address].reference
            if reference is not None:
                yield _first(measurements, reference)


def _first(measurements: Measurements, address: Address) -> Address:
    """The cell that this one repeats, or that it is the same as at the scale, or itself."""
    row = measurements.library.tables[address.table].rows[address.row]
    if row.same_as is not None:
        return _first(measurements, row.same_as)
    twin = measurements[address].twin
    return address if twin is None else _first(measurements, twin)
