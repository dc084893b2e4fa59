"""The command line of a sweep -> a checked request and its tables; loads no torch, so mistakes are told at once."""

import difflib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from repro.config.compose import compose_command
from repro.config.identity import GROUPS
from repro.errors import ConfigError
from repro.papers import Library, Table

ACTIONS = ("plan", "status", "cancel", "retry")


@dataclass(frozen=True)
class Request:
    """What was asked for, checked as far as it can be without the papers; see conf/sweep.yaml."""

    tables: tuple[str, ...]
    scale: str
    seeds: tuple[int, ...]
    submit: bool
    action: str
    ledger: str | None
    setting: str | None
    run: tuple[str, ...]
    outputs: Path
    reports: Path
    sweeps_folders: tuple[Path, ...]
    conf_folder: Path | None
    cluster: dict[str, Any]
    words: tuple[str, ...]

    def command(self, *changes: str) -> str:
        """The command as it was typed, with some settings changed; for sentences on what to do next."""
        changed = {change.partition("=")[0] for change in changes}
        changed |= {"submit"} if "action" in changed else set()
        kept = [word for word in self.words if word.partition("=")[0] not in changed]
        return " ".join(["python -m repro.sweep", *map(quoted, kept), *changes])

    @property
    def patterns(self) -> tuple[str, ...]:
        """Patterns of the tables; with `ledger` alone, those of its paper."""
        return self.tables or ((f"{self.ledger}/*",) if self.ledger else ())


def read_request(arguments: Sequence[str]) -> Request:
    """Reads the command line.

    Raises:
        ConfigError: in one sentence, with what would be right.
    """
    for argument in arguments:
        key, _, value = argument.partition("=")
        if key in ("table", "seeds") and "," in value and not value.startswith("["):
            raise ConfigError(f"{argument} is a list without brackets; write '{key}=[{value}]'")
    of_runs = [argument for argument in arguments if _group(argument) in GROUPS]
    tree = compose_command("sweep", [argument for argument in arguments if argument not in of_runs])
    action = tree["action"]
    if action not in ACTIONS:
        near = difflib.get_close_matches(str(action), ACTIONS, n=1)
        hint = f"did you mean {near[0]}?" if near else f"it can be {', '.join(ACTIONS)}"
        raise ConfigError(f"action is {action}; {hint}")
    if not isinstance(tree["submit"], bool):
        raise ConfigError(f"submit is {tree['submit']!r}; it must be true or false")
    if tree["setting"] is not None and tree["ledger"] is None:
        raise ConfigError(f"setting={tree['setting']} names a setting of a ledger; add ledger=<paper>")
    return Request(
        tables=_texts("table", tree["table"]),
        scale=str(tree["scale"]),
        seeds=_seeds(tree["seeds"]),
        submit=tree["submit"],
        action=action,
        ledger=tree["ledger"],
        setting=tree["setting"],
        run=tuple(of_runs),
        outputs=Path(tree["outputs"]),
        reports=Path(tree["reports"]),
        sweeps_folders=tuple(map(Path, _texts("sweeps_folder", tree["sweeps_folder"]))),
        conf_folder=Path(tree["conf_folder"]) if tree["conf_folder"] else None,
        cluster=tree["cluster"],
        words=tuple(arguments),
    )


def chosen_tables(request: Request, library: Library) -> list[Table]:
    """The tables asked for.

    Raises:
        ConfigError: none was named, or a name fits none; with the nearest names.
    """
    if request.ledger is not None and request.ledger not in library.ledgers:
        near = difflib.get_close_matches(request.ledger, library.ledgers, n=1)
        hint = f"did you mean {near[0]}?" if near else f"there are those of {', '.join(sorted(library.ledgers))}"
        raise ConfigError(f"there is no ledger of a paper {request.ledger}; {hint}")
    if not request.patterns:
        raise ConfigError("no table was named; write table=vortex/table1, table='vortex/*', or table='*/*' for all")
    tables = library.matching(request.patterns)
    if request.ledger is None:
        return tables
    own = [table for table in tables if table.paper == request.ledger]
    if not own:
        raise ConfigError(f"ledger={request.ledger} has no say in the tables chosen, which are of other papers")
    return own


def _seeds(value: Any) -> tuple[int, ...]:
    seeds = list(range(value)) if isinstance(value, int) and not isinstance(value, bool) else value
    whole = isinstance(seeds, list) and all(
        isinstance(seed, int) and not isinstance(seed, bool) and seed >= 0 for seed in seeds
    )
    if not whole or not seeds:
        raise ConfigError(f"seeds is {value!r}; give how many, such as seeds=3, or which, such as 'seeds=[0,2]'")
    return tuple(dict.fromkeys(seeds))


def _texts(key: str, value: Any) -> tuple[str, ...]:
    values = [] if value is None else value if isinstance(value, list) else [value]
    if not all(isinstance(item, str) for item in values):
        raise ConfigError(f"{key} is {value!r}; it must be a text or a list of texts")
    return tuple(values)


def _group(argument: str) -> str:
    """The config group of a run that a setting belongs to, if it does."""
    return argument.partition("=")[0].partition(".")[0].partition("/")[0]


def quoted(word: str) -> str:
    """A word as a shell takes it."""
    return f"'{word}'" if any(character in word for character in '*[]{}() "$&;') else word
