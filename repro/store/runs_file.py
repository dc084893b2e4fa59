"""runs.csv as it lies on disk: its lines with their numbers, and what is wrong with it, sentence by sentence."""

import csv
import json
import math
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, get_type_hints

from repro.store.record import Names, Scores
from repro.store.runs_csv import COLUMNS, LATER_COLUMNS, TYPES, ClassScores, Recorded, different_fields

BYTE_ORDER_MARK = "\ufeff"
MERGE_MARKERS = ("<<<<<<<", "|||||||", "=======", ">>>>>>>")
"""How a line begins that a version control system leaves where two sides have changed the same place."""

_IDENTITY = re.compile(r"[0-9a-f]{16}")


@dataclass(frozen=True)
class RunsFile:
    """What a runs.csv holds.

    Attributes:
        path: of the file.
        lines: evaluation id to its line.
        numbers: evaluation id to the number of its line, the first being 1.
        problems: a sentence for each line that is wrong, and whose content counts for nothing.
        repairs: a sentence for each fault that takes nothing away; written anew, the file is without it.
    """

    path: Path
    lines: dict[str, Recorded] = field(default_factory=dict)
    numbers: dict[str, int] = field(default_factory=dict)
    problems: list[str] = field(default_factory=list)
    repairs: list[str] = field(default_factory=list)

    def place(self, number: int) -> str:
        """File and line, as sentences begin."""
        return f"{self.path}:{number}"


def read_runs(path: Path) -> RunsFile:
    """Reads a runs.csv; no file means no lines."""
    found = RunsFile(path)
    try:
        text = path.read_bytes().decode()
    except FileNotFoundError:
        return found
    except (OSError, ValueError) as error:
        found.problems.append(f"{path} cannot be read: {error}")
        return found
    if text.startswith(BYTE_ORDER_MARK):
        text = text.removeprefix(BYTE_ORDER_MARK)
        found.repairs.append(f"{found.place(1)}: a byte order mark stands before the head line; save the file as UTF-8 "
                             "without one, or let a report write it anew")  # fmt: skip
    whole = text.endswith("\n")
    rows = text.removesuffix("\n").split("\n")
    if returns := [number for number, row in enumerate(rows, 1) if row.endswith("\r")]:
        found.repairs.append(f"{found.place(returns[0])}: {len(returns)} of {len(rows)} lines end with a carriage "
                             "return (CRLF), as an editor or git's autocrlf writes them; lines here end with LF, and a "
                             "report writes them so")  # fmt: skip
    _Reading(found, len(rows), whole).take([row.removesuffix("\r") for row in rows])
    return found


