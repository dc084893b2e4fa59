"""sbatch through submitit: one array, or one job, from a submission and the settings of the cluster."""

import io
import shlex
from contextlib import redirect_stderr
from pathlib import Path

from submitit.core.utils import FailedJobError, FailedSubmissionError
from submitit.slurm.slurm import SlurmExecutor

from repro.errors import first_line
from repro.sweep.clusters.slurm.queue import QueueError
from repro.sweep.clusters.slurm.settings import SlurmSettings
from repro.sweep.clusters.slurm.snapshot import Snapshot, further_path
from repro.sweep.clusters.slurm.submissions import Submission
from repro.sweep.clusters.slurm.task import Task

START = "repro.sweep.clusters.slurm.start"
UNTHROTTLED = 1_000_000
"""Jobs of an array at a time where SLURM alone decides."""


class RefusedError(QueueError):
    """sbatch gave no job."""


class _Executor(SlurmExecutor):
    """Has jobs begin with a look at their code."""

    def __init__(self, submission: Submission, settings: SlurmSettings) -> None:
        super().__init__(submission.folder, submission.timeouts, python=settings.python)
        self._file = submission.file

    @property
    def _submitit_command_str(self) -> str:
        return f"{self.python} -u -m {START} {shlex.quote(str(self._file))}"


def hand_over(submission: Submission, settings: SlurmSettings, dependency: str | None) -> str:
    """Submits an array, or a single job; returns its id.

    Raises:
        RefusedError: sbatch refuses, or gives no answer; the queue may have the jobs all the same.
    """
    tasks = [Task(str(submission.job(place).job_path)) for place in range(len(submission.runs))]
    try:
        executor = _Executor(submission, settings)
        executor.update_parameters(**parameters(submission, settings, dependency))
        with redirect_stderr(io.StringIO()):  # submitit prints what the error says too
            if len(tasks) == 1:
                return str(executor.submit(tasks[0]).job_id)
            with executor.batch():
                submitted = [executor.submit(task) for task in tasks]
            return str(submitted[0].job_id).partition("_")[0]
    except (FailedJobError, FailedSubmissionError, RuntimeError, OSError) as error:
        raise RefusedError(f"sbatch refused: {first_line(error).removeprefix('sbatch: error: ')}") from error


def parameters(submission: Submission, settings: SlurmSettings, dependency: str | None) -> dict[str, object]:
    """What submitit writes into the file for sbatch."""
    return {
        "job_name": submission.name,
        **{name.replace("-", "_"): value for name, value in settings.place.items()},
        "time": settings.limit_minutes,
        "nodes": settings.nodes,
        "ntasks_per_node": settings.processes_per_node,
        "cpus_per_task": settings.cpus_per_process,
        "mail_user": settings.mail_user,
        "mail_type": settings.mail_type,
        "signal_delay_s": settings.signal_seconds,
        "dependency": dependency,
        "array_parallelism": settings.jobs_at_a_time or UNTHROTTLED,
        "wckey": None,  # which submitit would set, and some sites refuse
        "stderr_to_stdout": True,
        "setup": _setup(Snapshot(Path(submission.snapshot)), settings),
        # srun does not take the cores over from sbatch; one process that fails is to take the others down
        "srun_args": [f"--cpus-per-task={settings.cpus_per_process}", "--kill-on-bad-exit=1"],
        "additional_parameters": {"requeue" if settings.requeue else "no-requeue": True, **settings.extra_parameters},
    }


def _setup(snapshot: Snapshot, settings: SlurmSettings) -> list[str]:
    """Shell lines before the job: the site's own, then what makes Python find the snapshot first."""
    path = ":".join([*snapshot.python_path, *further_path()])
    scratch = [f'export TMPDIR="{settings.scratch}"', 'mkdir -p "$TMPDIR"'] if settings.scratch else []
    return [
        *settings.setup,
        *scratch,
        f"export PYTHONPATH={shlex.quote(path)}",
        # without the folder that the command was given in, before all else; all letters, in any locale
        f"export PYTHONSAFEPATH=1 PYTHONUTF8=1 OMP_NUM_THREADS={settings.cpus_per_process}",
    ]
