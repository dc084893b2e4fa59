"""The audit of our own numbers: every record and every line of runs.csv, as strictly as the papers are."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from tqdm import tqdm

from repro.report.audit.contradiction import Contradiction, OwnFinding
from repro.report.audit.own_commands import recomposed
from repro.report.audit.own_lines import Known, contradictions
from repro.report.audit.own_records import line_contradictions, line_in_record, record_contradictions
from repro.report.audit.own_together import disagreements
from repro.store.record import Record
from repro.store.runs_csv import Recorded
from repro.store.runs_file import RunsFile


@dataclass(frozen=True)
class Origin:
    """Where an evaluation was read.

    Attributes:
        file: a runs.csv, a record, or the address of a server.
        line: in runs.csv; 0 elsewhere.
        is_record: whether the file is a record, whose lines can be looked up.
    """

    file: str
    line: int = 0
    is_record: bool = False

    def findings(self, evaluation_id: str, found: Iterable[Contradiction]) -> list[OwnFinding]:
        """Contradictions with their places."""
        return [OwnFinding(self.file, self._line_of(item.column), evaluation_id, item) for item in found]

    def _line_of(self, column: str) -> int:
        return line_in_record(Path(self.file), column) if self.is_record else self.line


def origins(file: RunsFile) -> dict[str, Origin]:
    """Evaluation id to its line."""
    return {key: Origin(str(file.path), number) for key, number in file.numbers.items()}


def audit_lines(file: RunsFile, known: Known) -> list[OwnFinding]:
    """Every line by itself."""
    places = origins(file)
    return [
        finding
        for key, line in file.lines.items()
        for finding in places[key].findings(key, contradictions(line, known))
    ]


def audit_record(record: Record, matrix: np.ndarray | None, origin: Origin, known: Known) -> list[OwnFinding]:
    """A record by itself, with its matrix `[C, C]` if that is at hand."""
    return origin.findings(record.evaluation_id, record_contradictions(record, matrix, known))


def audit_against_records(
    file: RunsFile, held: Mapping[str, Recorded], places: Mapping[str, Origin]
) -> list[OwnFinding]:
    """Lines that are not what the records say that they were made of."""
    lines = origins(file)
    return [
        finding
        for key, line in file.lines.items()
        if key in held
        for finding in lines[key].findings(key, line_contradictions(line, held[key], places[key].file))
    ]


def audit_together(evaluations: Mapping[str, Recorded], places: Mapping[str, Origin]) -> list[OwnFinding]:
    """Evaluations against each other."""
    return [finding for key, item in disagreements(evaluations) for finding in places[key].findings(key, [item])]


def audit_commands(
    evaluations: Mapping[str, Recorded], places: Mapping[str, Origin]
) -> tuple[list[OwnFinding], list[str]]:
    """Every command composed again, and a sentence on each that could not be."""
    findings: list[OwnFinding] = []
    notes = []
    for key, line in tqdm(evaluations.items(), desc="commands", unit="command", disable=None, leave=False):
        came = recomposed(line)
        findings += places[key].findings(key, came.contradictions)
        if came.note:
            place = places[key]
            notes.append(f"{place.file}:{max(place.line, 1)}: evaluation {key} is not recomposed: {came.note}")
    return findings, notes
