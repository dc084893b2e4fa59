"""What a report knows about a table at one scale: the values behind each cell, its verdict, and each claim's."""

from dataclasses import dataclass, field

from repro.papers import Address, Claim, Table


@dataclass(frozen=True)
class Interval:
    """Mean of n values with its 95 % interval over seeds; without an interval where n is below 2."""

    n: int
    mean: float
    spread: float | None
    low: float | None
    high: float | None


@dataclass(frozen=True)
class CellResult:
    """One printed cell beside what was measured.

    Attributes:
        address: where it is printed.
        verdict: one of `repro.report.judge.verdicts.VERDICTS`.
        reason: what is not built, which row it is the same as, whose number is cited.
        by_seed: seed to measured value, in the unit of the column.
        measured: their mean and interval; None if nothing was measured.
        published: the published number with its sign, None if none is printed or it is no number.
        difference: measured mean minus published.
        deviations: what the run does otherwise than the paper states, one sentence each.
        choices: what the paper leaves open and the run fixes, one sentence each.
        evidence: evaluation ids behind the values.
        hardware: names of the machines that they were measured on.
    """

    address: Address
    verdict: str
    reason: str = ""
    by_seed: dict[int, float] = field(default_factory=dict)
    measured: Interval | None = None
    published: float | None = None
    difference: float | None = None
    deviations: tuple[str, ...] = ()
    choices: tuple[str, ...] = ()
    evidence: tuple[str, ...] = ()
    hardware: tuple[str, ...] = ()


@dataclass(frozen=True)
class ClaimResult:
    """A claim's verdict from differences paired by seed; `published` is the difference that the paper prints."""

    claim: Claim
    verdict: str
    difference: Interval | None = None
    published: float | None = None
    reason: str = ""

    @property
    def printed(self) -> str:
        """What the printed numbers say about the claim: holds, reversed or equal; empty if they say nothing."""
        if self.published is None:
            return ""
        return "holds" if self.published > 0 else "reversed" if self.published < 0 else "equal"


@dataclass(frozen=True)
class TableResult:
    """A table at one scale."""

    table: Table
    scale: str
    cells: dict[Address, CellResult]
    claims: tuple[ClaimResult, ...]
