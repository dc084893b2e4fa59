"""The progress bar of a long loop."""

import sys
from collections.abc import Mapping
from typing import Any

from tqdm import tqdm


class Progress:
    """A bar with rate and time left on a terminal; a line now and then where output goes to a file.

    Args:
        total: steps of the whole loop.
        done: steps already done before this process started.
    """

    def __init__(self, title: str, *, total: int, done: int = 0, unit: str, shown: bool) -> None:
        terminal = sys.stderr.isatty()
        self._bar: tqdm[Any] = tqdm(
            total=total, initial=done, desc=title, unit=unit, disable=not shown, dynamic_ncols=terminal,
            mininterval=0.2 if terminal else 15.0, file=sys.stderr,
        )  # fmt: skip

    def advance(self, count: int = 1, figures: Mapping[str, str] | None = None) -> None:
        """Moves on and shows the figures beside the bar."""
        if figures:
            self._bar.set_postfix(figures, refresh=False)
        self._bar.update(count)

    def __enter__(self) -> "Progress":
        return self

    def __exit__(self, *_: object) -> None:
        self._bar.close()
