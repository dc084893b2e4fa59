"""What a report knows about a table at one scale: the values behind each cell, its verdict, and each claim's."""

from dataclasses import dataclass, field
from enum import StrEnum

from repro.papers import Address, Claim, Part, Scale, Table
from repro.report.judge.identities import Identity
from repro.report.judge.statistics import Interval
from repro.report.judge.verdicts import ClaimVerdict, Verdict
from repro.report.printed_claims import NOT_PRINTED, PrintedPart, PrintedSay
from repro.store.images_csv import OverImages
from repro.store.server_csv import ServerScore


@dataclass(frozen=True)
class CellResult:
    """One printed cell beside what was measured.

    Attributes:
        address: where it is printed.
        verdict: what is said of it.
        reason: what is not built, which row it is the same as, whose number is cited.
        by_seed: seed to measured value, in the unit of the column.
        measured: their mean and interval; None if nothing was measured.
        published: the published number with its sign, None if none is printed or it is no number.
        difference: measured mean minus published.
        deviations: what the run does otherwise than the paper states, one sentence each.
        left_open: what the paper leaves open and the run fixes, one sentence each.
        evidence: evaluation ids behind the values.
        hardware: names of the machines that they were measured on.
        warnings: about measured images that were trained on, or that chose the weights; some are deviations as well.
        mixed: in what its evaluations are unlike others of the table, one sentence each.
        p_value: of one more run as far off as the published number; None where that was not asked.
        adjusted: the same after Holm over the table.
        seeds_needed: seeds that would decide it at the measured mean and spread; None if unknown, or if none would.
        margin: how far from the published number still counts as reproduced; None where that was not asked.
        server: the score that a test server returned; None if none was entered.
    """

    address: Address
    verdict: Verdict
    reason: str = ""
    by_seed: dict[int, float] = field(default_factory=dict)
    measured: Interval | None = None
    published: float | None = None
    difference: float | None = None
    deviations: tuple[str, ...] = ()
    left_open: tuple[str, ...] = ()
    evidence: tuple[str, ...] = ()
    hardware: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()
    mixed: tuple[str, ...] = ()
    p_value: float | None = None
    adjusted: float | None = None
    seeds_needed: int | None = None
    margin: float | None = None
    server: ServerScore | None = None


class Method(StrEnum):
    """How the two sides of a comparison were held against each other."""

    PAIRED = "paired by seed"
    SEPARATE = "separate seeds"
    PREDICTION = "against one run"
    EXACT = "no seeds"


@dataclass(frozen=True)
class PartResult:
    """One comparison of a claim.

    Attributes:
        part: the comparison.
        verdict: what is said of it, or of the side that is not measured.
        difference: left minus right over the seeds; None if a side is not measured.
        printed: what the paper prints between both sides.
        reason: what hinders a verdict.
        method: how both sides were compared; None if they were not.
        p_value: of the comparison by itself; `adjusted` over the claims of the table.
        adjusted: the same after Holm.
        seeds_needed: seeds that would decide it at the measured difference and spread; None if unknown.
        over_images: the same difference with its interval over images in the place of seeds, where that is known.
    """

    part: Part
    verdict: ClaimVerdict | Verdict
    difference: Interval | None = None
    printed: PrintedPart = NOT_PRINTED
    reason: str = ""
    method: Method | None = None
    p_value: float | None = None
    adjusted: float | None = None
    seeds_needed: int | None = None
    over_images: OverImages | None = None


@dataclass(frozen=True)
class Robustness:
    """Under how many readings of what the paper leaves open a claim holds, is reversed, and is undecided."""

    holds: int
    reversed: int
    undecided: int

    @property
    def readings(self) -> int:
        """All readings that were measured, ours included."""
        return self.holds + self.reversed + self.undecided


@dataclass(frozen=True)
class ClaimResult:
    """A claim: its verdict, the comparisons behind it, and what the printed numbers say about it.

    Attributes:
        claim: the claim.
        verdict: what is said of it, or of the side that is not measured.
        parts: its comparisons.
        printed: what the printed numbers say.
        reason: what hinders a verdict.
        is_direction_only: amounts and margins were not judged, since the runs are not the paper's.
        robustness: over the open readings; None if none of them is measured.
        p_value: of the claim by itself, out of those of its comparisons; None if it was not judged.
        adjusted: the same after Holm over the claims of the table.
    """

    claim: Claim
    verdict: ClaimVerdict | Verdict
    parts: tuple[PartResult, ...] = ()
    printed: PrintedSay = PrintedSay.NOTHING
    reason: str = ""
    is_direction_only: bool = False
    robustness: Robustness | None = None
    p_value: float | None = None
    adjusted: float | None = None

    @property
    def is_judged(self) -> bool:
        """Whether it has a verdict of its own."""
        return isinstance(self.verdict, ClaimVerdict)


@dataclass(frozen=True)
class TableResult:
    """A table at one scale.

    Attributes:
        table: as printed.
        scale: its name.
        cells: what is said of each.
        claims: the same of the claims.
        identities: of the cells that can be measured, what each measures; equal for those that are one quantity.
        planned_seeds: how many seeds the scale has fixed beforehand.
    """

    table: Table
    scale: str
    cells: dict[Address, CellResult]
    claims: tuple[ClaimResult, ...]
    identities: dict[Address, Identity] = field(default_factory=dict)
    planned_seeds: int = Scale.planned_seeds
