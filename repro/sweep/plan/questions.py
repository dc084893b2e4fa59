"""The claims of a table as questions of chance: how large each difference is, and how far it scatters over seeds."""

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from repro.experiments.measurements import Measurements
from repro.papers import Claim, Part, Table
from repro.report.judge.comparisons import Bound, direction_of, region_of
from repro.report.judge.power import UPWARDS, Band, Comparison, PlannedClaim
from repro.report.printed_claims import printed_part, quantity
from repro.report.request import standard_tolerance
from repro.store.runs_csv import Recorded
from repro.sweep.plan.run_sums import RunSum, Term
from repro.sweep.plan.spread import Spread, pooled
from repro.sweep.request import Assumptions

UNSIZED = "how much is not planned for where the printed size does not count"


@dataclass(frozen=True)
class Question:
    """A claim, and what is to be known to plan its seeds.

    Attributes:
        claim: the claim.
        planned: None if chance does not decide it here, or its spread or size is not known.
        obstacle: why it is not judged at the scale; empty if it is.
        is_unsized: it is judged, and nobody says how large its difference is; it then stands with a size of 0.
    """

    claim: Claim
    planned: PlannedClaim | None
    obstacle: str = ""
    is_unsized: bool = False


@dataclass(frozen=True)
class Questions:
    """The claims of a table that chance decides at a scale.

    Attributes:
        spread: of a score over seeds; None if it is neither measured nor assumed.
        paired_spread: of the difference of two scores of one run, likewise.
        asked: the claims, those that are not judged included.
        lacking: how many of them are judged and rest on a spread that is not known.
    """

    spread: Spread | None
    paired_spread: Spread | None
    asked: tuple[Question, ...]
    lacking: int

    @property
    def planned(self) -> list[PlannedClaim]:
        """Those that are planned for."""
        return [item.planned for item in self.asked if item.planned is not None]


def questions(table: Table, found: Measurements, known: Mapping[str, Recorded], assumed: Assumptions) -> Questions:
    """The claims of a table as questions of chance.

    Args:
        table: the table.
        found: how its cells are measured at the scale.
        known: evaluation id to what was measured.
        assumed: what counts instead.
    """
    run_sums = [(claim, [RunSum(part, found) for part in claim.parts]) for claim in table.claims]
    flat = [run_sum for _, items in run_sums for run_sum in items if not run_sum.obstacle]
    terms = {key: term for run_sum in flat for key, term in run_sum.terms.items()}
    spread = Spread(assumed.spread) if assumed.spread else pooled(_values(terms.values(), known))
    paired = Spread(assumed.paired_spread) if assumed.paired_spread else pooled(_within(flat, known))
    by_size = found.scale.is_paper and assumed.effect is None
    asked = []
    lacking = 0
    for claim, items in run_sums:
        judged = [(part, item) for part, item in zip(claim.parts, items, strict=True) if not item.obstacle]
        reasons = dict.fromkeys(item.obstacle for item in items if item.obstacle)
        if not by_size and any(direction_of(claim, part) is None for part, _ in judged):
            judged = [(part, item) for part, item in judged if direction_of(claim, part) is not None]
            reasons |= {UNSIZED: None}
        by_chance = [item for _, item in judged if item.counts]
        if not by_chance:
            asked.append(Question(claim, None, "; ".join(reasons) or "no seed has an influence"))
            continue
        points = [_points(item, spread, paired) for _, item in judged]
        if None in points:
            lacking += 1
            asked.append(Question(claim, None))
            continue
        comparisons = [
            _comparison(found, claim, part, item, spread_of, spread, assumed.effect or 0.0, by_size=by_size)
            for (part, item), spread_of in zip(judged, points, strict=True) if spread_of is not None
        ]  # fmt: skip
        needed = len(claim.parts) // 2 + 1 if claim.most else len(claim.parts)
        planned = PlannedClaim(tuple(comparisons), len(claim.parts), needed)
        asked.append(Question(claim, planned, is_unsized=not by_size and assumed.effect is None))
    return Questions(spread, paired, tuple(asked), lacking)


def _values(terms: Iterable[Term], known: Mapping[str, Recorded]) -> list[list[float]]:
    return [list(term.values(known).values()) for term in terms]


def _within(run_sums: Iterable[RunSum], known: Mapping[str, Recorded]) -> list[list[float]]:
    """The differences of scores of one run, seed by seed."""
    found: dict[tuple[tuple[str, str], ...], list[float]] = {}
    for run_sum in run_sums:
        for items in run_sum.by_run().values():
            if len(items) > 1:
                sides = [(count, term.values(known)) for count, term in items]
                seeds = set.intersection(*(set(values) for _, values in sides))
                key = tuple(sorted(term.key for _, term in items))
                found[key] = [sum(count * values[seed] for count, values in sides) for seed in sorted(seeds)]
    return list(found.values())


def _points(run_sum: RunSum, spread: Spread | None, paired: Spread | None) -> float | None:
    """Standard deviation of a difference over seeds; None if what it rests on is not known."""
    squares = 0.0
    for items in run_sum.by_run().values():
        if len(items) > 1:
            if paired is None:
                return None
            squares += paired.points**2 * max(abs(count) for count, _ in items) ** 2
        elif spread is None:
            return None
        else:
            squares += (items[0][0] * spread.points) ** 2
    return math.sqrt(squares)


def _comparison(
    found: Measurements, claim: Claim, part: Part, run_sum: RunSum, points: float, spread: Spread | None,
    effect: float, *, by_size: bool,
) -> Comparison:  # fmt: skip
    one_more = math.sqrt(sum(count**2 for count in run_sum.cited)) * (spread.points if spread else 0.0)
    draft = Comparison(effect, points, UPWARDS, one_more)
    printed = printed_part(found.library, claim, part).difference
    if by_size or not run_sum.counts:
        band = _band(found, claim, part) if by_size else UPWARDS
        return replace(draft, effect=printed.value if printed is not None else 0.0, band=band)
    return draft


def _band(found: Measurements, claim: Claim, part: Part) -> Band:
    """Where the difference must lie in points, for the sizes that are printed."""
    region = region_of(found.library, claim, part, standard_tolerance(), is_exact=False)
    right = quantity(found.library, part.right)
    base = right.value if right is not None else 0.0

    def end(bound: Bound | None, without: float) -> float:
        return without if bound is None else (bound.times - 1) * base + bound.more

    return Band(end(region.low, -math.inf), end(region.high, math.inf), region.is_open)


def is_left_to_chance(claim: Claim, found: Measurements) -> bool:
    """Whether a claim is judged at the scale, and by values that depend on the seed."""
    run_sums = (RunSum(part, found) for part in claim.parts)
    return any(run_sum.counts and not run_sum.obstacle for run_sum in run_sums)


def sentence_of(claim: Claim) -> str:
    """A claim in short, by the labels of its rows."""
    if claim.says:
        return claim.says
    words: list[str] = []
    for place, side in enumerate(claim.sides):
        words += [str(claim.operators[place - 1])] if place else []
        words.append(", ".join(getattr(item, "row", None) or str(item) for item in side))
    return " ".join(words)
