"""server.csv: scores that a test server returned, which a person enters and a report never writes."""

import csv
import io
import re
from collections.abc import Sequence
from dataclasses import dataclass, field, fields
from datetime import date
from decimal import Decimal, InvalidOperation
from pathlib import Path

_IDENTITY = re.compile(r"[0-9a-f]{16}")


@dataclass(frozen=True)
class ServerScore:
    """One score that a server returned.

    Attributes:
        table: such as gald/table7.
        row: label of the row.
        column: head of the column.
        score: in percent, with the decimals that the server gave.
        date: when it was returned.
        server: which server.
        run_id: of the run whose predictions were handed in.
    """

    table: str
    row: str
    column: str
    score: Decimal
    date: date
    server: str
    run_id: str


COLUMNS = tuple(item.name for item in fields(ServerScore))


@dataclass(frozen=True)
class ServerFile:
    """What a server.csv holds.

    Attributes:
        path: of the file.
        lines: number of a line, the first being 1, to its score.
        problems: a sentence for each line that is wrong and counts for nothing.
    """

    path: Path
    lines: dict[int, ServerScore] = field(default_factory=dict)
    problems: list[str] = field(default_factory=list)


def read_server_csv(path: Path) -> ServerFile:
    """Reads a server.csv; no file means no scores."""
    found = ServerFile(path)
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        return found
    except (OSError, ValueError) as error:
        found.problems.append(f"{path} cannot be read: {error}")
        return found
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    try:
        for values in reader:
            if reader.line_num == 1 and tuple(values) != COLUMNS:
                found.problems.append(f"{path}:1: the head line must be {','.join(COLUMNS)}")
                return found
            if reader.line_num > 1:
                _take(found, reader.line_num, values)
    except csv.Error as error:
        found.problems.append(f"{path}:{reader.line_num}: {error}")
    return found


def _take(found: ServerFile, number: int, values: Sequence[str]) -> None:
    try:
        found.lines[number] = _parsed(values)
    except ValueError as error:
        found.problems.append(f"{found.path}:{number}: {error}")


def _parsed(values: Sequence[str]) -> ServerScore:
    if len(values) != len(COLUMNS):
        raise ValueError(f"the line has {len(values)} fields, not {len(COLUMNS)}")
    given = dict(zip(COLUMNS, values, strict=True))
    if empty := [name for name in ("table", "row", "column", "server") if not given[name].strip()]:
        raise ValueError(f"{empty[0]} is empty")
    if not _IDENTITY.fullmatch(given["run_id"]):
        raise ValueError(f"run_id is {given['run_id'][:60]!r}, which is no id of 16 hex digits")
    score, day = _score(given.pop("score")), _day(given.pop("date"))
    return ServerScore(**given, score=score, date=day)


def _score(text: str) -> Decimal:
    try:
        score = Decimal(text)
    except InvalidOperation:
        score = Decimal("NaN")
    if not (score.is_finite() and 0 <= score <= 100):
        raise ValueError(f"score is {text[:60]!r}, which is no percentage; it lies within 0 to 100")
    return score


def _day(text: str) -> date:
    try:
        day = date.fromisoformat(text)
    except ValueError:
        day = None
    if day is None or str(day) != text:  # what Python reads has forms that nobody else does
        raise ValueError(f"date is {text[:60]!r}, which is no day such as 2026-11-30")
    return day
