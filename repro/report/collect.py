"""All evaluations that are known: run folders, a tracking server if asked, and what runs.csv remembers.

Each is audited on its way in, and counts only if nothing in it contradicts the rest.
"""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from tqdm import tqdm

from repro.errors import StoreError
from repro.report.audit.contradiction import OwnFinding
from repro.report.audit.own import (
    Origin,
    audit_against_records,
    audit_commands,
    audit_lines,
    audit_record,
    audit_together,
    origins,
)
from repro.report.audit.own_lines import Known
from repro.store.outputs import Outputs
from repro.store.reports import RUNS_CSV
from repro.store.run_folder import RunFolder
from repro.store.runs_csv import Recorded, recorded, runs_csv
from repro.store.runs_file import RunsFile, read_runs
from repro.track import TrackingError, fetch_records


@dataclass
class Local:
    """What run folders hold.

    Attributes:
        evaluations: by their ids.
        places: of their records.
        damaged: ids of evaluations whose record cannot be read, or contradicts itself.
        problems: why not, one sentence each.
        findings: contradictions, whose sentences are among the problems.
    """

    evaluations: dict[str, Recorded] = field(default_factory=dict)
    places: dict[str, Origin] = field(default_factory=dict)
    damaged: set[str] = field(default_factory=set)
    problems: list[str] = field(default_factory=list)
    findings: list[OwnFinding] = field(default_factory=list)


@dataclass(frozen=True)
class Collected:
    """Every known evaluation that counts.

    Attributes:
        evaluations: by their ids.
        text: of runs.csv as it should be; None if it holds wrong lines and is to be left alone.
        problems: what could not be read or contradicts itself, one sentence each.
        warnings: what was amiss and takes nothing away, or was done because it was asked for.
        findings: of the audit of our own numbers.
        places: evaluation id to where it was read.
    """

    evaluations: dict[str, Recorded]
    text: str | None
    problems: tuple[str, ...]
    warnings: tuple[str, ...] = ()
    findings: tuple[OwnFinding, ...] = ()
    places: Mapping[str, Origin] = field(default_factory=dict)

    def without(self, findings: Collection[OwnFinding]) -> "Collected":
        """The same without the evaluations that these findings are about; runs.csv is left alone if it holds one."""
        if not findings:
            return self
        gone = {finding.evaluation_id for finding in findings}
        return replace(
            self,
            evaluations={key: line for key, line in self.evaluations.items() if key not in gone},
            text=None if any(self.places[key].line for key in gone & self.places.keys()) else self.text,
            problems=(*self.problems, *told(findings)),
            findings=(*self.findings, *findings),
        )

    def with_commands_audited(self) -> "Collected":
        """The same after every command has been composed again."""
        findings, notes = audit_commands(self.evaluations, self.places)
        return replace(self.without(findings), warnings=(*self.warnings, *notes))


def told(findings: Iterable[OwnFinding]) -> list[str]:
    """A sentence on each finding, with what becomes of its evaluation."""
    return [f"{item}; what stands there of evaluation {item.evaluation_id} does not count" for item in findings]


