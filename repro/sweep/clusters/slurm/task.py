"""What a job of SLURM does: it carries out one frozen job, and comes again or ends with the true exit code."""

import os
import signal
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import NoReturn

from submitit.core.job_environment import JobEnvironment
from submitit.core.utils import UncompletedJobError
from submitit.helpers import DelayedSubmission

from repro.engine.ranks import own_rank
from repro.engine.stop import NOTICES
from repro.errors import first_line
from repro.store.jobs import JobFolder
from repro.sweep.clusters.jobs import Ending, Result
from repro.sweep.clusters.slurm.queue import QueueError, asked
from repro.sweep.clusters.worker import carried_out, leave

LOOK_SECONDS = 10.0
"""Longest wait for an answer of SLURM between its notice and the end."""

RUNNING = "RUNNING"
"""SLURM's word for a job that it has neither ended nor queued again itself."""


class Task:
    """Carries out the job of a file; what submitit hands over to the node and calls there.

    Args:
        job_path: file of a frozen job.
    """

    def __init__(self, job_path: str) -> None:
        self.job_path = job_path

    def __call__(self) -> None:
        """Returns only if everything asked for is there; else the process ends with the true exit code.

        After a cluster's notice the run has written its checkpoint by now and nothing is at work, so that this is the
        place where submitit may put the job into the queue again; of several processes the one that leads asks for
        that, and the others wait for its end. The exit code is kept in the result's file as well, since srun reports
        143 of a step that it has ended.
        """
        signal.pthread_sigmask(signal.SIG_UNBLOCK, NOTICES)  # one that came since `start` is submitit's to answer
        result = carried_out(Path(self.job_path), unattended=True)
        if result.ending is Ending.DONE:
            return
        if result.ending is Ending.INTERRUPTED and result.exit_code - 128 in NOTICES and own_rank().leads:
            reason = _come_again()
            result = replace(result, message=f"{result.message}; not put into the queue again from here: {reason}")
            leave(result, JobFolder.of(Path(self.job_path)).result_path)
        _end(result)

    def __submitit_checkpoint__(self) -> DelayedSubmission:
        """What a requeued job does: the same once more, which goes on from the newest checkpoint."""
        return DelayedSubmission(Task(self.job_path))

    checkpoint = __submitit_checkpoint__  # by which submitit tells that it may be requeued after its time limit


def _come_again() -> str:
    """Has this job put into the queue again, which ends the process; returns why it is not to be."""
    if (state := _state_in_queue()) != RUNNING:
        return f"it is {state} there"
    try:
        # submitit's handler is back now, and leaves by SystemExit.
        signal.raise_signal(getattr(signal, f"SIG{JobEnvironment.USR_SIG}"))
    except UncompletedJobError as error:
        return first_line(error).removeprefix("Job not requeued because: ")
    except (OSError, subprocess.SubprocessError) as error:
        return f"it refuses ({first_line(error)})"
    return "submitit's handler is gone"


def _state_in_queue() -> str:
    """The state of this job in SLURM's word; where it gives no answer nothing speaks against running."""
    try:
        return asked("squeue", "--noheader", "--states=all", f"--jobs={os.environ['SLURM_JOB_ID']}", "--format=%T",
                     seconds=LOOK_SECONDS).strip()  # fmt: skip
    except QueueError:
        return RUNNING


def _end(result: Result) -> NoReturn:
    """Ends the process at once: submitit would make 1 of every exit code, and threads could hold up an ordinary end."""
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(result.exit_code or 1)
