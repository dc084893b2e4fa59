"""An estimate as lines of text."""

from collections.abc import Iterator

from repro.sweep.plan.estimate import FAR, Estimate
from repro.sweep.plan.words import duration, headed, size

MESSAGES = 3


def estimate_lines(estimate: Estimate, slots: int) -> Iterator[str]:
    """Operations, time with its basis, and disk."""
    if not estimate.operations and not estimate.unknown:
        return
    yield from headed("work", f"{estimate.operations:.2g} operations, counted on the networks")
    for title, reason in list(estimate.unknown.items())[:MESSAGES]:
        yield from headed("", f"without {title}: {reason}")
    if len(estimate.unknown) > MESSAGES:
        yield from headed("", f"and without {len(estimate.unknown) - MESSAGES} more")
    yield from _time(estimate, slots)
    passing = size(estimate.passing_bytes * slots)
    yield from headed("disk", f"{size(estimate.kept_bytes)} stay; {passing} more while training")


def _time(estimate: Estimate, slots: int) -> Iterator[str]:
    for kind, lacking in estimate.basis.items():
        if lacking:
            yield from headed("time", f"no basis on {kind}: {lacking}")
    if estimate.seconds is None:
        return
    kinds = list(estimate.basis)
    hours = f"{estimate.seconds / 3600:.1f} GPU hours" if _on_gpu(kinds) else duration(estimate.seconds)
    aside = f", {duration(estimate.seconds / slots)} with {slots} at a time" if slots > 1 else ""
    yield from headed("time", f"about {hours}{aside} on {'; '.join(kinds)}")
    for pace in estimate.paces.values():
        if pace is not None:
            far = estimate.largest / pace.largest
            beyond = f"; extrapolated {far:.0f}-fold" if far > FAR else ""
            basis = f"from {pace.runs} recorded runs, half of them within a factor {pace.error:.1f}{beyond}"
            yield from headed("", basis)


def _on_gpu(kinds: list[str]) -> bool:
    return not any(" thread" in kind for kind in kinds)
