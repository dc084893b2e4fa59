"""One run from its configuration to its record: skip what is done, hold the folder, do the work, say how it ended."""

import logging
from dataclasses import dataclass
from typing import TYPE_CHECKING

from repro import provenance
from repro.config.configuration import Configuration
from repro.engine.ranks import own_rank
from repro.engine.stop import Interrupted, StopRequest
from repro.errors import ConfigError, DamagedError, StoreError
from repro.run.held import STARTED, HeldRun, logged_to
from repro.run.repetition import digests
from repro.run.starts import check_progress, place_of_process
from repro.store.files import is_there
from repro.store.journal import Journal, read_journal
from repro.store.lock import Patience
from repro.store.outputs import Outputs
from repro.store.record import Record
from repro.store.run_folder import RunFolder
from repro.store.status import RunState
from repro.track import make_tracker

if TYPE_CHECKING:  # loads torch
    from repro.engine.team import Team

log = logging.getLogger(__name__)

HOLDER_SECONDS = 600.0
"""How long a cluster's job waits for a living holder: a node that was given up kills its processes within minutes."""

WAITING = "while waiting for who holds the run"


@dataclass(frozen=True)
class Outcome:
    """What a run left: its folder, the record of the evaluation asked for, and whether anything had to be done."""

    folder: RunFolder
    record: Record
    fresh: bool


def run(configuration: Configuration, *, unattended: bool = False) -> Outcome:
    """Carries out one run to its record; what is already there is not done again.

    Args:
        configuration: of the run, and of one evaluation of it.
        unattended: a cluster starts it, and starts it again. A living holder of the folder, such as the process of a
            node that was given up, is waited for, and who comes back without getting on is stopped.

    Raises:
        ReproError: a mistake in the configuration or the data, a folder held by another process, a diverged loss, or
            a signal; the run folder's status says what happened and the same command goes on from there.
    """
    settings = configuration.settings
    outputs = Outputs(settings.outputs)
    folder = outputs.run(configuration.run_id)
    if settings.repeat is None and is_measured(folder, configuration) and is_finished(folder):
        return Outcome(folder, folder.read_record(configuration.evaluation_id), fresh=False)
    rank = own_rank()
    if rank.size == 1:
        return hold(configuration, unattended=unattended)
    from repro.run.together import follow, joined  # loads torch

    with joined(rank, configuration) as team:
        if team.leads:
            outcome = hold(configuration, team, unattended=unattended)
            team.tell(outcome.record.to_json())
            return outcome
        follow(configuration, team)
        record = Record.from_json(team.tell(None), f"the record of run {folder.run_id}")
        return Outcome(folder, record, fresh=True)


def hold(configuration: Configuration, team: "Team | None" = None, *, unattended: bool = False) -> Outcome:
    """Carries a run out as the one that holds its folder, and leads the other processes if there are any."""
    settings = configuration.settings
    outputs = Outputs(settings.outputs)
    folder = outputs.run(configuration.run_id)
    tracker = make_tracker(settings.tracking, outputs)
    seconds = HOLDER_SECONDS if unattended else 0.0
    with (
        StopRequest() as stop,
        folder.lock(patience=Patience(seconds, lambda: stop.check(WAITING))) as lock,
        Journal(folder.journal_path) as journal,
    ):
        if lock.taken_over:
            journal.event("lock_taken_over", host=lock.taken_over.host, pid=lock.taken_over.pid)
        held = HeldRun(outputs, folder, lock, journal, tracker, stop)
        if settings.repeat is None and is_measured(folder, configuration):
            record = folder.read_record(configuration.evaluation_id)
            if folder.has_weights:  # a process ended before it could say so; else they are being trained anew
                folder.write_status(RunState.FINISHED, step=record.steps, **digests(record))
            if team is not None:
                team.tell(None)
            return Outcome(folder, record, fresh=False)
        return Outcome(folder, work(held, configuration, team, unattended=unattended), fresh=True)


