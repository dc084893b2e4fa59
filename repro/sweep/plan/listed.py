"""The committed list of records as a report believes it: what contradicts itself there counts as not recorded."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from repro.errors import StoreError
from repro.report.audit.contradiction import OwnFinding
from repro.report.audit.own import audit_lines, audit_together, origins
from repro.report.audit.own_lines import Known
from repro.store.reports import RUNS_CSV
from repro.store.runs_csv import Recorded
from repro.store.runs_file import read_runs
from repro.sweep.plan.words import headed


@dataclass(frozen=True)
class Listed:
    """What the list holds.

    Attributes:
        evaluations: by their ids; only those that a report would count.
        findings: contradictions of the others.
    """

    evaluations: dict[str, Recorded] = field(default_factory=dict)
    findings: tuple[OwnFinding, ...] = ()

    def lines(self, missing: Iterable[str]) -> Iterator[str]:
        """What to say where evaluations are missing that the list has, but in lines that contradict themselves."""
        wanted = set(missing)
        found = [item for item in self.findings if item.evaluation_id in wanted]
        if found:
            more = len({item.evaluation_id for item in found}) - 1
            others = f", as is true of {more} more" if more else ""
            yield from headed("list", f"{found[0]}: evaluation {found[0].evaluation_id} counts as not recorded{others}")


class RecordsList:
    """Reads the list, and again only after it has changed: each line of it is held against the configuration.

    Args:
        reports: the folder that it lies in.
        known: what its lines are held against.
    """

    def __init__(self, reports: Path, known: Known) -> None:
        self._path, self._known = reports / RUNS_CSV, known
        self._stamp: tuple[int, ...] | None = None
        self._listed = Listed()

    def read(self) -> Listed:
        """What the list holds now; no file means nothing.

        Raises:
            StoreError: the file cannot be read, or is no such list.
        """
        stamp = _stamp(self._path)
        if stamp is None or stamp != self._stamp:
            self._listed, self._stamp = self._read(), stamp
        return self._listed

    def _read(self) -> Listed:
        file = read_runs(self._path)
        if file.problems and not file.lines:
            raise StoreError(file.problems[0])
        alone = audit_lines(file, self._known)
        left = _without(file.lines, alone)
        together = audit_together(left, origins(file))
        return Listed(_without(left, together), (*alone, *together))


def _without(lines: dict[str, Recorded], findings: Iterable[OwnFinding]) -> dict[str, Recorded]:
    gone = {finding.evaluation_id for finding in findings}
    return {key: line for key, line in lines.items() if key not in gone}


def _stamp(path: Path) -> tuple[int, ...] | None:
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_ino, found.st_size, found.st_mtime_ns
