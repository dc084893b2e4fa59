"""Being asked to end: a signal sets a flag, and the loop stops where nothing is lost."""

import signal
import threading
from types import FrameType

from repro.errors import ReproError

NOTICES = (signal.SIGUSR1, signal.SIGUSR2)
"""Signals by which a cluster says that time or place will be taken away, and that the job may come again."""


class Interrupted(ReproError):
    """The process was asked to end by a signal and has kept everything; the same command goes on from here."""

    def __init__(self, number: int, where: str) -> None:
        super().__init__(f"stopped by {signal.Signals(number).name} {where}; the same command goes on from there")
        self.number, self.exit_code = number, 128 + number

    @property
    def name(self) -> str:
        """The signal's name."""
        return signal.Signals(self.number).name

    @property
    def is_notice(self) -> bool:
        """Whether a cluster has given notice, so that the job is to be put into its queue again."""
        return self.number in NOTICES


class StopRequest:
    """While entered, SIGTERM, a cluster's notice and the first SIGINT only set a flag; a second SIGINT interrupts.

    Attributes:
        signal: the one that came first, or else a notice: clusters send SIGTERM before or after that.
    """

    def __init__(self) -> None:
        self.signal: int | None = None
        self._before: dict[int, object] = {}

    def __enter__(self) -> "StopRequest":
        if threading.current_thread() is threading.main_thread():
            for number in (signal.SIGTERM, signal.SIGINT, *NOTICES):
                self._before[number] = signal.signal(number, self._receive)
        return self

    def __exit__(self, *_: object) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)  # type: ignore[arg-type]

    def requested(self) -> bool:
        """Whether a signal has come."""
        return self.signal is not None

    def check(self, where: str) -> None:
        """Raises `Interrupted` if a signal has come."""
        if self.signal is not None:
            raise Interrupted(self.signal, where)

    def _receive(self, number: int, frame: FrameType | None) -> None:
        if number == signal.SIGINT and self.signal is not None:
            raise KeyboardInterrupt
        if self.signal is None or (number in NOTICES and self.signal not in NOTICES):
            self.signal = number
