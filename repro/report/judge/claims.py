"""Claims -> verdicts: what is measured of each comparison, and which question it is put."""

from dataclasses import replace

from repro.experiments.measurements import Measurements
from repro.papers import Claim, Part, Table
from repro.report.judge.comparisons import (
    Region,
    compare,
    compare_exactly,
    direction_of,
    is_about_size,
    region_of,
)
from repro.report.judge.compounds import WAITING, Compared, judged
from repro.report.judge.evidence import Evidence, Lookup
from repro.report.judge.results import ClaimResult, Method, PartResult
from repro.report.judge.sides import Sides, is_deviating, sides_of
from repro.report.judge.statistics import Interval
from repro.report.judge.verdicts import SEEDS_OF_A_CLAIM, ClaimVerdict, Tolerance, Verdict, more_seeds
from repro.report.printed_claims import printed_claim, printed_part

NOT_AGAINST_CITED = "a number of other authors is held only against runs under the paper's protocol"
NO_SIZE = "how much is said only of runs under the paper's protocol"
ONE_RUN = "both sides are one run at this scale"
NO_RUN = "no run has all that is compared"


class Claims:
    """Judges claims at one scale.

    Args:
        measurements: how the cells are measured at the scale.
        evidence: their values.
        tolerance: about an amount that a text gives.
        lookup: how a cell is measured, where that is not as the measurements have it.
    """

    def __init__(
        self, measurements: Measurements, evidence: Evidence, tolerance: Tolerance, lookup: Lookup | None = None
    ) -> None:
        self._measurements, self._evidence, self._tolerance = measurements, evidence, tolerance
        self._lookup = lookup or measurements.__getitem__
        self._library = measurements.library

    def results(self, table: Table) -> tuple[ClaimResult, ...]:
        """The results of a table's claims.

        The family of Holm are the claims that can be judged at the scale; what is not measured counts as one that is
        not significant, so that no verdict is lost when more is measured.
        """
        compared = [[self._compared(claim, part) for part in claim.parts] for claim in table.claims]
        return judged(table.claims, compared, [printed_claim(self._library, claim) for claim in table.claims])

    def _compared(self, claim: Claim, part: Part) -> Compared:
        sides = sides_of(part, self._lookup, self._measurements, self._evidence)
        draft = PartResult(part, Verdict.NOT_RUN, None, printed_part(self._library, claim, part), sides.reason)
        if sides.verdict is not None and sides.verdict is not Verdict.NOT_RUN:
            return Compared(replace(draft, verdict=sides.verdict))
        if not sides.own:
            return Compared(replace(draft, verdict=Verdict.CITED, reason="neither side is ours"))
        direction_only = (bool(sides.cited) or is_about_size(claim, part)) and is_deviating(
            sides, self._lookup, self._evidence
        )
        if sides.cited and direction_only:
            return Compared(replace(draft, verdict=Verdict.CITED, reason=NOT_AGAINST_CITED))
        region = direction_of(claim, part) if direction_only else region_of(
            self._library, claim, part, self._tolerance, is_exact=sides.exact
        )  # fmt: skip
        if region is None:
            return Compared(replace(draft, verdict=Verdict.NOT_AT_THIS_SCALE, reason=NO_SIZE))
        if sides.is_one_run(part):
            return Compared(replace(draft, verdict=Verdict.NOT_AT_THIS_SCALE, reason=ONE_RUN))
        if sides.absent:
            return Compared(draft, WAITING, sides.exact, direction_only)
        return replace(
            _measured(draft, sides, region, self._measurements.scale.planned_seeds), is_direction_only=direction_only
        )


def _measured(draft: PartResult, sides: Sides, region: Region, planned_seeds: int) -> Compared:
    """A comparison of which both sides are measured or cited."""
    left, right = sides.of(draft.part.left), sides.of(draft.part.right)
    difference = left.plus(right, -1.0)
    if sides.exact:
        value = difference.constant
        found = replace(draft, difference=Interval(1, value, None, None, None), method=Method.EXACT)
        return Compared(found, compare_exactly(left.constant, right.constant, region), is_exact=True)
    interval = difference.interval(SEEDS_OF_A_CLAIM)
    if interval is None:
        return Compared(replace(draft, reason=NO_RUN), WAITING)
    paired = difference.is_paired(SEEDS_OF_A_CLAIM)
    method = Method.PREDICTION if difference.cited else Method.PAIRED if paired else Method.SEPARATE
    found = replace(draft, verdict=ClaimVerdict.INCONCLUSIVE, difference=interval, method=method)
    hindrance = difference.hindrance(SEEDS_OF_A_CLAIM)
    if hindrance:
        return Compared(replace(found, reason=hindrance), WAITING)
    if difference.cited:
        found = replace(found, difference=difference.against_one().interval(interval.spread))
    more = compare(left, right, region, more_seeds(interval.n))
    return Compared(found, compare(left, right, region), more=more, planned_seeds=planned_seeds)
