"""What a cluster does to jobs, done on purpose: each fault strikes one job, or one node, of a study that is at work."""

import contextlib
import os
import random
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from time import monotonic

from tests.slurm.study import Study

WORK_SECONDS = 240.0
"""Longest wait for a job that a fault can strike."""

ONE_REQUEST_SECONDS = 4.0
"""scancel asks again after five seconds where a job is on its way out, and would strike its next start too."""


class Faults:
    """Strikes jobs of a study, and says so.

    Attributes:
        killed: runs whose processes were killed, which may take steps twice.
    """

    def __init__(self, study: Study, seed: int = 0) -> None:
        self.study, self.cluster = study, study.cluster
        self.killed: set[str] = set()
        self._chance, self._began = random.Random(seed), monotonic()
        self._struck: set[str] = set()

    def say(self, text: str) -> None:
        """A line with the time since the beginning."""
        print(f"{monotonic() - self._began:6.1f} s  {text}", flush=True)

    def victim(self, node: str | None = None) -> str:
        """A job at work, on a node or any; one that no fault has struck yet where there is such a one."""
        found: list[str] = []

        def look() -> bool:
            there = self.study.at_work()
            found[:] = sorted(job for job in there if node is None or self.study.node_of(job) == node)
            return bool(found)

        self.cluster.wait_for(look, WORK_SECONDS, f"a job at work on {node or 'any node'}")
        chosen = self._chance.choice([job for job in found if job not in self._struck] or found)
        self._struck.add(chosen)
        return chosen

    def notice(self) -> None:
        """Tells a job by USR2 that its end comes, as a time limit does."""
        job = self.victim()
        with contextlib.suppress(subprocess.TimeoutExpired):
            self.cluster.run("scancel", "--signal=USR2", job, seconds=ONE_REQUEST_SECONDS)
        run = self.study.run_of(job)
        self.cluster.wait_for(lambda: self.study.was_told(run, "SIGUSR2"), 60, f"the notice to reach {job}")
        self.say(f"{job} was told by USR2")

    def requeue(self) -> None:
        """Has SLURM put a job into the queue again, which ends it by SIGTERM."""
        job = self.victim()
        self.cluster.run("scontrol", "requeue", job)
        self.say(f"{job} was requeued by the administrator")

    def preempt(self, node: str) -> None:
        """Lets a job of a higher partition take a whole node for a few seconds."""
        struck = [
            job for job, state in self.study.queue().items() if state == "RUNNING" and self.study.node_of(job) == node
        ]
        cores = self.cluster.flavour.cpus
        urgent = self.cluster.submit("sleep 3", "--partition=gpu", f"--nodelist={node}", f"--cpus-per-task={cores}")
        self.say(f"{urgent} asks for all of {node}, where {', '.join(struck) or 'nothing'} runs")
        states = self.cluster.wait_for_end(urgent, 180)
        self.say(f"{urgent} is {states[urgent]}")

    def kill_worker(self) -> None:
        """Kills the processes of a job, as a lack of memory does."""
        job = self.victim()
        self.killed.add(self.study.run_of(job).run_id)
        count = sum(_kill(process) for process in processes_of(job))
        self.say(f"{job} lost {count} processes by SIGKILL")

    def lose_node(self, node: str) -> None:
        """Kills the daemon of a node and waits until SLURM knows it; its jobs come again while old processes go on."""
        job = self.victim(node)
        self.cluster.kill_node(node)
        self.say(f"the daemon of {node} was killed, where {job} is at work")
        self.cluster.wait_for(lambda: self.cluster.node_state(node).startswith("down"), 120, f"{node} to be down")
        alive = len(processes_of(job))
        state = self.cluster.states(job).get(job)
        if state == "PENDING":
            self.cluster.release(job)
        self.say(f"{node} is down, {job} is {state}; {alive} processes of it live")

    def return_node(self, node: str) -> None:
        """Starts the daemon of a node again."""
        self.cluster.start_node(node)
        self.cluster.wait_for(lambda: not self.cluster.node_state(node).startswith("down"), 90, f"{node} to be back")
        self.say(f"{node} is back")


@contextmanager
def quota(folder: Path, kibibytes: int) -> Iterator["Quota"]:
    """A folder that holds only so much, as where a user's quota ends."""
    folder.mkdir(parents=True)
    subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={kibibytes}k,mode=755", "tmpfs", folder], check=True)
    try:
        yield Quota(folder)
    finally:
        subprocess.run(["umount", "--lazy", folder], check=True)


class Quota:
    """How much a folder may hold."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def raise_to(self, mebibytes: int) -> None:
        """Makes room."""
        subprocess.run(["mount", "-o", f"remount,size={mebibytes}m", self.folder], check=True)


def processes_of(job: str) -> list[int]:
    """The Python processes of a job, be SLURM aware of them or not."""
    array, _, task = job.partition("_")
    wanted = {f"SLURM_ARRAY_JOB_ID={array}", f"SLURM_ARRAY_TASK_ID={task}"} if task else {f"SLURM_JOB_ID={array}"}
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            with contextlib.suppress(OSError):  # ended meanwhile
                variables = set((entry / "environ").read_bytes().decode("utf-8", "replace").split("\0"))
                if wanted <= variables and "python" in (entry / "cmdline").read_text("utf-8", "replace").split("\0")[0]:
                    found.append(int(entry.name))
    return found


def _kill(process: int) -> bool:
    try:
        os.kill(process, signal.SIGKILL)
    except ProcessLookupError:
        return False
    return True
