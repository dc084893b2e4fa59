"""A table in the form of `sweeps/`, audited with the others of its folder and the papers of the package."""

from pathlib import Path

from repro.papers import Library, SpecError
from repro.papers.library import load_paper
from repro.report.audit.checks import audit
from repro.report.audit.finding import Finding


def audit_yaml(file: Path) -> list[Finding]:
    """The findings in which a table takes part.

    Raises:
        SpecError: the file is no table of that form, with the line.
    """
    file = file.resolve()
    library = load_paper(file.parent)
    for problem in library.problems:
        if problem.file.resolve() == file:
            raise problem
    key = _key(library, file)
    return [finding for finding in audit(library) if any(place.table == key for place in finding.places)]


def _key(library: Library, file: Path) -> str:
    for key, table in library.tables.items():
        if table.file.resolve() == file:
            return key
    raise SpecError(file, 1, "is no table; ledger.yaml and paper.yaml hold no printed numbers")
