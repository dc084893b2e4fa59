"""Commands in processes of their own that begin a tenth of a second later: forked from a server that has loaded all."""

import multiprocessing
import os
import sys
import time
from collections.abc import Callable, Sequence
from contextlib import chdir
from functools import partial
from multiprocessing.context import ForkServerProcess
from pathlib import Path

from repro.console import process
from repro.run.command import main as a_run
from tests.places import REPOSITORY

SERVER = multiprocessing.get_context("forkserver")
SERVER.set_forkserver_preload(["tests.warm"])
LONGEST_SECONDS = 120.0


class Forked:
    """A command at work.

    Args:
        main: the command's function, of a module.
        words: its command line.
        printed: files of this name take what it prints, .out and .err.
        folder: where it is carried out; None: here.
        without: modules that it cannot import.
    """

    def __init__(
        self,
        main: Callable[[Sequence[str]], int],
        words: Sequence[str],
        printed: Path,
        folder: Path | None = None,
        without: Sequence[str] = (),
    ) -> None:
        self._output, self._errors = printed.with_suffix(".out"), printed.with_suffix(".err")
        given = (main, words, self._output, self._errors, folder or Path.cwd(), without)
        self._process: ForkServerProcess = SERVER.Process(target=_carry_out, args=given)
        with chdir(REPOSITORY):  # where a server that is started now finds what it is to load
            self._process.start()

    @property
    def stdout(self) -> str:
        return self._output.read_text(encoding="utf-8") if self._output.exists() else ""

    @property
    def stderr(self) -> str:
        return self._errors.read_text(encoding="utf-8") if self._errors.exists() else ""

    @property
    def text(self) -> str:
        """What it has printed so far."""
        return self.stdout + self.stderr

    @property
    def returncode(self) -> int | None:
        """The exit code, which is -n after a deadly signal n; None while it is at work."""
        return self._process.exitcode

    def send_signal(self, number: int) -> None:
        assert self._process.pid is not None
        os.kill(self._process.pid, number)

    def wait(self, seconds: float = LONGEST_SECONDS) -> int | None:
        """Waits for its end and returns the exit code."""
        self._process.join(seconds)
        overdue = self._process.is_alive()
        self.kill()
        assert not overdue, f"it did not end in {seconds:.0f} s:\n{self.text}"
        return self.returncode

    def wait_until(self, condition: Callable[[], object], seconds: float = LONGEST_SECONDS) -> None:
        """Waits for something to come true while it is at work."""
        deadline = time.monotonic() + seconds
        while True:
            ended = self.returncode is not None  # read first: it may come true and end in between
            if condition():
                return
            assert not ended, f"it ended before that:\n{self.text}"
            assert time.monotonic() < deadline, f"not in {seconds:.0f} s:\n{self.text}"
            time.sleep(0.01)

    def kill(self) -> None:
        """Ends it at once if it is still there, as a cluster does."""
        self._process.kill()
        self._process.join()


class Runs:
    """Starts runs, and leaves none of them at work.

    Args:
        folder: takes what they print, and is where they are carried out unless they are told otherwise.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._started: list[Forked] = []

    def start(self, words: Sequence[str], folder: Path | None = None, without: Sequence[str] = ()) -> Forked:
        """Starts `repro run <words>` as a process."""
        printed = self._folder / str(len(self._started))
        self._started.append(Forked(a_run, words, printed, folder or self._folder, without))
        return self._started[-1]

    def finish(self, words: Sequence[str], folder: Path | None = None, without: Sequence[str] = ()) -> Forked:
        """The same, and waits for its end."""
        started = self.start(words, folder, without)
        started.wait()
        return started

    def end(self) -> None:
        """Ends all that are still at work."""
        for started in self._started:
            started.kill()


def _carry_out(
    main: Callable[[Sequence[str]], int],
    words: Sequence[str],
    output: Path,
    errors: Path,
    folder: Path,
    without: Sequence[str],
) -> None:
    assert "tests.warm" in sys.modules, "the server could not load what it is to load"
    multiprocessing.set_start_method(None, force=True)  # a worker of a loader starts as ever, from no second server
    for descriptor, path in ((1, output), (2, errors)):
        os.dup2(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o666), descriptor)
    os.chdir(folder)
    sys.path.insert(0, str(folder))
    sys.modules.update(dict.fromkeys(without))  # type: ignore[arg-type]
    process(partial(main, words), result_is_printed=main is not a_run)