class _Reading:
    """Takes in the rows of a file one by one, since no field of it spans several."""

    def __init__(self, found: RunsFile, count: int, whole: bool) -> None:
        self._found, self._count, self._whole = found, count, whole
        self._columns: tuple[str, ...] = ()
        self._twice: set[str] = set()

    def take(self, rows: Sequence[str]) -> None:
        for number, row in enumerate(rows, 1):
            fault = self._fault(number, row)
            if fault:
                self._found.problems.append(f"{self._found.place(number)}: {fault}")
            if not self._columns and not row.startswith(MERGE_MARKERS):
                return  # without a head line nothing says what the others hold
        for evaluation_id in self._twice:
            del self._found.lines[evaluation_id], self._found.numbers[evaluation_id]
        if not self._whole and not self._found.problems:
            self._found.repairs.append(f"{self._found.place(self._count)}: the last line has no end; its "
                                       "fields are whole, and a report writes it anew")  # fmt: skip

    def _fault(self, number: int, row: str) -> str:
        if row.startswith(MERGE_MARKERS):
            return (f"{row[:7]} is the mark of a merge conflict; keep the lines of both sides, delete the marks, and "
                    "the next report puts the lines in order")  # fmt: skip
        if not row:
            return "the line is empty; delete it"
        cut = number == self._count and not self._whole
        try:
            (fields,) = csv.reader([row], strict=True)
        except csv.Error as error:
            return _cut(row) if cut else f"the line is no CSV: {error}"
        if fields[:1] == [COLUMNS[0]] or not self._columns:
            return self._head(fields)
        if cut and len(fields) < len(self._columns):
            return _cut(row)
        try:
            self._keep(number, parsed(self._columns, fields))
        except ValueError as error:
            return str(error)
        return ""

    def _head(self, fields: Sequence[str]) -> str:
        if tuple(fields) != tuple(name for name in COLUMNS if name in fields or name not in LATER_COLUMNS):
            return f"the head line must be {','.join(COLUMNS)}"
        again, self._columns = bool(self._columns), tuple(fields)
        return "a second head line; delete it" if again else ""

    def _keep(self, number: int, line: Recorded) -> None:
        evaluation_id = line.evaluation_id
        first = self._found.numbers.get(evaluation_id)
        if first is None:
            self._found.lines[evaluation_id], self._found.numbers[evaluation_id] = line, number
            return
        other = different_fields(self._found.lines[evaluation_id], line)
        if not other:
            self._found.repairs.append(f"{self._found.place(number)}: evaluation {evaluation_id} is there twice, the "
                                       f"same as in line {first}; one counts")  # fmt: skip
            return
        self._twice.add(evaluation_id)
        raise ValueError(f"evaluation {evaluation_id} is there twice, with another {', '.join(other)} than in line "
                         f"{first}; neither counts until one is deleted")  # fmt: skip


def _cut(row: str) -> str:
    return (f"the last line breaks off after {row[-20:]!r}, since the file was not written to its end; delete the "
            "line, and a report adds it from its run folder, or take it from an earlier file")  # fmt: skip


def parsed(columns: Sequence[str], fields: Sequence[str]) -> Recorded:
    """A line from the text of its fields.

    Raises:
        ValueError: a sentence about the first field that is wrong.
    """
    if len(fields) != len(columns):
        raise ValueError(f"the line has {len(fields)} fields, not {len(columns)}")
    values: dict[str, Any] = {}
    for name, text in zip(columns, fields, strict=True):
        try:
            values[name] = _value(TYPES[name], text)
        except ValueError as error:
            raise ValueError(f"{name} is {text[:60]!r}, which is no {_KINDS[TYPES[name]]}") from error
    for name in ("evaluation_id", "run_id"):
        if not _IDENTITY.fullmatch(values[name]):
            raise ValueError(f"{name} is {values[name][:60]!r}, which is no id of 16 hex digits")
    names: Any
    scores: Any
    names, scores = (
        kind(**{item: values.pop(item) for item in get_type_hints(kind) if item in values}) for kind in (Names, Scores)
    )
    return Recorded(names=names, scores=scores, **values)


_KINDS: dict[Any, str] = {
    str: "text", int: "whole number", float: "number", int | None: "whole number", float | None: "number",
    bool | None: "true or false", ClassScores: "JSON object of class to score",
}  # fmt: skip


def _value(kind: Any, text: str) -> Any:
    if kind is str:
        return text
    if kind is int:
        return int(text)
    if kind is float:
        return _finite(float(text))
    if kind == ClassScores:
        return _scores(text)
    if text == "":
        return None
    if kind == bool | None:
        return {"true": True, "false": False}[text] if text in ("true", "false") else _refuse(text)
    return int(text) if kind == int | None else _finite(float(text))


def _scores(text: str) -> ClassScores:
    content = json.loads(text)
    if not isinstance(content, dict):
        _refuse(text)
    return {str(name): None if value is None else _finite(value) for name, value in content.items()}


def _finite(value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not math.isfinite(value):
        _refuse(value)
    return float(value)


def _refuse(value: Any) -> None:
    raise ValueError(f"{value!r} does not fit")
