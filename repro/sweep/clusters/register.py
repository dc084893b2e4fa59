"""Which sweeps run on these outputs now, so that another shell can see and end them."""

import json
import os
import signal
import socket
from collections.abc import Collection, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from repro.console import complain
from repro.store.files import atomic_write, remove
from repro.store.holder import Holder, living_holder
from repro.store.lock import FolderLock
from repro.store.outputs import Outputs
from repro.sweep.clusters.slurm.cancel import cancel_queued
from repro.sweep.clusters.slurm.submissions import look_at_queue
from repro.sweep.plan.job import QueueState
from repro.sweep.request import ClusterKind, Request


@dataclass(frozen=True)
class RunningSweep:
    """A sweep that is alive: who carries it out, and which runs it has taken on."""

    holder: Holder
    runs: frozenset[str]


@contextmanager
def registered(outputs: Outputs, runs: Iterable[str], command: str) -> Iterator[None]:
    """Announces this process as a sweep of some runs for as long as it lasts."""
    lock_path = outputs.own_sweep_lock_path()
    atomic_write(_list_path(lock_path), json.dumps(sorted(runs)))
    try:
        with FolderLock(lock_path, command):
            yield
    finally:
        remove(_list_path(lock_path))
        remove(lock_path)  # named by this very process, so nobody waits for it


def _list_path(lock_path: Path) -> Path:
    return lock_path.with_suffix(".json")


def running_sweeps(outputs: Outputs) -> list[RunningSweep]:
    """The sweeps that are alive, on this host and, by their heartbeat, on others."""
    found = []
    for path in sorted(outputs.running_sweeps_path.glob("*.lock")):
        holder = living_holder(path)
        if holder is None:
            continue
        try:
            runs = frozenset(json.loads(_list_path(path).read_text(encoding="utf-8")))
        except (OSError, ValueError):
            runs = frozenset()
        found.append(RunningSweep(holder, runs))
    return found


def cancel(outputs: Outputs, runs: Sequence[str] | None, cared_for: Collection[str] = ()) -> Iterator[str]:
    """Asks the processes behind some runs (None: behind any) to end after a checkpoint; yields what was done.

    Those `cared_for` are asked by others already: a second request would end them at once.
    """
    here = socket.gethostname()
    cared_for = set(cared_for)
    for sweep in running_sweeps(outputs):
        if runs is not None and not sweep.runs & set(runs):
            continue
        cared_for |= sweep.runs
        yield _ended(f"the sweep of {len(sweep.runs)} runs", sweep.holder, here)
    folders = outputs.runs() if runs is None else map(outputs.run, runs)
    for folder in folders:
        holder = living_holder(folder.lock_path)
        if holder is not None and not holder.brief and folder.run_id not in cared_for:
            yield _ended(f"run {folder.run_id}", holder, here)


def _ended(what: str, holder: Holder, here: str) -> str:
    if holder.host != here:
        return f"{what} is on host {holder.host}, pid {holder.pid}; give the command there"
    try:
        os.kill(holder.pid, signal.SIGTERM)
    except ProcessLookupError:
        return f"{what} has just ended"
    except PermissionError:
        return f"{what} belongs to another user (pid {holder.pid})"
    return f"asked {what}, pid {holder.pid}, to end"


def cancelled(request: Request, runs: list[str] | None) -> int:
    """Asks running processes to end, takes jobs out of the queue, and says which; returns 1 if the queue is silent.

    The queue comes first: what it no longer has cannot start while the processes are looked for.
    """
    outputs = request.selection.outputs
    queued, problem = look_at_queue(outputs, is_chosen=request.cluster.kind is ClusterKind.SLURM)
    lines = list(cancel_queued(queued, runs))
    in_queue = {run_id for run_id, item in queued.items() if item.state is QueueState.RUNNING}
    lines += cancel(outputs, runs, cared_for=in_queue)
    for line in lines:
        print(line)
    if problem:
        complain(problem)
    status = f"; {request.command('action=status')} shows when they have" if runs is not None else ""
    print(f"what was running ends after a checkpoint{status}" if lines else
          "nothing to cancel: none of these is running here" + (" or in the queue" if queued else ""))  # fmt: skip
    return 1 if problem else 0
