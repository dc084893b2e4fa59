"""What a report knows about a table at one scale: the values behind each cell, its verdict, and each claim's."""

from dataclasses import dataclass, field
from enum import StrEnum

from repro.papers import Address, Claim, Table
from repro.report.judge.statistics import Interval
from repro.report.judge.verdicts import ClaimVerdict, Verdict


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
        code: hashes of the code that trained and measured.
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
    code: tuple[str, ...] = ()


class PrintedSay(StrEnum):
    """What the paper's own printed numbers say about one of its claims."""

    HOLDS = "holds"
    REVERSED = "reversed"
    EQUAL = "equal"
    NOTHING = "not printed"


@dataclass(frozen=True)
class ClaimResult:
    """A claim's verdict from differences paired by seed; `published` is the difference that the paper prints."""

    claim: Claim
    verdict: ClaimVerdict | Verdict
    difference: Interval | None = None
    published: float | None = None
    reason: str = ""

    @property
    def printed(self) -> PrintedSay:
        """What the printed numbers say about the claim."""
        if self.published is None:
            return PrintedSay.NOTHING
        if self.published == 0:
            return PrintedSay.EQUAL
        return PrintedSay.HOLDS if self.published > 0 else PrintedSay.REVERSED


@dataclass(frozen=True)
class TableResult:
    """A table at one scale."""

    table: Table
    scale: str
    cells: dict[Address, CellResult]
    claims: tuple[ClaimResult, ...]
