"""A run by several processes: how they meet, what becomes of all when one fails, and the part of those that follow."""

import atexit
import signal
import socket
import sys
import threading
import traceback
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import cache

import torch

from repro.build import build_dataset, build_model
from repro.config.configuration import Configuration
from repro.config.settings import Shares
from repro.engine.checkpoint import CheckpointFolder
from repro.engine.device import choose_device, prepare
from repro.engine.fallen import Chronicle, end_at_once, exit_code_of, has_fallen, is_parting, mark_fallen
from repro.engine.ranks import Rank
from repro.engine.stop import Interrupted, StopRequest
from repro.engine.team import Team, TeamError, meet
from repro.errors import ReproError
from repro.run.evaluation import measured_confusions
from repro.run.held import HeldRun
from repro.run.session import carry_out
from repro.run.training import training_job, training_split, until_done
from repro.store.outputs import Outputs
from repro.store.record import Record


@contextmanager
def joined(rank: Rank, configuration: Configuration) -> Iterator[Team]:
    """The team of this process, which outlives the run.

    A process that follows and fails inside leaves its words to the one that leads, and ends with all that it is; the
    one that leads raises, and whoever called it is to end the process soon.

    Raises:
        ConfigError: so many processes cannot share a batch.
        TeamError: some of them do not come, or have fallen in an earlier run.
    """
    settings = configuration.settings
    try:
        if has_fallen():
            raise TeamError("the other processes have ended with an earlier failure; give the same command again")
        if settings.trains:
            Shares.of(settings.schedule, rank.size)
        yield _team(rank, Outputs(settings.outputs), choose_device(settings.runtime.device, rank.local))
    except BaseException as error:
        mark_fallen()
        if rank.leads:
            if threading.current_thread() is threading.main_thread():
                signal.signal(signal.SIGTERM, signal.SIG_IGN)  # what a launcher sends for the others, which end too
            raise
        if not is_parting(error) and not isinstance(error, ReproError):
            traceback.print_exception(error, file=sys.stderr)
        end_at_once(exit_code_of(error))


@cache
def _team(rank: Rank, outputs: Outputs, device: torch.device) -> Team:
    """The team, which meets once in a process."""
    team = meet(rank, outputs.meeting_path(rank.launch), device)
    atexit.register(_part, team)
    return team


def _part(team: Team) -> None:
    if not has_fallen():
        with suppress(RuntimeError):  # one that has been quicker to end has nothing more to say
            team.leave()


def chronicle_of(configuration: Configuration) -> Chronicle:
    """Where the processes of a run leave their last words."""
    return Chronicle(Outputs(configuration.settings.outputs).run(configuration.run_id).fallen_path)


def lead(configuration: Configuration, held: HeldRun, team: Team) -> Record:
    """The work of the process that keeps the run.

    Raises:
        ReproError: as `carry_out` does; what another process has failed of is told as that one's.
    """
    chronicle = chronicle_of(configuration)
    chronicle.clear()
    team.tell({"threads": configuration.settings.runtime.threads})
    try:
        return carry_out(configuration, held, team)
    except RuntimeError as error:
        if not is_parting(error):
            raise
        if (words := chronicle.first()) is not None:
            raise words.error() from error
        raise TeamError(
            f"another of the {team.size} processes has ended without a word, killed most often for lack of memory; see "
            "what its launcher says"
        ) from error


@dataclass(frozen=True)
class Follower:
    """The engine's `Keeper` of a process that follows: it keeps nothing, and listens to signals."""

    stop: StopRequest

    def point(self, step: int, **metrics: float) -> None:
        """The one that leads journals it."""

    def event(self, kind: str, **facts: object) -> None:
        """Likewise."""

    def check(self) -> None:
        """The one that leads holds the folder."""

    def saved(self, step: int) -> None:
        """The one that leads has been told."""

    def stop_requested(self) -> bool:
        """Whether a signal has asked this process to end."""
        return self.stop.requested()

    def interrupt(self, where: str) -> None:
        """Ends the work if a signal has come."""
        self.stop.check(where)


def follow(configuration: Configuration, team: Team) -> None:
    """The work of a process that follows, in step with `carry_out` of the one that leads."""
    order = team.tell(None)
    if order is None:  # all is there already
        return
    try:
        _follow(configuration.with_leaf("runtime.threads", order["threads"]), team)
    except BaseException as error:
        if not is_parting(error):
            chronicle_of(configuration).write(team.rank, socket.gethostname(), error)
        raise


def _follow(configuration: Configuration, team: Team) -> None:
    configuration = configuration.with_leaf("runtime.progress", False)
    settings, folder = configuration.settings, Outputs(configuration.settings.outputs).run(configuration.run_id)
    with StopRequest() as stop:
        follower = Follower(stop)
        device = prepare(settings, team.local)
        measured = build_dataset(configuration, settings.evaluation_split)
        model, auxiliary_weight = build_model(configuration, measured.num_classes, pretrained=False)
        if settings.runtime.channels_last:
            model = model.to(memory_format=torch.channels_last)
        model = model.to(device)
        if team.tell(None):
            split = build_dataset(configuration, settings.dataset.train_split)
            split = training_split(configuration, follower, split, team)
            checkpoints = CheckpointFolder(folder.checkpoints)
            job = training_job(configuration, follower, checkpoints, model, auxiliary_weight, split, device, team)
            try:
                until_done(job, stop)
            except Interrupted:  # which all have met at once
                with suppress(RuntimeError):
                    team.tell(None)  # until the one that leads has written everything, and ends
                raise
        model.load_state_dict(team.tell(None))
        measured_confusions(configuration, folder, model, measured, device, follower.interrupt, team)
