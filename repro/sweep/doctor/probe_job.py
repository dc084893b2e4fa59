"""A small job that looks around on a node as the jobs of the sweep will find it, and what its answer means."""

import json
import os
import shlex
import shutil
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from repro.provenance import versions
from repro.store.files import try_flock
from repro.store.holder import STALE_SECONDS
from repro.sweep.clusters.slurm.queue import QueueError, asked
from repro.sweep.clusters.slurm.settings import SlurmSettings
from repro.sweep.doctor import probe
from repro.sweep.doctor.finding import Finding, blocks, fine, mind
from repro.sweep.doctor.probe import ANSWER, HELD, QUESTIONS, Answer, Questions

LIMIT_MINUTES = 5
PATIENCE_SECONDS = 180.0
MUNGE_SECONDS = 300
"""By as much two clocks may differ for SLURM's credentials to hold."""

_MOVING = ("PENDING", "CONFIGURING", "RUNNING", "COMPLETING", "SUSPENDED")


@dataclass(frozen=True)
class Asked:
    """The answer of a node, and when it was waited for, on the clock of this host."""

    answer: Answer
    began: float
    ended: float


def options(settings: SlurmSettings) -> list[str]:
    """What sbatch is given: what a job of the sweep gets, for a few minutes and one process."""
    given = [f"--{name}={value}" for name, value in settings.place.items() if value is not None]
    further = [
        f"--{name}" if value is True else f"--{name}={value}" for name, value in settings.extra_parameters.items()
    ]
    limit = min(LIMIT_MINUTES, settings.limit_minutes)
    return [*given, "--nodes=1", "--ntasks=1", f"--time={limit}", "--no-requeue", "--job-name=doctor", *further]


def script(settings: SlurmSettings, folder: Path) -> str:
    """The job's shell script."""
    python = settings.python or shlex.quote(sys.executable)
    path = shlex.quote(os.pathsep.join(item for item in map(os.path.abspath, sys.path) if os.path.isdir(item)))
    look = f"{python} {shlex.quote(str(folder / 'probe.py'))} {shlex.quote(str(folder))}"
    return "\n".join(["#!/bin/bash", *settings.setup, f"export PYTHONPATH={path}", look, ""])


def ask_a_node(settings: SlurmSettings, root: Path, questions: Questions, patience: float = PATIENCE_SECONDS) -> Asked:
    """Submits the job, waits for its answer, and leaves nothing behind.

    Args:
        root: of the outputs; the job's folder lies there for as long as it takes.
        patience: seconds to wait.

    Raises:
        QueueError: SLURM refuses the job, or it gives no answer; with what it printed.
        OSError: the folder cannot be written.
    """
    root.mkdir(parents=True, exist_ok=True)
    folder = Path(tempfile.mkdtemp(prefix=".doctor-", dir=root.absolute()))
    job = None
    try:
        shutil.copy(probe.__file__, folder / "probe.py")
        (folder / QUESTIONS).write_text(json.dumps(questions), encoding="utf-8")
        (folder / "job.sh").write_text(script(settings, folder), encoding="utf-8")
        with (folder / HELD).open("wb") as held:
            try_flock(held.fileno())
            began = time.time()
            job = asked(
                "sbatch", "--parsable", f"--output={folder / 'out'}", *options(settings), str(folder / "job.sh")
            )
            job = job.strip().partition(";")[0]
            answer = _wait(folder, job, patience)
            return Asked(answer, began, time.time())
    finally:
        if job is not None and not (folder / ANSWER).exists():
            asked("scancel", "--quiet", job)
        shutil.rmtree(folder, ignore_errors=True)


def _wait(folder: Path, job: str, patience: float) -> Answer:
    deadline = time.monotonic() + patience
    ended = False
    while True:
        if (folder / ANSWER).exists():
            found: Answer = json.loads((folder / ANSWER).read_text(encoding="utf-8"))
            return found
        out = folder / "out"
        if ended:
            said = out.read_text(encoding="utf-8", errors="replace").strip().splitlines() if out.exists() else []
            last = (
                f"its last line: {said[-1]}" if said else f"{folder} has nothing of it: does its node see that folder?"
            )
            raise QueueError(f"the probe job {job} ended without an answer; {last}")
        state = asked("squeue", "--noheader", "--states=all", f"--jobs={job}", "--format=%T %r").strip()
        word = state.partition(" ")[0]
        ended = word not in _MOVING
        if ended or time.monotonic() < deadline:
            time.sleep(1.0 if not ended else 2.0)  # an answer may be late on a shared disk
        else:
            raise QueueError(f"the probe job {job} gave no answer within {patience:.0f} s, and is {state or 'gone'}; "
                             "it was cancelled: ask again when the queue is shorter")  # fmt: skip


