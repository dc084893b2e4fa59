"""Commands in processes of their own that begin with torch loaded: forked from a server that has imported it."""

import multiprocessing
import os
from collections.abc import Callable, Sequence
from functools import partial
from multiprocessing.context import ForkServerProcess
from pathlib import Path

from repro.console import process

SERVER = multiprocessing.get_context("forkserver")
SERVER.set_forkserver_preload(["repro.run.session", "repro.sweep.sweep", "repro.sweep.clusters.execute"])


class Forked:
    """A command at work.

    Args:
        main: the command's function, of a module.
        words: its command line.
        output: file that takes what it prints.
    """

    def __init__(self, main: Callable[[Sequence[str]], int], words: Sequence[str], output: Path) -> None:
        self._output = output
        self._process: ForkServerProcess = SERVER.Process(target=_carry_out, args=(main, words, output))
        self._process.start()

    @property
    def is_alive(self) -> bool:
        return self._process.is_alive()

    @property
    def text(self) -> str:
        """What it has printed so far."""
        return self._output.read_text(encoding="utf-8") if self._output.exists() else ""

    def send_signal(self, number: int) -> None:
        assert self._process.pid is not None
        os.kill(self._process.pid, number)

    def ended(self, seconds: float = 120) -> int | None:
        """Waits for its end and returns the exit code, which is -n after a deadly signal n."""
        self._process.join(seconds)
        overdue = self._process.is_alive()
        self.kill()
        assert not overdue, f"it did not end in {seconds:.0f} s:\n{self.text}"
        return self._process.exitcode

    def kill(self) -> None:
        """Ends it at once if it is still there."""
        self._process.kill()
        self._process.join()


def _carry_out(main: Callable[[Sequence[str]], int], words: Sequence[str], output: Path) -> None:
    with output.open("wb") as stream:
        for descriptor in (1, 2):
            os.dup2(stream.fileno(), descriptor)
    process(partial(main, words))
