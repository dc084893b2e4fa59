"""The files of a report: their names, compared with what is there, and written where they differ."""

from collections.abc import Iterable, Mapping
from pathlib import Path

from repro.store.files import atomic_write

RUNS_CSV = "runs.csv"
IMAGES_CSV = "images.csv"
SERVER_CSV = "server.csv"
INDEX = "index.html"
AUDIT = "audit.md"

SUFFIXES = frozenset({".md", ".csv", ".tex"})


def table_file(scale: str, table: str, kind: str) -> str:
    """The file of a table such as vortex/table1 at a scale; `kind` is md, csv or tex."""
    return f"{scale}/{table}.{kind}"


def claims_file(scale: str, table: str) -> str:
    """The claims of a table at a scale, one line per comparison."""
    return table_file(scale, table, "claims.csv")


def readings_file(scale: str, paper: str) -> str:
    """The page on what the open readings of a paper do at a scale."""
    return f"{scale}/{paper}/ledger.md"


def document_file(scale: str) -> str:
    """The document with all tables of a scale."""
    return f"{scale}/tables.tex"


def differing(folder: Path, files: Mapping[str, str]) -> dict[str, str]:
    """Files that are not as they should be: their paths, each with `missing` or `differs`."""
    found = {}
    for name, text in files.items():
        try:
            same = (folder / name).read_bytes() == text.encode()
        except FileNotFoundError:
            found[name] = "missing"
        except OSError as error:
            found[name] = f"cannot be read: {error.strerror or error}"
        else:
            if not same:
                found[name] = "differs"
    return found


def superfluous(folder: Path, files: Mapping[str, str], scales: Iterable[str]) -> list[str]:
    """Paths of tables and pages below the folders of some scales that a whole report does not have any more."""
    ours = (path for scale in scales for path in (folder / scale).rglob("*") if path.suffix in SUFFIXES)
    return sorted(name for path in ours if (name := path.relative_to(folder).as_posix()) not in files)


def write(folder: Path, files: Mapping[str, str]) -> int:
    """Brings a folder level with the files and returns how many had to be written."""
    changed = differing(folder, files)
    for name in changed:
        atomic_write(folder / name, files[name])
    return len(changed)