def findings(asked_node: Asked, settings: SlurmSettings, here: str, questions: Questions) -> Iterator[Finding]:
    """What the answer of a node means.

    Args:
        here: the name of this host.
    """
    told = asked_node.answer
    at = told["node"] if told["host"] == here else f"{told['node']} ({told['host']})"
    yield fine("probe", f"a job answered from {at}, {asked_node.ended - asked_node.began:.0f} s after it was submitted")
    yield from _python(told, at)
    yield from _gpus(told, settings, at)
    yield _locks(told, at, is_other_host=told["host"] != here)
    for folder in told["absent"]:
        yield blocks("folders", f"{at} does not see {folder}; it must lie on a disk that the nodes share")
    if questions["tracking"] is not None and told["no_tracking"] is None:
        yield fine("tracking", f"{questions['tracking']} answers on {at} too")
    elif questions["tracking"] is not None:
        yield mind("tracking", f"{questions['tracking']} does not answer on {at} ({told['no_tracking']}): jobs keep "
                   "their journal, and python -m repro.track on this host shows them")  # fmt: skip
    yield _clock(asked_node, at)


def _python(told: Answer, at: str) -> Iterator[Finding]:
    for trouble in (told["no_package"], told["no_torch"]):
        if trouble is not None:
            yield blocks("python", f"on {at} {told['executable']} starts, but {trouble}; cluster.python=... names "
                         "another one, cluster.setup=[...] loads it")  # fmt: skip
    ours = versions()["torch"]
    if told["torch"] is not None and told["torch"] != ours:
        yield mind("python", f"torch is {told['torch']} on {at} and {ours} here; records name the one of the nodes")
    elif told["no_package"] is None and told["torch"] is not None:
        yield fine("python", f"{told['python']} on {at} imports torch {told['torch']} ({told['executable']})")


def _gpus(told: Answer, settings: SlurmSettings, at: str) -> Iterator[Finding]:
    if not settings.gpus_per_node:
        return
    devices = f"CUDA_VISIBLE_DEVICES is {told['visible_gpus'] or 'not set'}"
    if told["gpus"]:
        yield fine("GPUs", f"{at} gives {', '.join(told['gpus'])} (driver {told['driver'] or 'not told'}; {devices})")
    elif told["driver"] is None:
        yield blocks("GPUs", f"SLURM gave GPUs on {at} ({devices}), but nvidia-smi finds no driver there, so torch "
                     "has none; cluster.gpus_per_node=0 trains on the CPU")  # fmt: skip
    else:
        yield blocks("GPUs", f"{at} has driver {told['driver']}, and torch {told['torch']} finds no GPU ({devices}); "
                     "its CUDA is newer than the driver, or it was built for the CPU")  # fmt: skip


def _locks(told: Answer, at: str, *, is_other_host: bool) -> Finding:
    held = told["lock"] == "held"
    if held and is_other_host:
        return fine("locks", f"flock reaches from this host to {at}")
    if held:
        return fine(
            "locks", f"flock holds between this process and a job; {at} is this host, of others it says nothing"
        )
    why = "does not reach" if told["lock"] == "free" else f"fails ({told['lock']})"
    return mind("locks", f"flock {why} from this host to {at}; a run that starts elsewhere while its old process may "
                f"live waits {STALE_SECONDS:.0f} s for that one's heartbeat to stand still")  # fmt: skip


def _clock(asked_node: Asked, at: str) -> Finding:
    ahead = asked_node.answer["clock"] - asked_node.ended
    behind = asked_node.began - asked_node.answer["clock"]
    off = max(ahead, behind, 0.0)
    way = "ahead of" if ahead > behind else "behind"
    if off > MUNGE_SECONDS / 2:
        return blocks(
            "clock", f"of {at} is {off:.0f} s {way} this host's; SLURM refuses credentials beyond {MUNGE_SECONDS} s"
        )
    if off > 2:
        return mind(
            "clock", f"of {at} is {off:.0f} s {way} this host's; locks do not compare clocks, times in logs differ"
        )
    return fine("clock", f"of {at} agrees with this host's within the time that the job took")


def other_hosts(hosts: Sequence[str], here: str) -> list[str]:
    """Hosts that are not this one, whatever their domain."""
    own = here.partition(".")[0]
    return [host for host in hosts if host.partition(".")[0] not in (own, "localhost")]
