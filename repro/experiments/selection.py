"""Which tables a command is about, at which scale, and where their files and runs lie; read the same way by all."""

from dataclasses import dataclass
from pathlib import Path

from repro.config.command import Given
from repro.errors import ConfigError, hint
from repro.papers import Library, Table, load_papers
from repro.store.outputs import Outputs


@dataclass(frozen=True)
class Selection:
    """What was chosen.

    Attributes:
        paper: the one paper whose tables are meant; None for all.
        tables: keys or patterns, such as vortex/table1 or gald/table1*; empty for all.
        scale: name of a scale; None where the command finds it out.
        outputs: where the runs are.
        reports: where runs.csv and the tables are.
        sweeps_folders: folders with papers of the user's own, in the form of sweeps/.
        conf_folder: a folder with config groups of the user's own, in the form of conf/.
    """

    paper: str | None
    tables: tuple[str, ...]
    scale: str | None
    outputs: Outputs
    reports: Path
    sweeps_folders: tuple[Path, ...]
    conf_folder: Path | None

    def library(self) -> Library:
        """The papers, those of the user's own included."""
        return load_papers(self.sweeps_folders)

    @property
    def patterns(self) -> tuple[str, ...]:
        """Patterns of the tables, with the paper where nothing else was said."""
        return self.tables or ((f"{self.paper}/*",) if self.paper else ())

    def tables_of(self, library: Library) -> list[Table]:
        """The tables chosen, in printed order.

        Raises:
            ConfigError: there is no such paper or table, or none that is both.
        """
        if self.paper is not None:
            self._check_paper(library, self.paper)
        tables = library.matching(self.tables) if self.tables else list(library.tables.values())
        chosen = [table for table in tables if self.paper in (None, table.paper)]
        if not chosen:
            raise ConfigError(f"no table of {self.paper} is called {', '.join(self.tables)}")
        return chosen

    @staticmethod
    def _check_paper(library: Library, paper: str) -> None:
        papers = list(dict.fromkeys(table.paper for table in library.tables.values()))
        if paper in papers:
            return
        for problem in library.problems:
            if problem.file.parent.name == paper:
                raise ConfigError(str(problem))
        raise ConfigError(f"there is no paper {paper}{hint(paper, papers)}")


def read_selection(given: Given, *, paper: str | None) -> Selection:
    """The selection of a command line.

    Args:
        given: the settings of the command.
        paper: the one paper that it is about, under whichever name the command takes it.

    Raises:
        ConfigError: a setting is of a wrong kind.
    """
    return Selection(
        paper=paper,
        tables=given.texts("table"),
        scale=given.optional_text("scale"),
        outputs=Outputs(given.path("outputs")),
        reports=given.path("reports"),
        sweeps_folders=tuple(map(Path, given.texts("sweeps_folder"))),
        conf_folder=given.optional_path("conf_folder"),
    )
