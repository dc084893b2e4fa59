"""Claims out of their comparisons: what all or most of them say together, after Holm over the claims of a table."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace

import numpy as np

from repro.papers import Claim
from repro.report.judge.comparisons import PValues
from repro.report.judge.looks import price
from repro.report.judge.results import ClaimResult, PartResult
from repro.report.judge.statistics import LEVEL, Holm, Numbers, holm, so_many
from repro.report.judge.verdicts import MOST_SEEDS, ClaimVerdict, Verdict, more_seeds, seeds_that_decide
from repro.report.printed_claims import PrintedSay

EQUAL = "both sides are equal"
NEVER = f"more than {MOST_SEEDS} seeds would be needed"


@dataclass(frozen=True)
class Compared:
    """A comparison before Holm.

    Attributes:
        result: with all but what Holm decides.
        tests: None where it cannot be judged at the scale; without significance where it only waits for runs.
        is_exact: no seed has an influence.
        is_direction_only: how much was not asked.
        more: the tests if there were more seeds, for each number of `more_seeds`.
        planned_seeds: how many seeds the scale has fixed beforehand; None: every number has the whole level.
    """

    result: PartResult
    tests: PValues | None = None
    is_exact: bool = False
    is_direction_only: bool = False
    more: PValues | None = None
    planned_seeds: int | None = None

    @property
    def is_measured(self) -> bool:
        """Whether its seeds have something to say."""
        return self.tests is not None and self.tests is not WAITING

    @property
    def seeds(self) -> int:
        """The seeds that there are."""
        return 0 if self.result.difference is None else self.result.difference.n

    @property
    def price(self) -> float:
        """What its p-values cost at its number of seeds."""
        return self.price_of(self.seeds) if self.is_measured and not self.is_exact else 1.0

    def price_of(self, seeds: int) -> float:
        """The same for another number of seeds."""
        return 1.0 if self.planned_seeds is None else price(seeds, self.planned_seeds)


WAITING = PValues(np.ones(()), np.ones(()))
"""Of a comparison that could be judged and is not measured."""


@dataclass(frozen=True)
class _Draft:
    """A claim before Holm: p-values that it holds and that it is reversed, out of those of its comparisons."""

    claim: Claim
    parts: Sequence[Compared]

    @property
    def tested(self) -> list[PValues]:
        return [part.tests for part in self.parts if part.tests is not None]

    @property
    def is_in_family(self) -> bool:
        """Whether chance can decide it."""
        return any(part.tests is not None and not part.is_exact for part in self.parts)

    @property
    def needed(self) -> int:
        """How many of its comparisons have to hold."""
        return len(self.parts) // 2 + 1 if self.claim.most else len(self.parts)

    @property
    def p_value(self) -> float:
        """Of the claim as a whole, whichever it says."""
        return float(np.minimum(self.tests.holds, self.tests.reversed))

    def priced(self, p_value: Numbers | float) -> float:
        """A p-value of the claim as its number of seeds makes it: as that of its dearest comparison."""
        return min(1.0, max(part.price for part in self.parts) * float(p_value))

    @property
    def tests(self) -> PValues:
        """Those of the claim as a whole."""
        holds = np.array([tests.holds for tests in self.tested])
        turned = np.array([tests.reversed for tests in self.tested])
        return compound(PValues(holds, turned), len(self.parts), self.needed)


def compound(tests: PValues, parts: int, needed: int) -> PValues:
    """The tests of claims, of which so many of so many parts have to hold; the parts lie along the last axis.

    A claim is reversed if more parts are than may fail. Parts that cannot be judged are absent, and may fail.
    """
    return PValues(so_many(tests.holds, needed), so_many(tests.reversed, parts - needed + 1))


def judged(
    claims: Sequence[Claim], compared: Sequence[Sequence[Compared]], printed: Sequence[PrintedSay]
) -> tuple[ClaimResult, ...]:
    """The results of a table's claims."""
    drafts = [_Draft(claim, parts) for claim, parts in zip(claims, compared, strict=True)]
    p_values = [draft.priced(draft.p_value) if draft.is_in_family else 0.0 for draft in drafts]
    family = [place for place, draft in enumerate(drafts) if draft.is_in_family]
    corrected = holm([p_values[place] for place in family])
    steps = dict(zip(family, zip(corrected.factors, corrected.floors, strict=True), strict=True))
    return tuple(
        _result(draft, Holm(*steps.get(place, _ALONE)), len(family), say)
        for place, (draft, say) in enumerate(zip(drafts, printed, strict=True))
    )


