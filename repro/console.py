"""How every command begins and ends: its streams, its mistakes as sentences, its exit code."""

import argparse
import codecs
import errno
import io
import os
import signal
import sys
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any, NoReturn

from repro import __version__
from repro.errors import ConfigError, ReproError, full_sentence, is_refusal, refusal

INTERRUPTED = 128 + signal.SIGINT
UNWRITTEN = 1


def answer(work: Callable[[], int]) -> int:
    """Carries a command out and returns its exit code; what the user can mend is one sentence, not a traceback."""
    try:
        return work()
    except ReproError as error:
        complain(str(error))
        return error.exit_code
    except OSError as error:
        if not is_refusal(error):
            raise
        place = Path(os.fsdecode(error.filename)) if error.filename else Path.cwd()
        complain(f"{place} cannot be used: {refusal(place, error)}")
        return ReproError.exit_code
    except KeyboardInterrupt:
        return INTERRUPTED


def complain(text: str) -> None:
    """Prints a sentence about something that went wrong."""
    print(f"error: {full_sentence(text)}", file=sys.stderr)


def warn(text: str) -> None:
    """Prints a sentence about something that went on all the same."""
    print(f"warning: {full_sentence(text)}", file=sys.stderr)


def process(main: Callable[[], int], *, result_is_printed: bool = True) -> NoReturn:
    """Makes a process of a command: streams that never bring it down, and an exit code.

    A reader who has gone away (a closed pipe) ends nothing and is no failure. Output that a full disk refuses is one
    where what is printed is the result, and a warning where it only tells of a result that lies elsewhere.
    """
    _fill_closed_descriptors()
    _know_all_letters()
    output, errors = _Unbreakable(1), _Unbreakable(2)
    sys.stdout, sys.stderr = _text(output, sys.stdout), _text(errors, sys.stderr)
    try:
        code = main()
    except SystemExit as end:  # of --version, or Hydra's own
        if isinstance(end.code, str):
            raise
        code = end.code or 0
    sys.stdout.flush()
    if output.failure is not None and output.failure.errno != errno.EPIPE:
        complain(f"standard output could not be written: {output.failure.strerror}")
        code = code or (UNWRITTEN if result_is_printed else 0)
    sys.stderr.flush()
    sys.exit(code)


Completions = Callable[[str, argparse.Namespace], Iterable[str]]


class Words(argparse.ArgumentParser):
    """The words of a command line: overrides with flags anywhere among them; a mistake in them is a sentence.

    Args:
        name: of the command, as in `repro <name>`.
        completions: gives the words that may come next, from the word as far as it is typed and those before it.
    """

    def __init__(self, name: str, completions: Completions) -> None:
        super().__init__(prog=f"repro {name}", add_help=False, allow_abbrev=False)
        self._overrides: Any = self.add_argument("overrides", nargs="*")
        self.completions = completions
        self.complete_by(completions)
        self.add_argument("-h", "--help", action="store_true")
        self.add_argument("--version", action="version", version=f"repro {__version__}")

    def complete_by(self, completions: Completions) -> None:
        """Lets overrides be completed in some way."""
        self._overrides.completer = lambda prefix, parsed_args, **_: completions(prefix, parsed_args)

    def error(self, message: str) -> NoReturn:
        """Refuses the words."""
        raise ConfigError(message)


class _Unbreakable(io.RawIOBase):
    """A file descriptor for text that people read: the first failure to write is kept, and the rest is swallowed."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor
        self.failure: OSError | None = None

    def writable(self) -> bool:
        return True

    def fileno(self) -> int:
        return self._descriptor

    def isatty(self) -> bool:
        return os.isatty(self._descriptor)

    def write(self, content: object) -> int:
        data = memoryview(content).cast("B")  # type: ignore[arg-type]
        if self.failure is None:
            try:
                return os.write(self._descriptor, data)
            except OSError as error:
                self.failure = error
        return len(data)


def _text(raw: _Unbreakable, before: object) -> io.TextIOWrapper:
    """A text stream like the one before, in which a character that the locale lacks is written as its code."""
    encoding = getattr(before, "encoding", None) or "utf-8"
    return io.TextIOWrapper(io.BufferedWriter(raw), encoding, "backslashreplace", line_buffering=True)


def _know_all_letters() -> None:
    """Starts anew in Python's UTF-8 mode where the locale has ASCII only, which names of files go beyond."""
    if codecs.lookup(sys.getfilesystemencoding()).name == "ascii":
        os.execv(sys.executable, [sys.executable, "-X", "utf8", *sys.orig_argv[1:]])


def _fill_closed_descriptors() -> None:
    """Opens what the caller has closed of input, output and errors, lest the next file opened take their place."""
    for descriptor in range(3):
        try:
            os.fstat(descriptor)
        except OSError:
            os.open(os.devnull, os.O_RDWR)
