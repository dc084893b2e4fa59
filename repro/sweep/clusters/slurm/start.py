"""`python -m repro.sweep.clusters.slurm.start FILE`: what a job of SLURM does before submitit takes over.

It holds that the submission was not given up meanwhile and that the code is the snapshot's, and hands its place in the
array over to submitit even where the submitter was killed before it could.
"""

import os
import secrets
import signal
import sys
from pathlib import Path

from repro.engine.stop import NOTICES
from repro.errors import ConfigError, ReproError, full_sentence
from repro.store.jobs import JobFolder
from repro.sweep.clusters.jobs import Ending, Result
from repro.sweep.clusters.slurm.snapshot import Snapshot
from repro.sweep.clusters.slurm.submissions import Answer, Submission


def main(file: Path) -> int:
    """Carries out the job of this process's place in the array; returns the exit code."""
    try:
        submission = Submission.read(file)
        if submission.answer is Answer.GIVEN_UP:
            raise ConfigError(f"{submission.name} was given up, since SLURM did not show it, and its runs were "
                              "submitted anew; this job leaves the work to the others")  # fmt: skip
    except ReproError as error:
        return _refused(error)
    job = submission.job(int(os.environ.get("SLURM_ARRAY_TASK_ID", 0)))
    try:
        Snapshot(Path(submission.snapshot)).check()
    except ReproError as error:
        Result(Ending.FAILED, str(error), exit_code=error.exit_code).write(job.result_path)
        return _refused(error)
    _carry_out(submission, job)
    return 0


def _refused(error: ReproError) -> int:
    print(full_sentence(f"error: {error}"), file=sys.stderr)
    return error.exit_code


def _carry_out(submission: Submission, job: JobFolder) -> None:
    from submitit.core.job_environment import JobEnvironment
    from submitit.core.submission import process_job
    from submitit.helpers import DelayedSubmission

    from repro.sweep.clusters.slurm.task import Task

    os.environ["SUBMITIT_FOLDER"] = submission.folder
    pickle = JobEnvironment().paths.submitted_pickle
    if not pickle.exists():
        delayed = DelayedSubmission(Task(str(job.job_path)))
        delayed.set_timeout(submission.limit_minutes, submission.timeouts)
        partial = pickle.with_name(f".{pickle.name}.{secrets.token_hex(4)}.partial")
        delayed.dump(partial)
        partial.replace(pickle)
    process_job(submission.folder)


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit("error: give the file of one submission; python -m repro.sweep submit=true cluster=slurm makes it.")
    signal.pthread_sigmask(signal.SIG_BLOCK, NOTICES)  # they would end it before anybody could answer; see `Task`
    sys.exit(main(Path(sys.argv[1])))
