"""The progress of jobs in other processes: a block that is redrawn on a terminal, plain lines elsewhere."""

import shutil
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TextIO

from repro.errors import ReproError
from repro.store.journal import newest_step
from repro.sweep.clusters.jobs import FrozenJob


@dataclass
class Active:
    """A job in another process, for the eyes: since when, and where it stands."""

    job: FrozenJob
    steps: int | None = field(init=False)
    started: float = field(default_factory=time.monotonic)

    def __post_init__(self) -> None:
        from repro.experiments.operations import steps_of  # loads torch, which a sweep with nothing to do spares

        try:
            self.steps = steps_of(self.job.configurations[0])
        except (ReproError, LookupError, TypeError):
            self.steps = None  # a data set that does not tell its size; the training knows

    def line(self) -> str:
        """State, step and seconds."""
        step = newest_step(self.job.run.journal_path)
        total = f"/{self.steps}" if self.steps else ""
        place = "starting" if step is None else f"step {step}{total}"
        if self.job.run.has_weights:
            place = "evaluating"
        return f"{self.job.title}: {place}, {time.monotonic() - self.started:.0f} s"


class Board:
    """Writes lines that stay, and below them, on a terminal, lines that are redrawn."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._live = stream.isatty()
        self._drawn = 0

    def say(self, line: str) -> None:
        """Writes a line that stays."""
        self._erase()
        self._stream.write(line + "\n")
        self._stream.flush()

    def show(self, lines: Sequence[str]) -> None:
        """Redraws the lines that change; does nothing where output goes to a file."""
        if not self._live:
            return
        self._erase()
        size = shutil.get_terminal_size()
        shown = [line[: size.columns - 1] for line in lines[: size.lines - 2]]
        self._stream.write("".join(f"{line}\n" for line in shown))
        self._stream.flush()
        self._drawn = len(shown)

    def _erase(self) -> None:
        if self._drawn:
            self._stream.write(f"\x1b[{self._drawn}A\x1b[J")
            self._drawn = 0