def collect(
    outputs: Outputs, reports: Path, *, server: str | None = None, prune: bool = False, known: Known | None = None
) -> Collected:
    """The union of what is known; of the same evaluation, the run folder's record counts.

    Args:
        outputs: where the runs are.
        reports: folder with runs.csv.
        server: address of a tracking store whose records are fetched if they are not here.
        prune: leave out of runs.csv what neither run folders nor the server hold.
        known: what the audit holds evaluations against.
    """
    known = known or Known()
    file = read_runs(reports / RUNS_CSV)
    local = read_local(outputs, known)
    if server is not None and not _fetched(server, local, known, local.evaluations if prune else file.lines):
        prune = False  # what a server out of reach holds is not known
    if prune and file.lines and not local.evaluations.keys() | local.damaged:
        local.problems.append(f"{file.path}: prune=true would drop all {len(file.lines)} lines, since {outputs.root} "
                              "has no record; nothing is dropped. Name the folder of the runs as outputs=")  # fmt: skip
        prune = False
    held, of_lines = local.evaluations, audit_lines(file, known)
    wrong = [finding for finding in of_lines if finding.evaluation_id not in held]
    edited = audit_against_records(file, held, local.places)
    contradicting = {finding.evaluation_id for finding in wrong}
    old = {key: line for key, line in file.lines.items() if key not in contradicting}
    everything = united(held, old, keep=local.damaged if prune else old.keys())
    dropped = [key for key in file.lines if prune and key not in everything]
    found = Collected(
        everything,
        text=runs_csv(everything.values()) if prune or not (wrong or file.problems) else None,
        problems=(*file.problems, *local.problems, *told(wrong), *(f"{item}; the record counts" for item in edited)),
        warnings=(*file.repairs, *(_dropped(file, key) for key in dropped)),
        findings=(*local.findings, *wrong, *edited),
        places=origins(file) | local.places,
    )
    return found.without(audit_together(everything, found.places))


def remembered(reports: Path, known: Known | None = None) -> Collected:
    """What runs.csv alone gives; its text is None if it is missing or holds wrong lines."""
    file = read_runs(reports / RUNS_CSV)
    text = None if file.problems else runs_csv(file.lines.values())
    found = Collected(dict(file.lines), text, tuple(file.problems), tuple(file.repairs), (), origins(file))
    found = found.without(audit_lines(file, known or Known()))
    return found.without(audit_together(found.evaluations, found.places))


def united(held: Mapping[str, Recorded], old: Mapping[str, Recorded], keep: Collection[str]) -> dict[str, Recorded]:
    """Evaluations that are held now, and those old ones that are to be kept."""
    return {key: line for key, line in old.items() if key in keep} | dict(held)


def read_local(outputs: Outputs, known: Known | None = None) -> Local:
    """The records of all run folders; a damaged or contradictory one is named and does not keep the others out."""
    local = Local()
    folders = list(outputs.runs())
    for folder in tqdm(folders, desc="records", unit="run", disable=None, leave=False):
        for evaluation_id in folder.evaluation_ids():
            _read_one(folder, evaluation_id, local, known or Known())
    return local


def _read_one(folder: RunFolder, evaluation_id: str, local: Local, known: Known) -> None:
    try:
        record = folder.read_record(evaluation_id)
        matrix = folder.read_confusion(record)
        folder.read_image_confusions(record)  # for what is wrong with them
        place = Origin(str(folder.record_path(evaluation_id)), is_record=True)
        findings = audit_record(record, matrix, place, known)
    except StoreError as error:
        local.damaged.add(evaluation_id)
        local.problems.append(str(error))
        return
    _take(evaluation_id, recorded(record), place, findings, local)


def _take(evaluation_id: str, line: Recorded, place: Origin, findings: list[OwnFinding], local: Local) -> None:
    if findings:
        local.damaged.add(evaluation_id)
        local.problems += told(findings)
        local.findings += findings
        return
    local.evaluations[evaluation_id] = line
    local.places[evaluation_id] = place


def _fetched(server: str, local: Local, known: Known, others: Collection[str]) -> bool:
    """Adds the records that a server has and this machine lacks; whether the server could be asked."""
    try:
        fetched, trouble = fetch_records(server, local.evaluations.keys() | set(others))
    except TrackingError as error:
        local.problems.append(str(error))
        return False
    for record in fetched:
        place = Origin(f"{server}, evaluation {record.evaluation_id}")
        findings = audit_record(record, None, place, known)
        _take(record.evaluation_id, recorded(record), place, findings, local)
    local.problems += trouble
    return True


def _dropped(file: RunsFile, key: str) -> str:
    line = file.lines[key]
    return (f"{file.place(file.numbers[key])}: evaluation {key} ({line.names.head}, seed {line.seed}, scale "
            f"{line.scale}) is dropped from the list, since no run folder holds its record")  # fmt: skip
