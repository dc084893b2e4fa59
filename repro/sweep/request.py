"""The command line of a sweep -> a checked request, and the cells that it asks for."""

import difflib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from repro.compose import compose_command
from repro.errors import ConfigError
from repro.experiments import Measurements, measurements
from repro.experiments.alternatives import alternatives
from repro.papers import Library, Table
from repro.sweep.plan import Wanted

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
        kept = [word for word in self.words if word.partition("=")[0] not in changed]
        return " ".join(["python -m repro.sweep", *map(_quoted, kept), *changes])

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
    tree = compose_command("sweep", arguments)
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
        run=_texts("run", tree["run"]),
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


def wanted_cells(request: Request, library: Library) -> tuple[list[Wanted], Measurements]:
    """The cells asked for, with those that they are a difference to; and where they come from."""
    tables = chosen_tables(request, library)
    found = measurements(library, tables, library.scale(request.scale), request.conf_folder)
    if request.ledger is None:
        wanted = [Wanted(item) for item in found.values()]
    else:
        wanted = list(_readings(request, found, library))
    return [*wanted, *_references(wanted, found)], found


def _readings(request: Request, found: Measurements, library: Library) -> Iterator[Wanted]:
    """Cells that another reading of the paper would change, as we read them and in every other way."""
    settings = library.ledgers[request.ledger or ""].settings
    if request.setting is not None and request.setting not in settings:
        near = difflib.get_close_matches(request.setting, settings, n=1)
        hint = f"did you mean {near[0]}?" if near else f"it has {', '.join(settings)}"
        raise ConfigError(f"the ledger of {request.ledger} has no setting {request.setting}; {hint}")
    others = alternatives(found, request.setting)
    if not others:
        what = f"setting {request.setting}" if request.setting else "ledger"
        raise ConfigError(f"the {what} of {request.ledger} offers no other reading for the tables chosen")
    seen = set()
    for item in others:
        if item.base not in seen:
            seen.add(item.base)
            yield Wanted(found[item.base])
        yield Wanted(item.measurement, f"{item.entry.setting}: {item.name}")


def _references(wanted: Sequence[Wanted], found: Measurements) -> Iterator[Wanted]:
    seen = {item.measurement.address for item in wanted}
    for item in wanted:
        reference = item.measurement.reference
        if item.needs_training and reference is not None and reference not in seen:
            seen.add(reference)
            yield Wanted(found[reference], is_reference=True)


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


def _quoted(word: str) -> str:
    return f"'{word}'" if any(character in word for character in '*[]{}() "$&;') else word
