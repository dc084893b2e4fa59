"""Claims -> verdicts: each comparison from the seeds of both sides, the claim from its comparisons."""

from collections.abc import Sequence

from repro.experiments.measurements import Measurements
from repro.papers import Address, Claim, Gain, Operator, Part, Quantity
from repro.report.judge.evidence import Absent, Evidence, Values
from repro.report.judge.results import ClaimResult, PartResult
from repro.report.judge.statistics import paired
from repro.report.judge.verdicts import ClaimVerdict, Verdict, judge_claim
from repro.report.printed_claims import printed_claim, printed_part


class Claims:
    """Judges claims at one scale.

    Args:
        measurements: how the cells are measured at the scale.
        evidence: their values.
    """

    def __init__(self, measurements: Measurements, evidence: Evidence) -> None:
        self._measurements, self._evidence = measurements, evidence
        self._library = measurements.library

    def result(self, claim: Claim) -> ClaimResult:
        """The result of one claim."""
        parts = tuple(self._part(claim, part) for part in claim.parts)
        verdict = _compound(parts, most=claim.most)
        reasons = dict.fromkeys(part.reason for part in parts if part.reason)
        return ClaimResult(claim, verdict, parts, printed_claim(self._library, claim), "; ".join(reasons))

    def _part(self, claim: Claim, part: Part) -> PartResult:
        printed = printed_part(self._library, claim, part)
        values = {address: self._values(address) for address in part.addresses()}
        missing = {address: side for address, side in values.items() if isinstance(side, Absent)}
        if missing:
            verdict = min((side.verdict for side in missing.values()), key=lambda verdict: verdict.precedence)
            reasons = dict.fromkeys(
                f"{address.row} is {side.verdict}" + (f": {side.reason}" if side.reason else "")
                for address, side in missing.items()
            )
            return PartResult(part, verdict, None, printed, "; ".join(reasons))
        found = {address: side for address, side in values.items() if isinstance(side, Values)}
        if _is_one_run(list(found.values())):
            reason = "both sides are one run at this scale"
            return PartResult(part, Verdict.NOT_AT_THIS_SCALE, None, printed, reason)
        left, right = (_by_seed(side, found) for side in (part.left, part.right))
        exact = all(side.exact for side in found.values())
        if part.operator is not Operator.GREATER or claim.by is not None:
            return PartResult(part, Verdict.NOT_BUILT, None, printed, "only > is judged")
        judged, difference, reason = judge_claim(_differences(left, right), exact=exact)
        return PartResult(part, judged, difference, printed, reason)

    def _values(self, address: Address) -> Values | Absent:
        return self._evidence.of(self._evidence.resolved(self._measurements[address]))


def _is_one_run(sides: Sequence[Values]) -> bool:
    """Whether several cells are one and the same measured value."""
    first, *others = sides
    same = all(side.evidence == first.evidence and side.by_seed == first.by_seed for side in others)
    return bool(others and first.evidence and same)


def _by_seed(side: Quantity, found: dict[Address, Values]) -> dict[int, float] | float:
    """Seed to value of a side; a number has none."""
    if isinstance(side, Address):
        return found[side].by_seed
    if isinstance(side, Gain):
        return paired(found[side.first].by_seed, found[side.second].by_seed)
    return side


def _differences(left: dict[int, float] | float, right: dict[int, float] | float) -> dict[int, float]:
    if isinstance(left, dict):
        other = right if isinstance(right, dict) else dict.fromkeys(left, right)
        return paired(left, other)
    assert isinstance(right, dict)
    return paired(dict.fromkeys(right, left), right)


def _compound(parts: Sequence[PartResult], *, most: bool) -> ClaimVerdict | Verdict:
    """The verdict on a claim: it holds if every part does, and is reversed if one is; of most, more than half count."""
    verdicts = [part.verdict for part in parts]
    needed = len(parts) // 2 + 1 if most else len(parts)
    spare = len(parts) - needed
    if verdicts.count(ClaimVerdict.HOLDS) >= needed:
        return ClaimVerdict.HOLDS
    if verdicts.count(ClaimVerdict.REVERSED) > spare:
        return ClaimVerdict.REVERSED
    silent = [verdict for verdict in verdicts if isinstance(verdict, Verdict)]
    return min(silent, key=lambda verdict: verdict.precedence) if silent else ClaimVerdict.INCONCLUSIVE