_ALONE = (np.float64(1.0), np.float64(0.0))


def _result(draft: _Draft, corrected: Holm, family: int, printed: PrintedSay) -> ClaimResult:
    if not draft.tested:
        return _told(draft, [part.result for part in draft.parts], printed)
    holds, turned = (float(corrected(draft.priced(tests))) for tests in (draft.tests.holds, draft.tests.reversed))
    verdict = _said(holds, turned)
    alone = verdict is ClaimVerdict.HOLDS and not draft.claim.most
    inside = 1 if alone else len(draft.tested)
    deciding, others = _deciding(draft, verdict), Holm(np.asarray(float(family)), corrected.floors)
    parts = [_part(part, corrected if place in deciding else others, inside, family)
             for place, part in enumerate(draft.parts)]  # fmt: skip
    found = _told(draft, parts, printed)
    if draft.is_in_family and any(part.is_measured for part in draft.parts):
        found = replace(found, p_value=draft.p_value, adjusted=min(holds, turned))
    return found if verdict is None else replace(found, verdict=verdict)


def _deciding(draft: _Draft, verdict: ClaimVerdict | None) -> Collection[int]:
    """The places of the comparisons that a claim's verdict rests on, which share its step of Holm's correction.

    All others have the step of the whole family: a claim that one part decides says nothing about its other parts.
    """
    tests = {place: part.tests for place, part in enumerate(draft.parts) if part.tests is not None}
    if len(tests) == 1:
        return tests
    if verdict is ClaimVerdict.HOLDS:
        return sorted(tests, key=lambda place: float(tests[place].holds))[: draft.needed]
    if verdict is ClaimVerdict.REVERSED:
        against = len(draft.parts) - draft.needed + 1
        return sorted(tests, key=lambda place: float(tests[place].reversed))[:against]
    return ()


def _said(holds: float, turned: float) -> ClaimVerdict | None:
    if holds <= LEVEL:
        return ClaimVerdict.HOLDS
    return ClaimVerdict.REVERSED if turned <= LEVEL else None


def _told(draft: _Draft, parts: Sequence[PartResult], printed: PrintedSay) -> ClaimResult:
    """The result of a claim that is not decided."""
    silent = [part.verdict for part in parts if isinstance(part.verdict, Verdict)]
    verdict = min(silent, key=lambda word: word.precedence) if silent else ClaimVerdict.INCONCLUSIVE
    reasons = dict.fromkeys(part.reason for part in parts if part.reason)
    direction_only = any(part.is_direction_only for part in draft.parts)
    return ClaimResult(draft.claim, verdict, tuple(parts), printed, "; ".join(reasons), direction_only)


def _part(part: Compared, corrected: Holm, inside: int, family: int) -> PartResult:
    """One comparison with its verdict, corrected for the others of its claim and for the other claims."""
    tests = part.tests
    if tests is None or not part.is_measured:
        return part.result
    holds, turned = float(tests.holds), float(tests.reversed)
    if part.is_exact:
        verdict = _said(holds, turned) or ClaimVerdict.INCONCLUSIVE
        return replace(part.result, verdict=verdict, reason=EQUAL if verdict is ClaimVerdict.INCONCLUSIVE else "")
    found = replace(part.result, p_value=min(holds, turned))
    holds, turned = (float(corrected(min(1.0, part.price * inside * p_value))) for p_value in (holds, turned))
    found = replace(found, adjusted=min(holds, turned), verdict=_said(holds, turned) or ClaimVerdict.INCONCLUSIVE)
    if found.verdict is not ClaimVerdict.INCONCLUSIVE or part.more is None:
        return found
    prices = np.array([part.price_of(int(seeds)) for seeds in more_seeds(part.seeds)])
    decided = prices * family * inside * np.minimum(part.more.holds, part.more.reversed) <= LEVEL
    needed = seeds_that_decide(part.seeds, decided)
    return replace(found, seeds_needed=needed, reason="" if needed else NEVER)
