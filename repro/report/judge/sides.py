"""The sides of a comparison as what was measured, what other authors print, and numbers; or why there is nothing."""

from dataclasses import dataclass, field

from repro.experiments.measurement import Kind, Measurement
from repro.experiments.measurements import Measurements
from repro.papers import Address, Gain, Part, Quantity
from repro.report.judge.contrasts import Contrast
from repro.report.judge.evidence import Absent, Evidence, Lookup, Values
from repro.report.judge.verdicts import Verdict
from repro.report.printed import rounded


@dataclass(frozen=True)
class Sides:
    """What is known of the cells of a comparison.

    Attributes:
        contrasts: of each cell that has a number.
        absent: why the others have none.
        asked: of each cell what its runs measure or would measure, without values.
        own: how the cells are measured that are ours.
        exact: whether no seed has an influence.
        deviations: what is known of the measured runs alone that they do otherwise than the paper states.
    """

    contrasts: dict[Address, Contrast] = field(default_factory=dict)
    absent: dict[Address, Absent] = field(default_factory=dict)
    asked: dict[Address, Contrast] = field(default_factory=dict)
    own: tuple[Measurement, ...] = ()
    exact: bool = True
    deviations: tuple[str, ...] = ()

    @property
    def cited(self) -> tuple[Address, ...]:
        """The cells whose numbers are those of other authors."""
        return tuple(address for address, found in self.contrasts.items() if found.cited)

    @property
    def verdict(self) -> Verdict | None:
        """That of the cells without a number; None if all have one."""
        return min((side.verdict for side in self.absent.values()), key=lambda word: word.precedence, default=None)

    @property
    def reason(self) -> str:
        """Why there is no number, cell by cell."""
        return "; ".join(
            dict.fromkeys(
                f"{address.row} is {side.verdict}" + (f": {side.reason}" if side.reason else "")
                for address, side in self.absent.items()
            )
        )

    def of(self, side: Quantity) -> Contrast:
        """The number of a side."""
        return _of(side, self.contrasts)

    def is_one_run(self, part: Part) -> bool:
        """Whether nothing that depends on a seed is left of left minus right, run or not."""
        return not self.exact and not _of(part.left, self.asked).plus(_of(part.right, self.asked), -1.0).terms


def _of(side: Quantity, cells: dict[Address, Contrast]) -> Contrast:
    if isinstance(side, Address):
        return cells[side]
    if isinstance(side, Gain):
        return cells[side.first].plus(cells[side.second], -1.0)
    return Contrast(constant=side)


def sides_of(part: Part, lookup: Lookup, measurements: Measurements, evidence: Evidence) -> Sides:
    """What is known of the cells of a comparison."""
    contrasts: dict[Address, Contrast] = {}
    absent: dict[Address, Absent] = {}
    asked: dict[Address, Contrast] = {}
    own = []
    exact = True
    deviations: tuple[str, ...] = ()
    for address in part.addresses():
        measurement = evidence.resolved(lookup(address), lookup)
        asked[address] = evidence.asked(measurement, lookup)
        found = _cited(measurement, measurements) or evidence.of(measurement, lookup)
        if isinstance(found, Contrast):
            contrasts[address] = found
            continue
        if measurement.kind.is_measured:
            own.append(measurement)
            exact = exact and measurement.kind is Kind.STATIC
        if isinstance(found, Values):
            contrasts[address] = found.contrast
            deviations += found.deviations
        else:
            absent[address] = found
    return Sides(contrasts, absent, asked, tuple(own), exact, deviations)


def is_deviating(sides: Sides, lookup: Lookup, evidence: Evidence) -> bool:
    """Whether some run does otherwise than the paper states, or would if it were made."""
    return bool(sides.deviations) or any(evidence.deviations(item, lookup).stated for item in sides.own)


def _cited(measurement: Measurement, measurements: Measurements) -> Contrast | None:
    """The number of other authors; None if it is none, or not printed."""
    if measurement.kind is not Kind.CITED:
        return None
    printed = rounded(measurements.library, measurement.cell)
    if printed is None:
        return None
    runs = (1.0, -1.0) if measurement.metric.is_difference else (1.0,)
    return Contrast(constant=printed.value, cited=runs, half=printed.half)
