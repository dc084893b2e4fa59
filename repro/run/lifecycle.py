"""One run: skip what is done, build, train, evaluate, record, and keep the tracking server informed."""

import logging
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from repro import provenance
from repro.config import compose, identity
from repro.config.settings import Settings
from repro.engine.device import available_threads
from repro.engine.stop import Interrupted, StopRequest
from repro.errors import StoreError
from repro.run.session import Session
from repro.store.journal import Journal
from repro.store.record import Record
from repro.store.run_folder import RunFolder
from repro.track import make_tracker

Config = dict[str, Any]


@dataclass(frozen=True)
class Outcome:
    """What a run left: its folder, the record of the evaluation asked for, and whether anything had to be done."""

    folder: RunFolder
    record: Record
    fresh: bool


def run(config: Config) -> Outcome:
    """Carries out one run to its record; what is already there is not done again.

    Args:
        config: a resolved configuration, see `repro.config.compose.compose`.

    Raises:
        ReproError: a mistake in the configuration or the data, a folder held by another process, a diverged loss, or
            a signal; the run folder's status says what happened and the same command goes on from there.
    """
    settings = compose.settings(config)
    folder = RunFolder(Path(config["outputs"]) / "runs", identity.run_id(config))
    evaluation_id = identity.evaluation_id(config)
    if is_measured(folder, evaluation_id, settings) and is_finished(folder):
        return Outcome(folder, folder.read_record(evaluation_id), fresh=False)
    tracker = make_tracker(config["tracking"], Path(config["outputs"]))
    with StopRequest() as stop, folder.lock() as lock, Journal(folder.journal_path) as journal:
        if lock.taken_over:
            journal.event("lock_taken_over", host=lock.taken_over.host, pid=lock.taken_over.pid)
        if is_measured(folder, evaluation_id, settings):  # by a process that ended before it could say so
            record = folder.read_record(evaluation_id)
            folder.write_status("FINISHED", step=record.steps)
            return Outcome(folder, record, fresh=False)
        try:
            settings.runtime.threads = freeze(folder, config)
        except StoreError as error:
            folder.write_status("FAILED", message=str(error))
            raise
        with logged_to(folder.path / "run.log"):
            choices = config["composition"]["choices"]
            journal.event("started", names=choices, commit=provenance.code_version()["commit"])
            tracker.start(folder)
            try:
                record = Session(config, settings, folder, lock, journal, tracker, stop).carry_out(evaluation_id)
            except BaseException as error:
                if lock.is_ours():
                    tracker.finish(record_fate(folder, journal, error))
                raise
            folder.write_status("FINISHED", step=record.steps)
            tracker.finish("FINISHED")
    return Outcome(folder, record, fresh=True)


def is_measured(folder: RunFolder, evaluation_id: str, settings: Settings) -> bool:
    """Whether the record and the pictures asked for are there."""
    pictures = folder.evaluations_path / evaluation_id
    wanted = {"masks": settings.evaluation.masks, "panels.png": settings.evaluation.panels > 0}
    lacking = [name for name, asked in wanted.items() if asked and not (pictures / name).exists()]
    return not lacking and folder.has_evaluation(evaluation_id)


def is_finished(folder: RunFolder) -> bool:
    """Whether the run's status says so."""
    status = folder.read_status()
    return status is not None and status.state == "FINISHED"


def freeze(folder: RunFolder, config: Config) -> int:
    """Writes the configuration into the run folder at the first start; returns the CPU threads that the run keeps.

    The science of the configuration given equals the frozen one, since both have the folder's run id; of the rest only
    the number of threads must not drift, because sums depend on it.
    """
    asked = config["runtime"]["threads"]
    if not folder.config_path.exists():
        config = {**config, "runtime": {**config["runtime"], "threads": asked or available_threads()}}
        folder.freeze_config(yaml.safe_dump(config, sort_keys=False))
        folder.write_status("CREATED", step=0)
    frozen = folder.frozen_config()
    if identity.run_id(frozen) != folder.run_id:
        raise StoreError(f"{folder.config_path} was edited: it describes another run; remove the folder to start anew")
    return int(asked or frozen["runtime"]["threads"])


def record_fate(folder: RunFolder, journal: Journal, error: BaseException) -> str:
    """Writes into status and journal how the work ended if it did not end well; returns the run's state.

    A run that has a record stays finished, with the message of a further evaluation that failed.
    """
    state = "INTERRUPTED" if isinstance(error, (Interrupted, KeyboardInterrupt)) else "FAILED"
    message = str(error) or type(error).__name__
    journal.event(state.lower(), message=message)
    if any(folder.evaluations_path.glob("*.json")):
        message = message if state == "FAILED" else ""
        state = "FINISHED"
    folder.write_status(state, message=message)
    return state


@contextmanager
def logged_to(path: Path) -> Iterator[None]:
    """Sends a copy of what the package logs to a file."""
    handler = logging.FileHandler(path)
    handler.setFormatter(logging.Formatter(f"%(asctime)s {os.getpid()} %(levelname)s %(name)s: %(message)s"))
    logging.getLogger("repro").addHandler(handler)
    try:
        yield
    finally:
        logging.getLogger("repro").removeHandler(handler)
        handler.close()
