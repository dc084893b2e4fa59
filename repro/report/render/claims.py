"""The claims of a table as plain text parts, before any markup: what Markdown and LaTeX have in common."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from repro.report.judge.images import told
from repro.report.judge.results import ClaimResult, Method, PartResult, Robustness, TableResult
from repro.report.judge.verdicts import ClaimVerdict, Verdict
from repro.report.printed import signed
from repro.report.printed_claims import PrintedSay
from repro.report.render.claim_words import claim_text, part_text
from repro.report.render.wording import MISSING, difference_text

DIRECTION_ONLY = "direction only"
DECIMALS = 2
"""Of measured differences of which nothing is printed."""


@dataclass(frozen=True)
class LaidPart:
    """One comparison.

    Attributes:
        number: of the claim and of the comparison in it, such as 2.1; of the claim alone where it has one.
        comparison: its sides.
        printed: what the printed numbers say, with the difference between both sides.
        measured: left minus right with its interval, `missing`, or for several comparisons how many came out how.
        how: seeds, method, p-values, and how many seeds would decide, of several comparisons the p-values alone; empty
            where nothing was measured.
        verdict: what the measured numbers say, or why there is none.
        is_judged: whether they say anything.
    """

    number: str
    comparison: str
    printed: str
    measured: str
    how: str
    verdict: str
    is_judged: bool


@dataclass(frozen=True)
class LaidClaim(LaidPart):
    """A claim.

    Attributes:
        says: the sentence in our words; empty if the comparison says it all.
        place: where the paper says it.
        robustness: under how many readings of what the paper leaves open it holds; empty if no other was measured.
        notes: what a reader must know.
        parts: its comparisons, where there are several and they have something to say beyond the claim's own line.
    """

    says: str
    place: str
    robustness: str
    notes: tuple[str, ...]
    parts: tuple[LaidPart, ...]


def laid_claims(result: TableResult) -> list[LaidClaim]:
    """The claims of a table in the order of its file, numbered from 1."""
    return [_claim(item, str(number), result) for number, item in enumerate(result.claims, 1)]


def claims_legend(claims: Sequence[LaidClaim]) -> str:
    """What the columns mean; empty without claims."""
    hows = [line.how for claim in claims for line in (claim, *claim.parts) if line.how]
    parts = [
        "Printed: what the paper's own numbers say, with the difference left minus right, or how many of the "
        "comparisons hold and the range of their differences."
    ]
    if hows:
        parts.append("Measured: the same difference over the seeds, with the 95 % t-interval of its mean.")
    if any(Method.PREDICTION in how for how in hows):
        parts.append("Against one run: the interval is that of the mean minus one more run, as a cited number is.")
    if any("adjusted" in how for how in hows):
        parts.append(
            "p: of the line by itself; adjusted: over the comparisons of its claim and, after Holm, over the claims "
            "of the table."
        )
    if any("over 1 image" in how or " images" in how for how in hows):
        parts.append(
            "Over images: the difference of these very weights with the 95 % interval of a bootstrap over the images; "
            "it says what other images would give, and has no part in a verdict."
        )
    if any(DIRECTION_ONLY in claim.verdict for claim in claims):
        parts.append("Direction only: the runs are not the paper's, so that amounts and margins are not judged.")
    return " ".join(parts) if claims else ""


def claim_state(item: ClaimResult | PartResult) -> str:
    """The verdict on a claim or a part of one, or why there is none."""
    return item.verdict if isinstance(item.verdict, ClaimVerdict) else f"not judged: {item.verdict}"


def robustness_text(found: Robustness | None) -> str:
    """Under how many readings a claim holds; empty if nothing but ours was measured."""
    if found is None:
        return ""
    others = ((found.reversed, "reversed"), (found.undecided, "undecided"))
    parts = [f"holds under {found.holds} of {found.readings} readings"]
    return ", ".join(parts + [f"{word} under {count}" for count, word in others if count])


def _claim(item: ClaimResult, number: str, result: TableResult) -> LaidClaim:
    laid = [_part(part, f"{number}.{place}", result) for place, part in enumerate(item.parts, 1)]
    alone = laid[0] if len(laid) == 1 else None
    only = f", {DIRECTION_ONLY}" if item.is_direction_only and item.is_judged else ""
    text = claim_text(item.claim, result)
    return LaidClaim(
        number=number,
        comparison=text,
        printed=alone.printed if alone else _printed(item),
        measured=alone.measured if alone else _counts(item.parts),
        how=alone.how if alone else "" if item.p_value is None else p_text(item.p_value, item.adjusted),
        verdict=claim_state(item) + only,
        is_judged=item.is_judged,
        says=item.claim.says,
        place=item.claim.place,
        robustness=robustness_text(item.robustness),
        notes=_notes(item),
        parts=() if alone or not _is_telling(item) else tuple(laid),
    )


def _is_telling(item: ClaimResult) -> bool:
    """Whether the comparisons of a claim say more than its own line."""
    measured = any(part.difference is not None for part in item.parts)
    return measured or item.claim.is_paired or item.printed in (PrintedSay.REVERSED, PrintedSay.EQUAL)


def _part(part: PartResult, number: str, result: TableResult) -> LaidPart:
    printed = part.printed.difference
    places = DECIMALS if printed is None else max(1, printed.decimals)
    return LaidPart(
        number=number,
        comparison=part_text(part.part, result),
        printed=part.printed.say + ("" if printed is None else f" ({signed(printed.value, printed.decimals)})"),
        measured=difference_text(part.difference, places),
        how=_how(part),
        verdict=claim_state(part),
        is_judged=isinstance(part.verdict, ClaimVerdict),
    )


def _how(part: PartResult) -> str:
    if part.difference is None:
        return ""
    texts = [f"{part.difference.n} seeds" if part.difference.n > 1 else "1 seed"]
    texts += [part.method] if part.method else []
    texts += [p_text(part.p_value, part.adjusted)] if part.p_value is not None else []
    texts += [f"{part.seeds_needed} seeds would decide"] if part.seeds_needed else []
    texts += [told(part.over_images)] if part.over_images is not None else []
    return "; ".join(texts + ([part.reason] if part.reason else []))


def p_text(raw: float, adjusted: float | None) -> str:
    """A p-value, and the one after correction beside it."""
    beside = "" if adjusted is None else f", adjusted {_probability(adjusted).removeprefix('= ')}"
    return f"p {_probability(raw)}{beside}"


def _probability(value: float) -> str:
    return "< 0.001" if value < 0.001 else f"= {value:.3f}" if value < 0.1 else f"= {value:.2f}"


def _printed(item: ClaimResult) -> str:
    """What the printed numbers say about several comparisons: of how many they say it, and between which amounts."""
    says = [part.printed.say for part in item.parts]
    known = [part.printed.difference for part in item.parts if part.printed.difference is not None]
    if not known:
        return item.printed
    holding = says.count(PrintedSay.HOLDS)
    every = "both" if len(says) == 2 else f"all {len(says)}"
    count = every if holding == len(says) else f"{holding} of {len(says)}"
    low, high = (choose(known, key=lambda item: item.value) for choose in (min, max))
    span = dict.fromkeys(signed(end.value, end.decimals) for end in (low, high))
    return f"{item.printed} ({count}: {' to '.join(span)})"


def _counts(parts: Sequence[PartResult]) -> str:
    if all(part.difference is None for part in parts):
        return MISSING
    order = (*ClaimVerdict, *Verdict)
    found = Counter(claim_state(part) for part in sorted(parts, key=lambda part: order.index(part.verdict)))
    return f"of {len(parts)}: " + ", ".join(f"{count} {state}" for state, count in found.items())


def _notes(item: ClaimResult) -> tuple[str, ...]:
    """What a reader must know about a claim; why a side is not measured stands with the side."""
    within = item.claim.within
    notes = [item.claim.note] if item.claim.note else []
    notes += [f"margin: {within.reason}"] if within is not None and within.reason else []
    told = "; ".join(dict.fromkeys(part.reason for part in item.parts if part.reason))
    return (*notes, item.reason) if item.is_judged and item.reason and item.reason != told else tuple(notes)
