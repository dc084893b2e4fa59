"""What so many seeds decide of the claims of a table, as lines of text."""

from collections.abc import Iterator, Sequence
from math import isinf

from repro.papers import Scale
from repro.report.judge.looks import LOOKS, PLANNED_SHARE, significance
from repro.report.judge.power import WANTED_POWER, PlannedClaim, powers, seeds_needed, smallest_effects
from repro.report.judge.statistics import LEVEL
from repro.report.judge.verdicts import MOST_SEEDS
from repro.sweep.plan.questions import Questions, sentence_of
from repro.sweep.plan.words import WIDTH, cut, cut_to, headed
from repro.sweep.request import Assumptions

_PERCENT = f"{100 * WANTED_POWER:.0f} %"
_SHOWN = WIDTH - 34

_AS_PLANNED = LEVEL * PLANNED_SHARE
"""The level of a number of seeds that the scale has fixed beforehand."""


def seed_lines(asked: Questions, seeds: int | None, scale: Scale, assumed: Assumptions) -> Iterator[str]:
    """How many claims n seeds decide, and how many seeds it takes.

    Args:
        asked: the claims.
        seeds: how many are planned; None: as many as decide them, by looks.
        scale: where.
        assumed: the effect, and whether each claim is shown.
    """
    planned, lacking = asked.planned, asked.lacking
    if not planned and not lacking:
        yield from headed("claims", "none is left to chance at this scale: they are not judged, or depend on no seed")
        return
    if planned and any(item.is_unsized for item in asked.asked):
        yield from _effects(planned, seeds, scale, lacking)
    elif planned:
        sizes = f"at differences of {assumed.effect:g}" if assumed.effect else "at their printed sizes"
        yield from _decided(planned, seeds, sizes, lacking, scale)
    if lacking:
        leaf = "planning.paired_spread=0.1" if asked.spread else "planning.spread=0.5"
        yield from headed("" if planned else "claims", f"{lacking} rest on a spread over seeds that is not known at "
                          f"this scale: {leaf} assumes one, in points, or two seeds of a row measure it")  # fmt: skip
    silent = sum(bool(item.obstacle) for item in asked.asked)
    if silent:
        yield from headed("", f"{silent} of {len(asked.asked)} are not judged at this scale, or depend on no seed")
    spreads = {"over seeds": asked.spread, "between scores of one run": asked.paired_spread}
    known = [f"{spread} {words}" for words, spread in spreads.items() if spread is not None]
    if known:
        yield from headed("spread", "; ".join(known))
    if assumed.shows_claims and planned:
        yield from _each(asked, seeds, scale)


def _decided(
    planned: Sequence[PlannedClaim], seeds: int | None, sizes: str, lacking: int, scale: Scale
) -> Iterator[str]:
    if seeds is None:
        counts = [_count(powers(planned, look, _level(look, scale), lacking)) for look in LOOKS]
        text = (f"{_listed(LOOKS)} seeds decide {_listed(counts)} of {len(planned)} with {_PERCENT} {sizes}, "
                "each look at its level")  # fmt: skip
    else:
        level = _level(seeds, scale)
        found = _count(powers(planned, seeds, level, lacking))
        text = (f"{_many(seeds)} {'decides' if seeds == 1 else 'decide'} {found} of {len(planned)} with {_PERCENT} "
                f"{sizes}, at {100 * level:.1f} %")  # fmt: skip
    yield from headed("claims", text)
    if seeds not in (None, scale.planned_seeds):
        yield from headed("", f"scale {scale.name} has planned_seeds: {scale.planned_seeds}, which is judged at "
                          f"{100 * _level(scale.planned_seeds, scale):.1f} %")  # fmt: skip
    reached = sorted(number for number in seeds_needed(planned, _AS_PLANNED, lacking) if number is not None)
    half = (len(planned) + 1) // 2
    takes = [f"fixed beforehand, the first takes {_many(reached[0])}"] if reached else []
    takes += [f"half of them {reached[half - 1]}"] if len(reached) >= half else []
    takes += [f"all {reached[-1]}"] if len(reached) == len(planned) else []
    others = len(planned) - len(reached)
    takes += [f"{others} more than {MOST_SEEDS}, or no number is enough"] if others else []
    yield from headed("", ", ".join(takes))


def _effects(planned: Sequence[PlannedClaim], seeds: int | None, scale: Scale, lacking: int) -> Iterator[str]:
    numbers = LOOKS if seeds is None else (seeds,)
    for number in numbers:
        level = _level(number, scale)
        effects = smallest_effects(planned, number, level, lacking)
        low, high = (f"{end:.1f}" for end in (min(effects), max(effects)))
        if isinf(max(effects)):
            text = f"{_many(number)} {'decides' if number == 1 else 'decide'} none, however large its difference"
        else:
            span = low if low == high else f"{low} to {high}"
            text = f"{_many(number)} decide with {_PERCENT} differences of {span} points or more"
        yield from headed("claims" if number == numbers[0] else "", text)
    yield from headed("", f"what is printed says nothing of their size at scale {scale.name}: planning.effect=1.0, in "
                      "points, says how many are decided and what it takes")  # fmt: skip


def _each(asked: Questions, seeds: int | None, scale: Scale) -> Iterator[str]:
    """One line for each claim: its size, the probability that n seeds decide it, and how many it takes."""
    planned, lacking = asked.planned, asked.lacking
    is_unsized = any(item.is_unsized for item in asked.asked)
    number = LOOKS[-1] if seeds is None else seeds
    level = _level(number, scale)
    chances = [None] * len(planned) if is_unsized else powers(planned, number, level, lacking)
    needed = (
        smallest_effects(planned, number, level, lacking) if is_unsized else seeds_needed(planned, _AS_PLANNED, lacking)
    )
    last = "points" if is_unsized else "seeds for it"
    yield f"  {'claim':{_SHOWN}}  {'size':>5}  {f'with {number}':>8}  {last:>12}"
    rows = iter(zip(planned, chances, needed, strict=True))
    for item in asked.asked:
        words = [cut_to(sentence_of(item.claim), _SHOWN)]
        if item.planned is None:
            yield cut(f"  {words[0]:{_SHOWN}}  {item.obstacle or 'its spread is not known'}")
            continue
        claim, chance, takes = next(rows)
        effects = dict.fromkeys(f"{part.effect:.1f}" for part in claim.comparisons)
        size = "" if is_unsized else next(iter(effects)) if len(effects) == 1 else "parts"
        power = "" if chance is None else f"{100 * chance:.0f} %"
        end = f"{takes:.1f}" if isinstance(takes, float) else str(takes or f"over {MOST_SEEDS}")
        yield f"  {words[0]:{_SHOWN}}  {size:>5}  {power:>8}  {end:>12}"


def _level(seeds: int, scale: Scale) -> float:
    return significance(seeds, scale.planned_seeds)


def _count(chances: Sequence[float]) -> int:
    return sum(chance >= WANTED_POWER for chance in chances)


def _many(seeds: int) -> str:
    return f"{seeds} seed" if seeds == 1 else f"{seeds} seeds"


def _listed(numbers: Sequence[int]) -> str:
    return ", ".join(map(str, numbers))
