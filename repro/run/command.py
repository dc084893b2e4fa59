"""The command of a run: composes what is asked for, carries it out, and prints what came of it.

repro head=vortex dataset=voc              one run
repro -m head=fcn,aspp,vortex seed=0,1,2   a grid: every combination, through Hydra's launchers
"""

import logging
import re
import sys
from argparse import Namespace
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from repro.config.completion import of_run
from repro.config.settings import TrackingKind
from repro.console import Words, answer, complain
from repro.engine.fallen import ended
from repro.engine.ranks import own_rank
from repro.engine.stop import Interrupted
from repro.errors import ReproError

if TYPE_CHECKING:  # help answers without them
    from repro.config.configuration import Configuration
    from repro.run.lifecycle import Outcome

OF_HYDRA = ("--cfg", "--package", "--info")
"""Flags with a value that are handed on."""

SHOWING = ("--help", "--version", "--hydra-help", "--cfg", "--info")
"""Flags that ask for something to read instead of a run."""

SHOWING_SHORT = re.compile(r"-(?!cd)[a-z]*[hci]")
"""Their short forms, also joined to others and to their values: -h, -mh, -cjob."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Takes overrides and flags; returns the exit code, 0 only if every run asked for has its record."""
    return ended(answer(lambda: _spoken_for(sys.argv[1:] if arguments is None else list(arguments))))


def _spoken_for(arguments: Sequence[str]) -> int:
    """As `_carry_out`; of several processes the one that leads tells of a mistake that all have met."""
    try:
        return _carry_out(arguments)
    except ReproError as error:
        if own_rank().leads:
            raise
        return error.exit_code


def result_is_printed(arguments: Sequence[str]) -> bool:
    """Whether what is printed is all that a command line asks for; that of a run lies in its folder."""
    return any(word.partition("=")[0] in SHOWING or SHOWING_SHORT.match(word) for word in arguments)


def words() -> Words:
    """The words that the command takes."""
    parser = Words("run", lambda prefix, given: of_run(prefix, given.overrides or (), given.config_dir))
    parser.add_argument("-m", "--multirun", action="store_true")
    parser.add_argument("-cd", "--config-dir", type=Path)
    parser.add_argument("--hydra-help", action="store_true")
    parser.add_argument("--resolve", action="store_true")
    parser.add_argument("-c", "--cfg", choices=("job", "hydra", "all"))
    parser.add_argument("-p", "--package")
    about = ("all", "config", "defaults", "defaults-tree", "plugins", "searchpath")
    parser.add_argument("-i", "--info", nargs="?", const="all", choices=about)
    return parser


def _carry_out(arguments: Sequence[str]) -> int:
    given = words().parse_intermixed_args(arguments)
    if given.help:
        from repro.run.help import help_text

        print(help_text(given.config_dir, everything="all" in given.overrides))
        return 0
    if given.hydra_help or given.multirun or any(_about_hydra(override) for override in given.overrides):
        return _through_hydra(given)
    if any(getattr(given, flag.strip("-")) for flag in (*OF_HYDRA, "--resolve")):
        return _through_hydra(given)
    from repro.config.compose import compose

    logging.basicConfig(level=logging.INFO, format="%(message)s", stream=sys.stdout)
    one_run(compose(given.overrides, user_folder=given.config_dir))
    return 0


def _about_hydra(override: str) -> bool:
    return override.lstrip("+~").startswith("hydra")


def _through_hydra(given: Namespace) -> int:
    """Hands the command line over to Hydra: a grid, or what only Hydra's own flags can do."""
    from repro.config.check import check_overrides
    from repro.config.hydra import carry_out
    from repro.config.overrides import written_out

    overrides = written_out(given.overrides)
    if not given.hydra_help:
        check_overrides(overrides, user_folder=given.config_dir)
    flags = [f"--{name}" for name in ("multirun", "hydra-help", "resolve") if getattr(given, name.replace("-", "_"))]
    for flag in OF_HYDRA:
        flags += [f"{flag}={value}"] if (value := getattr(given, flag.strip("-"))) else []
    carry_out(one_of_a_grid if given.multirun else one_run, flags, overrides, given.config_dir)
    return 0


def one_run(configuration: "Configuration") -> float | None:
    """Carries a run out and prints what came of it; returns its mIoU in percent, for sweepers that seek it."""
    from repro.run.lifecycle import run

    outcome = run(configuration)
    if own_rank().leads:
        print_outcome(outcome, configuration)
    score: float | None = outcome.record.scores.miou_percent
    return score


def one_of_a_grid(configuration: "Configuration") -> float | None:
    """As `one_run`; a run that fails is named and left to Hydra, which goes on with the others and then fails."""
    try:
        return one_run(configuration)
    except Interrupted as error:
        complain(str(error))
        sys.exit(error.exit_code)
    except ReproError as error:
        print(f"failed: {' '.join(configuration.overrides)}: {error}", file=sys.stderr)
        raise


def print_outcome(outcome: "Outcome", configuration: "Configuration") -> None:
    """Prints the per-class table, what was written, what to do next, and the score as the last line."""
    from repro.run.repetition import REPEATED, told, told_if_stale
    from repro.store.outputs import Outputs
    from repro.store.runs_csv import recorded
    from repro.store.twice import served_twice

    record, folder = outcome.record, outcome.folder
    split = record.provenance["evaluated_split"]
    width = max(map(len, record.per_class_iou_percent))
    print(f"\nrun {record.run_id}: {record.names.dataset} {split['name']}, {split['images']} images, IoU in %")
    for label, value in record.per_class_iou_percent.items():
        print(f"  {label:{width}}  {percent(value)}")
    print(f"pixel accuracy {percent(record.scores.pixel_accuracy_percent).strip()} %")
    outputs = Outputs(configuration.settings.outputs)
    warnings = [sentence for _, sentence in served_twice(recorded(record))]
    warnings += filter(None, [told_if_stale(configuration, outputs)])
    for warning in warnings:
        print(f"warning: {warning}")
    if outcome.fresh and REPEATED in record.provenance:
        print(told(record.provenance[REPEATED]))
    path, panels = folder.record_path(record.evaluation_id), folder.panels_path(record.evaluation_id)
    print(f"{'wrote' if outcome.fresh else 'nothing to do; already there:'} {path}")
    if panels.exists():
        print(f"panels: {panels}")
    tracking = configuration.settings.tracking
    if tracking.kind is TrackingKind.mlflow:
        from repro.track import tracking_uri

        address = tracking_uri(tracking.uri, outputs)
        print(f"browse: mlflow ui --backend-store-uri {address}" if "sqlite" in address else f"browse: {address}")
    if outcome.fresh:  # told once: finding it takes longer than the rest of an answer about what is done
        print_nearest_row(configuration)
    print(f"{configuration.name}: mIoU {percent(record.scores.miou_percent).strip()} %")


def print_nearest_row(configuration: "Configuration") -> None:
    """Prints which printed row the run is, or which is nearest to it."""
    from repro.experiments.nearest import nearest_rows
    from repro.papers import load_papers

    row = nearest_rows(configuration, load_papers())
    if row is not None:
        print(row)


def percent(value: float | None) -> str:
    """A score in percent, or a dash for a class in neither truth nor prediction."""
    return "    -" if value is None else f"{value:5.1f}"
