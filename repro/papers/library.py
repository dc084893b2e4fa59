"""Everything that lies below `sweeps/`: papers, tables, ledgers, scales; a broken file is a problem, never the end."""

import re
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from functools import lru_cache
from pathlib import Path

from repro.errors import ConfigError, hint
from repro.papers.address import Address
from repro.papers.cited import CitedNote, check_cited, read_cited
from repro.papers.draft import Drafts, read_draft
from repro.papers.ledger import Ledger, read_ledger
from repro.papers.located import SpecError, check_keys, mapping_of, read_yaml, text_of
from repro.papers.read import TableReader
from repro.papers.scale import Scale, read_scale
from repro.papers.table import Cell, Table

SCALES = "scales"


@dataclass(frozen=True)
class Paper:
    """A paper: who, when, where, and what its own rows need that is not built yet (override or metric -> words).

    `cited` is what it says of rows that it cites.
    """

    name: str
    title: str
    authors: str
    year: str
    venue: str
    not_built: dict[str, str]
    cited: tuple[CitedNote, ...] = ()
    file: Path = Path()


@dataclass(frozen=True)
class Library:
    """All papers of one or several sweeps folders.

    Attributes:
        papers: folder name to paper.
        tables: such as vortex/table1 to table, in printed order.
        ledgers: folder name to ledger.
        scales: name to scale.
        problems: one error for each file that could not be used.
    """

    papers: dict[str, Paper] = field(default_factory=dict)
    tables: dict[str, Table] = field(default_factory=dict)
    ledgers: dict[str, Ledger] = field(default_factory=dict)
    scales: dict[str, Scale] = field(default_factory=dict)
    problems: list[SpecError] = field(default_factory=list)

    def copy(self) -> "Library":
        """One that further papers may be added to."""
        return Library(dict(self.papers), dict(self.tables), dict(self.ledgers), dict(self.scales), list(self.problems))

    def matching(self, patterns: str | Iterable[str]) -> list[Table]:
        """The tables whose key matches one of the patterns, such as vortex/table1 or */table1*.

        Raises:
            ConfigError: a pattern matches none; with the nearest names, or what is wrong with the table's file.
        """
        found: dict[str, Table] = {}
        for pattern in [patterns] if isinstance(patterns, str) else patterns:
            full = pattern if "/" in pattern else f"*/{pattern}"
            matched = {key: table for key, table in self.tables.items() if fnmatchcase(key, full)}
            if not matched:
                raise self._unknown_table(pattern)
            found |= matched
        return [table for key, table in self.tables.items() if key in found]

    def scale(self, name: str) -> Scale:
        """The scale of a name; raises `ConfigError` with the nearest names if there is none."""
        if name not in self.scales:
            raise ConfigError(f"there is no scale {name}{hint(name, sorted(self.scales))}")
        return self.scales[name]

    def cell(self, address: Address) -> Cell:
        """The cell at an address."""
        return self.tables[address.table].rows[address.row].cells[address.column]

    def _unknown_table(self, pattern: str) -> ConfigError:
        for problem in self.problems:
            if fnmatchcase(f"{problem.file.parent.name}/{problem.file.stem}", pattern):
                return ConfigError(str(problem))
        names = [*self.tables, *(key.partition("/")[2] for key in self.tables)]
        right = hint(pattern, names, otherwise=f"there are {', '.join(self.tables)}", most=3)
        return ConfigError(f"there is no table {pattern}{right}")


def sweeps_folder() -> Path:
    """The folder of the papers: `sweeps/` of a checkout, or its copy inside an installed package."""
    packaged = Path(__file__).parent.parent / "_sweeps"
    return packaged if packaged.is_dir() else Path(__file__).parent.parent.parent / "sweeps"


