"""What a job of SLURM does: it carries out one frozen job, and ends with the true exit code."""

import os
import sys
from pathlib import Path

from submitit.helpers import DelayedSubmission

from repro.sweep.clusters.worker import main


class Task:
    """Carries out the job of a file; what submitit hands over to the node and calls there.

    Args:
        job_path: file of a frozen job.
    """

    def __init__(self, job_path: str) -> None:
        self.job_path = job_path

    def __call__(self) -> None:
        """Returns only if everything asked for is there; else the process ends with the worker's exit code."""
        code = main(Path(self.job_path))
        if code:
            sys.stdout.flush()
            sys.stderr.flush()
            os._exit(code)  # submitit would make 1 of it

    def __submitit_checkpoint__(self) -> DelayedSubmission:
        """What a requeued job does: the same once more, which goes on from the newest checkpoint."""
        return DelayedSubmission(Task(self.job_path))

    checkpoint = __submitit_checkpoint__  # by which submitit tells that it may be requeued after its time limit
