"""Many small runs on a cluster: submitted by the command, watched by their folders, held against undisturbed ones."""

import json
import os
import re
from collections import Counter
from collections.abc import Sequence
from contextlib import redirect_stdout
from io import StringIO
from pathlib import Path
from unittest.mock import patch

from repro.store.journal import newest_step, read_journal
from repro.store.outputs import Outputs
from repro.store.run_folder import RunFolder
from repro.sweep.plan.job import Job, JobState
from tests.one_second_paper import TRAINING, row, sweep, write_table
from tests.slurm.cluster import Cluster
from tests.slurm.slow_network import PAUSE
from tests.sweep.planning import sweep_for

SLOW = "backbone._target_=tests.slurm.slow_network.Slow"
CPU = ["cluster=slurm", "cluster.gpus_per_node=0", "cluster.cpus_per_process=1", "cluster.limit_hours=1"]


class Study:
    """One table of one's own on a cluster.

    Args:
        folder: for the table, the outputs, and those of the undisturbed runs.
        widths: a row for each.
        seeds: of each row.
        steps: of each run.
        pause_seconds: that each step takes longer on the cluster; no number depends on it.
        words: further settings of the sweep.
    """

    def __init__(
        self,
        cluster: Cluster,
        folder: Path,
        *,
        widths: Sequence[int],
        seeds: int,
        steps: int,
        pause_seconds: float,
        words: Sequence[str] = (),
    ) -> None:
        self.cluster, self.folder = cluster, folder
        self.seeds, self.steps = f"seeds={seeds}", steps
        rows = [row(f"R{width}", f"head.width={width}", f"schedule.length={steps} steps", "head.dropout=0.3")
                for width in widths]  # fmt: skip
        self.papers = write_table(folder / "papers", rows, run=[*TRAINING, SLOW])
        self.outputs = Outputs(folder / "outputs")
        setup = f"cluster.setup=['export {PAUSE}={pause_seconds}']"
        self.words = [
            *CPU,
            setup,
            self.seeds,
            "runtime.log_every_steps=1",
            "reports=" + str(folder / "reports"),
            *words,
        ]

    def command(self, *words: str) -> tuple[int, str]:
        """Gives the command of the sweep with some words more; returns the exit code, and what it printed."""
        printed = StringIO()
        with patch.dict(os.environ, self.cluster.environment), redirect_stdout(printed):
            code = sweep(self.papers, self.outputs.root, *self.words, *words)
        return code, printed.getvalue()

    def submit(self) -> int:
        """Submits what is neither done nor in the queue; returns how many jobs that were."""
        code, printed = self.command("submit=true")
        assert code == 0, printed
        return self._count(printed)

    def retry(self) -> int:
        """Submits what failed; returns how many jobs that were."""
        code, printed = self.command("action=retry")
        assert code == 0, printed
        return self._count(printed)

    @staticmethod
    def _count(printed: str) -> int:
        found = re.search(r"(\d+) of \d+ submitted", printed)
        return int(found[1]) if found else 0

    def jobs(self) -> dict[str, Job]:
        """Each run with its state, as `action=status` has it."""
        with patch.dict(os.environ, self.cluster.environment):
            return dict(sweep_for(self.papers, self.outputs.root, *self.words).plan().jobs)

    def queue(self) -> dict[str, str]:
        """What is in the queue of the study: job to its state."""
        lines = self.cluster.run("squeue", "--noheader", "--array", "--format=%i %T %j").splitlines()
        return {job: state for job, state, name in (line.split(None, 2) for line in lines) if name.startswith("mine")}

    def wait_until_nothing_is_queued(self, seconds: float) -> None:
        """Waits until the queue holds no job of the study any more."""
        self.cluster.wait_for(lambda: not self.queue(), seconds, "the end of all jobs of the study")

    def at_work(self, beyond: int = 1) -> dict[str, RunFolder]:
        """The job of each run that trains now, has taken more than so many steps, and is not at its end."""
        running = {job for job, state in self.queue().items() if state == "RUNNING"}
        found = {}
        for run in self.outputs.runs():
            jobs, step = _jobs_of(run), newest_step(run.journal_path) or 0
            if jobs and jobs[-1] in running and beyond < step < self.steps - 3:
                found[jobs[-1]] = run
        return found

    def run_of(self, job: str) -> RunFolder:
        """The run that a job has taken up."""
        return next(run for run in self.outputs.runs() if job in _jobs_of(run))

    @staticmethod
    def was_told(run: RunFolder, signal: str) -> bool:
        """Whether a process of a run was ended by a signal."""
        events = read_journal(run.journal_path).events
        return any(signal in str(event.fields) for event in events if event.kind == "interrupted")

    def node_of(self, job: str) -> str:
        """The node that a job runs on."""
        return self.cluster.run("squeue", "--noheader", f"--jobs={job}", "--format=%N").strip()

    def undisturbed(self) -> dict[str, str]:
        """Carries the same runs out in this process; run id to the digest of the weights."""
        outputs = Outputs(self.folder / "undisturbed")
        with redirect_stdout(StringIO()):
            assert (
                sweep(self.papers, outputs.root, "submit=true", self.seeds, f"reports={self.folder / 'reports'}") == 0
            )
        return digests(outputs)

    def told(self) -> str:
        """What the jobs have printed, for a failing test."""
        return "\n".join(file.read_text(errors="replace")[-2000:] for file in self.outputs.root.rglob("*_log.*"))


def _jobs_of(run: RunFolder) -> list[str]:
    """The jobs that have taken a run up, in their order."""
    events = read_journal(run.journal_path).events
    return [str(event.fields.get("job")) for event in events if event.kind == "started"]


def digests(outputs: Outputs) -> dict[str, str]:
    """Run id to the digest of its weights, of the runs that have a record."""
    found = {run.run_id: run.records() for run in outputs.runs()}
    return {run_id: str(records[0].weights_sha256) for run_id, records in found.items() if records}


def steps_taken(run: RunFolder) -> Counter[int]:
    """Step to how often it stands in the journal, what a later start has superseded included."""
    lines = [json.loads(line) for line in run.journal_path.read_text().splitlines()]
    return Counter(line["step"] for line in lines if "loss" in line.get("metrics", {}))


def states(jobs: dict[str, Job]) -> Counter[JobState]:
    """How many jobs are in each state."""
    return Counter(job.state for job in jobs.values())