def load_papers(folders: Sequence[Path] = ()) -> Library:
    """Reads the papers that come with the package and those of further folders of the same form.

    Those of the package are read once in a process, until one of their files changes.

    Raises:
        ConfigError: a folder is not there.
    """
    for folder in [sweeps_folder(), *folders]:
        if not folder.is_dir():
            raise ConfigError(f"there is no folder {folder} of papers")
    library, drafts = _of_the_package(_state_of(sweeps_folder()))
    further = [path for folder in folders for path in _directories_in(folder)]
    return _read_directories(further, library.copy(), dict(drafts))


def load_paper(directory: Path) -> Library:
    """Reads one paper's folder with the papers of the package; it takes the place of the one of its name."""
    own = directory.resolve()
    packaged = (path for path in _directories_in(sweeps_folder()) if path.name != own.name)
    return _read_directories([*packaged, own], Library(), {})


def _directories_in(folder: Path) -> list[Path]:
    return sorted(path for path in folder.iterdir() if path.is_dir())


def _state_of(folder: Path) -> tuple[tuple[Path, int, int], ...]:
    """The files of every paper in a folder, each with its size and the time of its last change."""
    files = [file for directory in _directories_in(folder) for file in sorted(directory.glob("*.yaml"))]
    return tuple((file, stat.st_size, stat.st_mtime_ns) for file in files if (stat := file.stat()))


@lru_cache(maxsize=4)
def _of_the_package(state: tuple[tuple[Path, int, int], ...]) -> tuple[Library, Drafts]:
    library, drafts = Library(), Drafts()
    return _read_directories(dict.fromkeys(file.parent for file, *_ in state), library, drafts), drafts


def _read_directories(directories: Iterable[Path], library: Library, drafts: Drafts) -> Library:
    """Adds papers to a library and their drafts to those that it was read from."""
    before = {*drafts, *library.papers}
    for directory in directories:
        for file in sorted(directory.glob("*.yaml"), key=_printed_order):
            try:
                _read_file(file, library, drafts)
            except SpecError as error:
                library.problems.append(error)
    for key, draft in drafts.items():
        try:
            if key not in before:
                library.tables[key] = TableReader(draft, drafts).read()
        except SpecError as error:
            library.problems.append(error)
    for name, paper in library.papers.items():
        try:
            if name not in before:
                check_cited(paper.file, name, paper.cited, library.tables)
        except SpecError as error:
            library.problems.append(error)
    return library


def _read_file(file: Path, library: Library, drafts: Drafts) -> None:
    folder = file.parent.name
    kinds: dict[str, Collection[str]] = {"ledger": library.ledgers, "paper": library.papers}
    taken = library.scales if folder == SCALES else kinds.get(file.stem, ())
    name = file.stem if folder == SCALES else folder
    if name in taken:
        raise SpecError(file, 1, f"there is another {file.stem} of {folder} already; it needs a name of its own")
    if folder == SCALES:
        library.scales[name] = read_scale(file)
    elif file.stem == "ledger":
        library.ledgers[name] = read_ledger(file)
    elif file.stem == "paper":
        library.papers[name] = _read_paper(file)
    else:
        draft = read_draft(file)
        if draft.key in drafts:
            raise SpecError(file, 1, f"{draft.key} is also {drafts[draft.key].file}; a paper needs a name of its own")
        drafts[draft.key] = draft


def _read_paper(file: Path) -> Paper:
    node = read_yaml(file)
    check_keys(file, node, ("title", "authors", "year", "venue"), ("not_built", "cited"), "the paper")
    words = {key: text_of(file, node, key) for key in ("title", "authors", "year", "venue")}
    missing = mapping_of(file, node, "not_built")
    not_built = {key: text_of(file, missing, key) for key in missing}
    return Paper(file.parent.name, **words, not_built=not_built, cited=read_cited(file, node), file=file)


def _printed_order(file: Path) -> tuple[bool, int, str]:
    match = re.fullmatch(r"table(\d+)(.*)", file.stem)
    return (match is None, int(match[1]) if match else 0, match[2] if match else file.stem)
