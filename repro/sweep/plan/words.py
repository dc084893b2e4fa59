"""Times and sizes in the unit that suits them, and lines of the page's width."""

from collections.abc import Iterator
from textwrap import wrap

WIDTH = 110
MARGIN = 12
_BYTES = ((1e12, "TB"), (1e9, "GB"), (1e6, "MB"), (1e3, "kB"))


def duration(seconds: float) -> str:
    """A time in the unit that suits it."""
    if seconds < 90:
        return f"{seconds:.0f} s"
    if seconds < 5400:
        return f"{seconds / 60:.0f} min"
    if seconds < 200 * 3600:
        return f"{seconds / 3600:.1f} hours"
    return f"{seconds / 86400:,.0f} days"


def size(count: int) -> str:
    """A number of bytes in the unit that suits it."""
    for unit, name in _BYTES:
        if count >= unit:
            return f"{count / unit:.3g} {name}"
    return f"{count} bytes"


def headed(head: str, text: str) -> Iterator[str]:
    """A text behind a word at the margin, broken into lines of the page's width; a long path stays whole."""
    yield from wrap(
        text, WIDTH, initial_indent=f"{head:{MARGIN}}", subsequent_indent=" " * MARGIN,
        break_on_hyphens=False, break_long_words=False,
    )  # fmt: skip


def cut(line: str) -> str:
    """A line no longer than the page."""
    return cut_to(line, WIDTH)


def cut_to(text: str, width: int) -> str:
    """A text no longer than a column."""
    return text if len(text) <= width else text[: width - 1] + "…"


def many(count: int, thing: str) -> str:
    """A number of things."""
    return f"{count:,} {thing}" if count == 1 else f"{count:,} {thing}s"
