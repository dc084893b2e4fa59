"""The command line of a run: checks the overrides, hands over to Hydra, prints the result, and speaks in sentences."""

import os
import sys
from pathlib import Path
from typing import Any, NoReturn

import hydra
from hydra._internal.utils import get_args_parser
from hydra.core.hydra_config import HydraConfig
from hydra.errors import HydraException
from hydra.types import RunMode
from omegaconf import DictConfig
from omegaconf.errors import OmegaConfBaseException

from repro.config import compose, identity
from repro.config.groups import written_out
from repro.errors import ConfigError, ReproError
from repro.papers import load_papers
from repro.track import tracking_uri

USER_MISTAKE = 2


def main() -> None:
    """`python -m repro`: exit code 0 only if every run asked for has its record."""
    os.environ.setdefault("HYDRA_FULL_ERROR", "1")  # errors reach this function, which prints them as sentences
    sys.argv[1:] = written_out(sys.argv[1:])
    arguments = get_args_parser().parse_args(sys.argv[1:])
    asks_only = arguments.help or arguments.hydra_help or arguments.shell_completion
    try:
        if not asks_only:
            folder = Path(arguments.config_dir) if arguments.config_dir else None
            compose.check_overrides(arguments.overrides, user_folder=folder)
        hydra.main(config_path=str(compose.config_folder()), config_name="config", version_base="1.3")(one_run)()
    except ReproError as error:
        end_with(error)
    except (HydraException, OmegaConfBaseException) as error:
        end_with(ConfigError(compose.first_line(error)))
    except KeyboardInterrupt:
        sys.exit(130)


def end_with(error: ReproError) -> NoReturn:
    """Prints the error as one sentence and ends the process with a failing exit code."""
    print(f"error: {str(error).rstrip('.')}.", file=sys.stderr)
    sys.exit(getattr(error, "exit_code", USER_MISTAKE))


def one_run(config: DictConfig) -> float | None:
    """Carries out the run of a composed configuration and returns its mIoU in percent, for sweepers that seek it."""
    plain = compose.plain(config, HydraConfig.get())
    try:
        compose.settings(plain)  # before torch is loaded, so that a mistake is answered at once
        from repro.run.lifecycle import run

        outcome = run(plain)
    except ReproError as error:
        if hasattr(error, "exit_code") or HydraConfig.get().mode is not RunMode.MULTIRUN:
            end_with(error)
        print(f"failed: {' '.join(plain['composition']['overrides'])}: {error}", file=sys.stderr)
        raise  # to Hydra, which goes on with the others of the grid and then fails
    print_outcome(outcome, identity.run_name(plain), plain)
    score: float | None = outcome.record.scores.miou_percent
    return score


def print_outcome(outcome: Any, name: str, config: dict[str, Any]) -> None:
    """Prints the per-class table, what was written, what to do next, and the score as the last line."""
    from repro.experiments.nearest import nearest_rows

    record, folder = outcome.record, outcome.folder
    split = record.provenance["evaluated_split"]
    width = max(map(len, record.per_class_iou_percent))
    print(f"\nrun {record.run_id}: {record.names.dataset} {split['name']}, {split['images']} images, IoU in %")
    for label, value in record.per_class_iou_percent.items():
        print(f"  {label:{width}}  {percent(value)}")
    print(f"pixel accuracy {percent(record.scores.pixel_accuracy_percent).strip()} %")
    path = folder.record_path(record.evaluation_id)
    panels = path.with_suffix("") / "panels.png"
    print(f"{'wrote' if outcome.fresh else 'nothing to do; already there:'} {path}")
    if panels.exists():
        print(f"panels: {panels}")
    if config["tracking"]["kind"] == "mlflow":
        address = tracking_uri(config["tracking"]["uri"], Path(config["outputs"]))
        print(f"browse: mlflow ui --backend-store-uri {address}" if "sqlite" in address else f"browse: {address}")
    row = nearest_rows(config, load_papers())
    if row is not None:
        print(row)
    print(f"{name}: mIoU {percent(record.scores.miou_percent).strip()} %")


def percent(value: float | None) -> str:
    """A score in percent, or a dash for a class in neither truth nor prediction."""
    return "    -" if value is None else f"{value:5.1f}"
