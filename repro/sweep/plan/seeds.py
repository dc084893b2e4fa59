"""What so many seeds decide of the claims of a table, as lines of text."""

from collections.abc import Iterator, Sequence

from repro.papers import Scale
from repro.report.judge.looks import LEVEL, LOOKS, significance
from repro.report.judge.power import MOST_SEEDS, WANTED_POWER, PlannedClaim, powers, seeds_needed, smallest_effects
from repro.sweep.plan.questions import Question, Questions, sentence_of
from repro.sweep.plan.text import WIDTH, cut, headed
from repro.sweep.request import Assumptions

_PERCENT = f"{WANTED_POWER:.0%}".replace("%", " %")
_SHOWN = WIDTH - 34


def seed_lines(asked: Questions, seeds: int | None, scale: Scale, assumed: Assumptions) -> Iterator[str]:
    """How many claims n seeds decide, and how many seeds it takes.

    Args:
        asked: the claims.
        seeds: how many are planned; None: as many as decide them, by looks.
        scale: where.
        assumed: the effect, and whether each claim is shown.
    """
    planned = asked.planned
    others = sum(bool(item.obstacle) for item in asked.asked)
    aside = f"; {others} of {len(asked.asked)} cannot be judged by chance at this scale" if others else ""
    if asked.lacks_spread:
        yield from headed("claims", f"no spread over seeds is known at this scale, so that nothing can be said about "
                          f"them; {_remedy(asked)}{aside}")  # fmt: skip
    elif not planned:
        yield from headed("claims", f"none is left to chance at this scale: all {len(asked.asked)} cannot be judged, "
                          "or depend on no seed")  # fmt: skip
    elif any(item.is_unsized for item in asked.asked):
        yield from _effects(planned, seeds, scale, aside)
    else:
        sizes = f"if all are about {assumed.effect:g} points" if assumed.effect else "at their printed sizes"
        yield from _decided(planned, seeds, sizes, aside)
    if not asked.lacks_spread and planned:
        known = [f"{asked.spread} over seeds" if asked.spread else "",
                 f"{asked.paired_spread} between scores of one run" if asked.paired_spread else ""]  # fmt: skip
        yield from headed("spread", "; ".join(filter(None, known)))
        if assumed.shows_claims:
            yield from _each(asked.asked, seeds)


def _remedy(asked: Questions) -> str:
    leaf = "planning.paired_spread=0.1" if asked.spread else "planning.spread=0.5"
    return f"{leaf} assumes one in points, or two seeds of a row measure it"


def _decided(planned: Sequence[PlannedClaim], seeds: int | None, sizes: str, aside: str) -> Iterator[str]:
    if seeds is None:
        counts = [_count(powers(planned, look, significance(look))) for look in LOOKS]
        text = (f"{_listed(LOOKS)} seeds decide {_listed(counts)} of {len(planned)} with {_PERCENT} {sizes}, "
                "each look at its own level")  # fmt: skip
    else:
        found = _count(powers(planned, seeds))
        text = (f"{_many(seeds)} {'decides' if seeds == 1 else 'decide'} {found} of {len(planned)} with {_PERCENT} "
                f"{sizes} (false verdicts {LEVEL:.0%} for all together)")  # fmt: skip
    yield from headed("claims", text.replace("%)", " %)").replace("5%", "5 %") + aside)
    needed = seeds_needed(planned)
    reached = sorted(number for number in needed if number is not None)
    if reached:
        half = reached[(len(planned) + 1) // 2 - 1] if len(reached) >= (len(planned) + 1) // 2 else None
        words = [f"the first {'takes' if len(planned) > 1 else 'one takes'} {_many(reached[0])}"]
        words += [f"half of them {half}"] if half is not None and len(planned) > 2 else []
        words += [f"all {reached[-1]}"] if len(reached) == len(planned) and len(planned) > 1 else []
        yield from headed("", "; ".join(words))
    if len(reached) < len(planned):
        yield from headed("", f"{len(planned) - len(reached)} of them more than {MOST_SEEDS} seeds, or no number")


def _effects(planned: Sequence[PlannedClaim], seeds: int | None, scale: Scale, aside: str) -> Iterator[str]:
    numbers = LOOKS if seeds is None else (seeds,)
    for number in numbers:
        level = LEVEL if seeds is not None else significance(number)
        effects = smallest_effects(planned, number, level)
        low, high = min(effects), max(effects)
        if high == float("inf"):
            text = f"{_many(number)} {'decides' if number == 1 else 'decide'} none, however large its difference"
        else:
            span = f"{low:.1f}" if f"{low:.1f}" == f"{high:.1f}" else f"{low:.1f} to {high:.1f}"
            text = f"{_many(number)} decide with {_PERCENT} differences of {span} points or more"
        yield from headed("claims" if number == numbers[0] else "", text)
    yield from headed("", f"what is printed says nothing of their size at scale {scale.name}: planning.effect=1.0, in "
                      f"points, says how many are decided and what it takes{aside}")  # fmt: skip


def _each(asked: Sequence[Question], seeds: int | None) -> Iterator[str]:
    """One line for each claim: its size, the probability that n seeds decide it, and how many it takes."""
    planned = [item.planned for item in asked if item.planned is not None]
    is_unsized = any(item.is_unsized for item in asked)
    number = LOOKS[-1] if seeds is None else seeds
    level = significance(number) if seeds is None else LEVEL
    chances = [None] * len(planned) if is_unsized else powers(planned, number, level)
    needed = smallest_effects(planned, number, level) if is_unsized else seeds_needed(planned)
    last = "points" if is_unsized else "seeds for it"
    yield f"  {'claim':{_SHOWN}}  {'size':>5}  {f'with {number}':>8}  {last:>12}"
    rows = iter(zip(planned, chances, needed, strict=True))
    for item in asked:
        words = [cut_to(sentence_of(item.claim), _SHOWN)]
        if item.planned is None:
            yield cut(f"  {words[0]:{_SHOWN}}  {item.obstacle}")
            continue
        claim, chance, takes = next(rows)
        effects = dict.fromkeys(f"{part.effect:.1f}" for part in claim.comparisons)
        size = "" if is_unsized else next(iter(effects)) if len(effects) == 1 else "parts"
        power = "" if chance is None else f"{100 * chance:.0f} %"
        end = f"{takes:.1f}" if isinstance(takes, float) else str(takes or f"over {MOST_SEEDS}")
        yield f"  {words[0]:{_SHOWN}}  {size:>5}  {power:>8}  {end:>12}"


def cut_to(text: str, width: int) -> str:
    """A text no longer than a column."""
    return text if len(text) <= width else text[: width - 1] + "…"


def _count(chances: Sequence[float]) -> int:
    return sum(chance >= WANTED_POWER for chance in chances)


def _many(seeds: int) -> str:
    return f"{seeds} seed" if seeds == 1 else f"{seeds} seeds"


def _listed(numbers: Sequence[int]) -> str:
    return ", ".join(map(str, numbers))
