"""Errors that speak to the person at the keyboard: one sentence with what is wrong, where, and what would be right.

A sentence is kept without its full stop, so that it can stand inside another one; `full_sentence` ends it.
"""

import difflib
import errno
import os
import pwd
from collections.abc import Iterable
from pathlib import Path
from traceback import extract_tb

_FULL = "make room, then give the same command again"
_ELSEWHERE = "give another folder, such as outputs=<folder>"
_REMEDIES = {
    errno.ENOSPC: _FULL,
    errno.EDQUOT: _FULL,
    errno.EROFS: f"mount it writable, or {_ELSEWHERE}",
    errno.EACCES: f"ask for access, or {_ELSEWHERE}",
    errno.EPERM: f"ask for access, or {_ELSEWHERE}",
}
"""What helps where a disk is full, read-only or somebody else's."""

NEAR = 0.5
"""How alike two names must be, between 0 and 1, for one to be taken for the other."""


class ReproError(Exception):
    """A mistake or a circumstance that the user can mend; printed as one sentence without a traceback.

    Attributes:
        exit_code: of a process that it ends.
    """

    exit_code = 2


class ConfigError(ReproError):
    """The composed configuration asks for something that does not exist or does not fit together."""


class CodeNotFoundError(ConfigError):
    """The configuration names code of the user's own that is not there, or not where Python looks."""


class DataError(ReproError):
    """A data set, or one file of it, is missing, damaged or not what its declaration says."""


class StoreError(ReproError):
    """A run folder cannot be used: it is held by another process, or what lies in it is damaged."""


class DamagedError(StoreError):
    """A file can be read and does not hold what was written into it."""


def full_sentence(text: str) -> str:
    """A sentence with its full stop."""
    return text if text.endswith((".", "?", "!")) else f"{text}."


def first_line(error: BaseException) -> str:
    """What an error says in its first line, without the trail that libraries append; its type if it says nothing."""
    lines = str(error).strip().splitlines()
    return lines[0].rstrip(".") if lines else type(error).__name__


def told(error: BaseException) -> str:
    """An error of somebody's own code: its kind, what it says, and the last line of that code that it came from."""
    words = first_line(error)
    kind = type(error).__name__
    said = kind if words == kind else f"{kind}: {words}"
    if isinstance(error, SyntaxError):
        return said  # it names its file and line itself
    frames = [frame for frame in extract_tb(error.__traceback__) if not _is_of_a_library(frame.filename)]
    return f"{said} ({frames[-1].filename}, line {frames[-1].lineno})" if frames else said


def is_ours(cls: type) -> bool:
    """Whether a class is of this package, whose own mistakes are no sentences to a user."""
    return cls.__module__.partition(".")[0] == __name__.partition(".")[0]


def _is_of_a_library(file: str) -> bool:
    path = Path(file)
    of_python, of_ours = Path(difflib.__file__).parent, Path(__file__).parent
    return file.startswith("<") or "site-packages" in path.parts or any(map(path.is_relative_to, (of_python, of_ours)))


def hint(wrong: object, right: Iterable[str], *, otherwise: str = "", most: int = 1) -> str:
    """The end of a sentence about a wrong name: the right ones nearest to it, or else what there is.

    Args:
        wrong: the name given.
        right: the names that there are.
        otherwise: what to say where none is near; by default all that there are.
        most: how many near ones are named.
    """
    names = list(dict.fromkeys(right))
    near = nearest(str(wrong), names, most)
    if near:
        return f"; did you mean {' or '.join(near)}?"
    return f"; {otherwise or 'there are ' + ', '.join(names)}"


def refuse_repeated(key: str, values: Iterable[object]) -> None:
    """Refuses a list in which something stands twice, which would count once or be a mistake for something else.

    Raises:
        ConfigError: naming the setting and what it holds twice.
    """
    seen: list[object] = []
    for value in values:
        if value in seen:
            raise ConfigError(f"{key} holds {value} twice; each may stand in it once")
        seen.append(value)


def nearest(wrong: str, right: Iterable[str], most: int = 1) -> list[str]:
    """The names most like a wrong one, whatever its capitals; none if none is near."""
    by_lower_case: dict[str, str] = {}
    for name in right:
        by_lower_case.setdefault(name.lower(), name)
    found = difflib.get_close_matches(wrong.lower(), by_lower_case, n=most, cutoff=NEAR)
    return [by_lower_case[name] for name in found]


def is_refusal(error: OSError) -> bool:
    """Whether a disk is full, read-only or somebody else's, which is no fault of the program."""
    return error.errno in _REMEDIES


def refusal(path: Path, error: OSError) -> str:
    """Why the disk refuses a file, and what would help."""
    reason = error.strerror or str(error)
    if error.errno in (errno.EACCES, errno.EPERM):
        reason += _owner(path)
    return f"{reason}; {_REMEDIES[error.errno]}" if error.errno in _REMEDIES else reason


def _owner(path: Path) -> str:
    """Whose the nearest part of a path is that can be looked at, if it is not ours."""
    for place in (path, *path.parents):
        try:
            owner = place.stat().st_uid
        except OSError:
            continue
        ours = os.geteuid()
        return "" if owner == ours else f", since {place} is of {_user(owner)} and this is {_user(ours)}"
    return ""


def _user(number: int) -> str:
    try:
        return pwd.getpwuid(number).pw_name
    except KeyError:
        return f"user {number}"
