"""Hands jobs to SLURM through submitit, each chunk announced in a file before, and does not wait for them."""

import io
import secrets
import shlex
from collections.abc import Callable, Mapping, Sequence
from contextlib import redirect_stderr
from dataclasses import dataclass, field, replace
from pathlib import Path

from submitit.slurm.slurm import SlurmExecutor

from repro.store.lock import FolderLock
from repro.store.outputs import Outputs
from repro.sweep.clusters.jobs import FrozenJob
from repro.sweep.clusters.local import Slot, fitted
from repro.sweep.clusters.slurm.chunks import Chunk, Limits, Pending, chunked
from repro.sweep.clusters.slurm.queue import clean_environment, entries
from repro.sweep.clusters.slurm.settings import SlurmSettings
from repro.sweep.clusters.slurm.snapshot import Snapshot, further_path, make_snapshot
from repro.sweep.clusters.slurm.submissions import Answer, Submission, file_of, queued_runs
from repro.sweep.plan.job import Queued

Say = Callable[[str], None]
START = "repro.sweep.clusters.slurm.start"


@dataclass
class Submitted:
    """What became of some jobs.

    Attributes:
        ids: run id to its job in the queue.
        left: runs that were not submitted.
        reasons: why, in sentences.
    """

    ids: dict[str, str] = field(default_factory=dict)
    left: list[str] = field(default_factory=list)
    reasons: list[str] = field(default_factory=list)


def submit(
    outputs: Outputs, jobs: Sequence[FrozenJob], settings: SlurmSettings, folders: Sequence[Path], title: str, say: Say
) -> Submitted:
    """Submits jobs that are not in the queue yet.

    Args:
        outputs: where the runs are.
        jobs: each after its upstream.
        settings: what SLURM is asked for.
        folders: of YAML of the user's own.
        title: of the sweep, which the names of the jobs begin with.
        say: takes a line about each array.

    Raises:
        QueueError: SLURM does not answer.
        StoreError: the disk refuses, or another process is submitting.
    """
    with clean_environment(), FolderLock(outputs.submissions_path / "lock", "submit", brief=True):
        queued = queued_runs(outputs, entries())
        todo = {job.run_id: job for job in jobs if job.run_id not in queued}
        pending = [Pending(job.run_id, job.upstream if job.upstream in todo else None, _after(job, queued))
                   for job in todo.values()]  # fmt: skip
        chunks, left = chunked(pending, Limits())
        snapshot = make_snapshot(outputs, [item for job in todo.values() for item in job.configurations], folders)
        name = f"{title}.{secrets.token_hex(3)}"
        submitter = _Submitter(outputs, todo, settings, snapshot, name, say)
        return submitter.submit(chunks, left)


def _after(job: FrozenJob, queued: Mapping[str, Queued]) -> str | None:
    before = queued.get(job.upstream or "")
    return None if before is None else before.job_id


class _Executor(SlurmExecutor):
    """Starts our own check of the code first."""

    def __init__(self, submission: Submission, file: Path, python: str | None) -> None:
        super().__init__(submission.folder, submission.timeouts, python=python)
        self._file = file

    @property
    def _submitit_command_str(self) -> str:
        return f"{self.python} -u -m {START} {shlex.quote(str(self._file))}"


@dataclass
class _Submitter:
    outputs: Outputs
    jobs: Mapping[str, FrozenJob]
    settings: SlurmSettings
    snapshot: Snapshot
    name: str
    say: Say

    def submit(self, chunks: Sequence[Chunk], left: list[str]) -> Submitted:
        done = Submitted(left=left)
        arrays: list[str] = []
        for number, chunk in enumerate(chunks):
            dependency = None
            if chunk.before is not None:
                dependency = f"{'aftercorr' if len(chunk.runs) > 1 else 'afterok'}:{arrays[chunk.before]}"
            elif chunk.after is not None:
                dependency = f"afterok:{chunk.after}"
            job_id = self._hand_over(number, chunk, dependency)
            arrays.append(job_id)
            places = [f"{job_id}_{place}" for place in range(len(chunk.runs))] if len(chunk.runs) > 1 else [job_id]
            done.ids |= zip(chunk.runs, places, strict=True)
        return done

    def _hand_over(self, number: int, chunk: Chunk, dependency: str | None) -> str:
        from repro.sweep.clusters.slurm.task import Task

        name = f"{self.name}.{number}"
        files = [str(self._freeze(run).absolute()) for run in chunk.runs]
        folder = (self.settings.log_folder or self.outputs.submissions_path).expanduser() / name
        submission = Submission(name, chunk.runs, tuple(files), str(self.snapshot.path), str(folder.absolute()),
                                self.settings.limit_minutes, self.settings.timeouts_margin)  # fmt: skip
        submission.write(self.outputs)
        executor = _Executor(submission, file_of(self.outputs, name).absolute(), self.settings.python)
        executor.update_parameters(**parameters(self.settings, self.snapshot, name, dependency))
        with redirect_stderr(io.StringIO()):
            if len(files) == 1:
                submitted = [executor.submit(Task(files[0]))]
            else:
                with executor.batch():
                    submitted = [executor.submit(Task(file)) for file in files]
        job_id = submitted[0].job_id.partition("_")[0]
        replace(submission, answer=Answer.ACCEPTED, job_id=job_id).write(self.outputs)
        return job_id

    def _freeze(self, run: str) -> Path:
        job, _ = fitted(self.jobs[run], Slot(None, self.settings.cpus_per_process))
        return job.freeze()


def parameters(settings: SlurmSettings, snapshot: Snapshot, name: str, dependency: str | None) -> dict[str, object]:
    """What submitit writes into the file for sbatch."""
    path = ":".join([*snapshot.python_path, *further_path()])
    scratch = [f'export TMPDIR="{settings.scratch}"', 'mkdir -p "$TMPDIR"'] if settings.scratch else []
    environment = [
        f"export PYTHONPATH={shlex.quote(path)}",
        f"export PYTHONSAFEPATH=1 PYTHONUTF8=1 OMP_NUM_THREADS={settings.cpus_per_process}",
    ]
    return {
        "job_name": name,
        "partition": settings.partition,
        "account": settings.account,
        "qos": settings.qos,
        "constraint": settings.constraint,
        "time": settings.limit_minutes,
        "mem": None if settings.memory_gib is None else f"{round(settings.memory_gib * 1024)}M",
        "gpus_per_node": settings.gpus_per_node or None,
        "nodes": settings.nodes,
        "ntasks_per_node": settings.processes_per_node,
        "cpus_per_task": settings.cpus_per_process,
        "mail_user": settings.mail_user,
        "mail_type": settings.mail_type,
        "signal_delay_s": settings.signal_seconds,
        "dependency": dependency,
        "array_parallelism": settings.jobs_at_a_time or 1_000_000,
        "wckey": None,
        "stderr_to_stdout": True,
        "setup": [*settings.setup, *environment, *scratch],
        "srun_args": [f"--cpus-per-task={settings.cpus_per_process}", "--kill-on-bad-exit=1"],
        "additional_parameters": {"requeue" if settings.requeue else "no-requeue": True, **settings.extra_parameters},
    }