def work(
    held: HeldRun, configuration: Configuration, team: "Team | None" = None, *, unattended: bool = False
) -> Record:
    """Freezes the configuration, does the work, and leaves status, journal and tracking as it ended."""
    from repro.run.session import carry_out  # loads torch, which what is done already does without

    folder = held.folder
    held.check()  # after the seconds that torch takes: where flock does not reach, another host may have come too
    with logged_to(folder.log_path):
        configuration = freeze(held, configuration)
        commit = provenance.code_version()["commit"]
        processes = {} if team is None else {"processes": team.size}
        held.event(STARTED, names=dict(configuration.choices), commit=commit, **processes, **place_of_process())
        held.tracker.start(folder)
        try:
            if unattended:
                check_progress(read_journal(folder.journal_path).events)
            if team is None:
                record = carry_out(configuration, held)
            else:
                from repro.run.together import lead

                record = lead(configuration, held, team)
        except BaseException as error:
            if held.lock.is_ours():
                held.tracker.finish(told_fate(held, error))
            raise
        folder.write_status(RunState.FINISHED, step=record.steps, **digests(record))
        held.tracker.finish(RunState.FINISHED)
    return record


def is_measured(folder: RunFolder, configuration: Configuration) -> bool:
    """Whether the record and the pictures asked for are there."""
    evaluation, evaluation_id = configuration.settings.evaluation, configuration.evaluation_id
    wanted = {folder.masks_path(evaluation_id): evaluation.masks,
              folder.panels_path(evaluation_id): evaluation.panels > 0}  # fmt: skip
    lacking = [path for path, asked in wanted.items() if asked and not is_there(path)]
    return not lacking and folder.has_evaluation(evaluation_id)


def is_finished(folder: RunFolder) -> bool:
    """Whether the run's status says so; a damaged one says nothing, and is mended by who holds the folder."""
    try:
        status = folder.read_status()
    except DamagedError:
        return False
    return status is not None and status.state is RunState.FINISHED


def freeze(held: HeldRun, configuration: Configuration) -> Configuration:
    """Writes the configuration into the run folder at the first start; returns it with the CPU threads that stay.

    The science of the configuration given equals the frozen one, since both have the folder's run id; of the rest only
    the number of threads must not drift, because sums depend on it.

    Raises:
        StoreError: the disk refuses.
    """
    asked, folder = configuration.settings.runtime.threads, held.folder
    kept = frozen_before(held)
    if kept is None:
        first = configuration.with_leaf("runtime.threads", asked or own_rank().cores or provenance.available_cores())
        folder.freeze_config(first.to_yaml())
        if not is_there(folder.status_path):
            folder.write_status(RunState.CREATED, step=0)
        kept = first
    return configuration.with_leaf("runtime.threads", asked or kept.leaves["runtime.threads"])


def frozen_before(held: HeldRun) -> Configuration | None:
    """What an earlier start has frozen; None if there is nothing, or something else by now, which is set aside."""
    folder = held.folder
    if not is_there(folder.config_path):
        return None
    try:
        kept = Configuration.from_yaml(folder.read_config(), folder.config_path)
    except DamagedError as error:
        held.set_aside(folder.config_path, str(error))
        return None
    try:
        is_ours = kept.run_id == folder.run_id
    except ConfigError:  # it names code or files that are not there, and ours are
        is_ours = False
    if not is_ours:
        held.set_aside(folder.config_path, f"{folder.config_path} was edited: it describes another run", "edited")
        return None
    return kept


def told_fate(held: HeldRun, error: BaseException) -> RunState:
    """As `record_fate`; where the disk refuses that too, the error itself is still what is told."""
    try:
        return record_fate(held, error)
    except StoreError as refused:
        log.warning("how the run ended could not be recorded: %s", refused)
        return RunState.FAILED


def record_fate(held: HeldRun, error: BaseException) -> RunState:
    """Writes into status and journal how the work ended if it did not end well; returns the run's state.

    A run that has weights and a record stays finished, with the message of a further evaluation that failed.
    """
    state = RunState.INTERRUPTED if isinstance(error, (Interrupted, KeyboardInterrupt)) else RunState.FAILED
    message = str(error) or type(error).__name__
    by = {"signal": error.name} if isinstance(error, Interrupted) else {}
    held.event(state.lower(), message=message, **by)
    if held.folder.has_weights and held.folder.evaluation_ids():
        message = message if state is RunState.FAILED else ""
        state = RunState.FINISHED
    held.folder.write_status(state, message=message)
    return state
