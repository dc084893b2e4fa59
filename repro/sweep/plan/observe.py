"""What is on disk of the runs of a plan: status, holder, weights, whole records, and the committed list of records."""

import json
import os
import socket
import time
from collections.abc import Mapping
from pathlib import Path

from repro.errors import StoreError
from repro.store.files import try_flock
from repro.store.lock import STALE_SECONDS, Holder
from repro.store.run_folder import RunFolder
from repro.store.runs_csv import RUNS_CSV, read_runs
from repro.sweep.plan.plan import Job, Observed

TAIL_BYTES = 8192


def observe(outputs: Path, jobs: Mapping[str, Job]) -> dict[str, Observed]:
    """What is on disk of each job that has a run folder."""
    found = {}
    for job in jobs.values():
        folder = RunFolder(outputs / "runs", job.run_id)
        if folder.path.is_dir():
            found[job.run_id] = _look(folder, job)
    return found


def _look(folder: RunFolder, job: Job) -> Observed:
    try:
        status = folder.read_status()
    except StoreError:
        status = None  # the run mends a damaged status when it starts
    held = living_holder(folder.lock_path) is not None
    return Observed(
        state=status.state if status else None,
        message=status.message if status else "",
        step=newest_step(folder) if held else _newest_checkpoint(folder),
        held=held,
        weights=(folder.path / "weights.pt").exists(),
        evaluations=frozenset(item for item in job.evaluations if folder.has_evaluation(item)),
    )


def _newest_checkpoint(folder: RunFolder) -> int | None:
    """The step that an unfinished training goes on from."""
    names = (file.stem.removeprefix("step_") for file in folder.checkpoints_path.glob("step_*.pt"))
    return max((int(name) for name in names if name.isdigit()), default=None)


def living_holder(path: Path) -> Holder | None:
    """Who holds a lock file now, without waiting; None if nobody alive does.

    A holder on this host is alive if the kernel says so; one on another host, if its heartbeat is fresh.
    """
    try:
        holder = Holder(**json.loads(path.read_bytes()))
    except (OSError, ValueError, TypeError):
        return None  # there is no lock file, or it is empty after a clean end
    if holder.host != socket.gethostname():
        return holder if time.time() - path.stat().st_mtime < STALE_SECONDS else None
    descriptor = os.open(path, os.O_RDWR)
    try:
        free = try_flock(descriptor)
    finally:
        os.close(descriptor)
    return None if free else holder


def recorded_evaluations(reports: Path) -> frozenset[str]:
    """Evaluation ids in the committed list of records, `runs.csv`; lines that the report would refuse do not count.

    Raises:
        StoreError: the file cannot be read, or is no such list.
    """
    lines, problems = read_runs(reports / RUNS_CSV)
    if problems and not lines:
        raise StoreError(problems[0])
    return frozenset(line.evaluation_id for line in lines)


def newest_step(folder: RunFolder) -> int | None:
    """The newest step in a run's journal, read from its end; None if there is none."""
    try:
        with folder.journal_path.open("rb") as stream:
            stream.seek(0, os.SEEK_END)
            stream.seek(max(0, stream.tell() - TAIL_BYTES))
            lines = stream.read().splitlines()
    except OSError:
        return None
    for line in reversed(lines):
        try:
            step = json.loads(line).get("step")
        except (ValueError, AttributeError):
            continue  # the line was cut by the tail, or is just being written
        if isinstance(step, int):
            return step
    return None
