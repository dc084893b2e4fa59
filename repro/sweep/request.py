"""The command line of a sweep -> a checked request; loads no torch, so mistakes are told at once."""

import shlex
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from repro.config.command import Given, compose_command
from repro.config.identity import FORCE, GROUPS
from repro.errors import ConfigError, hint
from repro.experiments.selection import Selection, read_selection
from repro.papers import Library, Table
from repro.sweep.clusters.slurm.settings import SlurmSettings, read_slurm


class Action(StrEnum):
    """What is to be done about a plan."""

    PLAN = "plan"
    STATUS = "status"
    CANCEL = "cancel"
    RETRY = "retry"
    DOCTOR = "doctor"


class ClusterKind(StrEnum):
    """Where jobs are carried out."""

    INLINE = "inline"
    LOCAL = "local"
    SLURM = "slurm"


@dataclass(frozen=True)
class ClusterSettings:
    """The group `cluster`.

    Attributes:
        kind: where jobs are carried out.
        slots: jobs at a time; None: one per GPU, or one.
        refresh_seconds: between two looks at the progress of the jobs.
        slurm: what SLURM is asked for, where it is the cluster.
        processes: that carry each job out together.
    """

    kind: ClusterKind
    slots: int | None = None
    refresh_seconds: float = 2.0
    slurm: SlurmSettings | None = None
    processes: int = 1


AUTO = "auto"
"""As many seeds as decide the claims, by looks at fixed numbers."""


@dataclass(frozen=True)
class Assumptions:
    """What is assumed to tell how many claims so many seeds decide.

    Attributes:
        spread: standard deviation of a score over seeds, in points; None: as measured so far.
        paired_spread: of the difference of two scores of one run; None: as measured so far.
        effect: points that every claim is about; None: as printed, at the paper's scale alone.
        shows_claims: whether each claim is shown by itself.
    """

    spread: float | None = None
    paired_spread: float | None = None
    effect: float | None = None
    shows_claims: bool = False


@dataclass(frozen=True)
class Request:
    """What was asked for, checked as far as it can be without the papers; see conf/sweep.yaml.

    Attributes:
        selection: which tables, and where things are; its paper is the ledger's.
        scale: name of the scale.
        seeds: which; None: as many as decide the claims.
        run: settings for every run.
        words: the command line as it was typed.
        jobs_shown: of each state in a status; None: all.
    """

    selection: Selection
    scale: str
    seeds: tuple[int, ...] | None
    assumptions: Assumptions
    submit: bool
    action: Action
    setting: str | None
    run: tuple[str, ...]
    cluster: ClusterSettings
    words: tuple[str, ...]
    jobs_shown: int | None = None

    @property
    def ledger(self) -> str | None:
        """The paper whose open readings are swept; None for its tables as we read them."""
        return self.selection.paper

    @property
    def is_carried_out(self) -> bool:
        """Whether something is to be trained, not only to be shown."""
        return self.action is Action.RETRY or (self.submit and self.action is Action.PLAN)

    def command(self, *changes: str) -> str:
        """The command as it was typed, with some settings changed; for sentences on what to do next."""
        changed = {change.partition("=")[0] for change in changes}
        changed |= {"submit"} if "action" in changed else set()
        kept = [word for word in self.words if word.partition("=")[0] not in changed]
        return " ".join(["python -m repro.sweep", *map(quoted, kept), *changes])

    def report_command(self) -> str:
        """The command that shows the results of the tables asked for."""
        shared = ("outputs", "reports", "sweeps_folder", "conf_folder")
        tables = self.selection.patterns
        chosen = f"table={tables[0]}" if len(tables) == 1 else f"table=[{','.join(tables)}]"
        words = [chosen, f"scale={self.scale}", *(word for word in self.words if word.partition("=")[0] in shared)]
        return " ".join(["python -m repro.report", *map(quoted, words)])

    def tables_of(self, library: Library) -> list[Table]:
        """The tables asked for.

        Raises:
            ConfigError: none was named, or a name fits none; with the nearest names.
        """
        if self.ledger is not None and self.ledger not in library.ledgers:
            right = hint(self.ledger, library.ledgers, otherwise=f"there are those of {', '.join(library.ledgers)}")
            raise ConfigError(f"there is no ledger of a paper {self.ledger}{right}")
        if not self.selection.patterns:
            raise ConfigError("no table was named; write table=vortex/table1, table='vortex/*', or table='*/*' for all")
        tables = self.selection.tables_of(library)
        if self.seeds is None and len(tables) > 1:
            raise ConfigError(f"seeds=auto takes one table at a time, since each has claims of its own; {len(tables)} "
                              f"were chosen, such as {tables[0].key}")  # fmt: skip
        return tables


def read_request(arguments: Sequence[str]) -> Request:
    """Reads the command line.

    Raises:
        ConfigError: in one sentence, with what would be right.
    """
    of_runs = [argument for argument in arguments if _group(argument) in GROUPS]
    if any(argument.lstrip("+").partition("=")[0] == FORCE for argument in arguments):
        raise ConfigError(
            f"{FORCE} is a setting of one run: the command of a sweep is given again until all is there, and would "
            "begin anew what it has just repeated; repeat single runs by their commands in runs.csv, or a whole table "
            "into another folder with outputs=FOLDER"
        )
    given = compose_command("sweep", [argument for argument in arguments if argument not in of_runs])
    ledger, setting = given.optional_text("ledger"), given.optional_text("setting")
    if setting is not None and ledger is None:
        raise ConfigError(f"setting={setting} names a setting of a ledger; add ledger=<paper>")
    return Request(
        selection=read_selection(given, paper=ledger),
        scale=given.text("scale"),
        seeds=_seeds(given, ledger),
        assumptions=Assumptions(
            given.optional_positive("planning.spread"),
            given.optional_positive("planning.paired_spread"),
            given.optional_positive("planning.effect"),
            given.flag("planning.claims"),
        ),
        submit=given.flag("submit"),
        action=given.word("action", Action),
        setting=setting,
        run=tuple(of_runs),
        cluster=_cluster(given),
        words=tuple(arguments),
        jobs_shown=given.optional_count("jobs_shown"),
    )


def _seeds(given: Given, ledger: str | None) -> tuple[int, ...] | None:
    if given.leaves["seeds"] != AUTO:
        return given.numbers("seeds", "how many, such as seeds=3, which, such as 'seeds=[0,2]', or seeds=auto")
    if ledger is not None:
        raise ConfigError("seeds=auto goes by the claims of a table, and a ledger has none; give how many: seeds=3")
    return None


def _cluster(given: Given) -> ClusterSettings:
    kind = given.word("cluster.kind", ClusterKind)
    if kind is ClusterKind.INLINE:
        return ClusterSettings(kind)
    if kind is ClusterKind.SLURM:
        return ClusterSettings(kind, slurm=read_slurm(given))
    return ClusterSettings(
        kind,
        given.optional_count("cluster.slots"),
        given.positive("cluster.refresh_seconds"),
        processes=given.optional_count("cluster.processes") or 1,
    )


def _group(argument: str) -> str:
    """The config group of a run that a setting belongs to, if it does."""
    return argument.partition("=")[0].partition(".")[0].partition("/")[0]


def quoted(word: str) -> str:
    """A word as a shell takes it."""
    if not any(character in word for character in "*[]{}() '\"$&;"):
        return word
    return f'"{word}"' if "'" in word and not any(character in word for character in '"$`\\') else shlex.quote(word)
