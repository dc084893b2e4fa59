"""What SLURM says: which jobs are in the queue; asked by its own commands, without its accounting."""

import os
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

from repro.errors import ReproError, first_line
from repro.sweep.plan.job import QueueState

ANSWER_SECONDS = 60.0
OF_THE_SITE = ("SLURM_CONF", "SLURM_JWT")
"""Variables that say which SLURM is meant."""

_OF_A_JOB = ("SLURM_", "SLURMD_", "SBATCH_", "SRUN_", "SQUEUE_", "SCONTROL_", "SACCT_", "SALLOC_", "SUBMITIT_")
_OF_A_TEAM = ("RANK", "LOCAL_RANK", "WORLD_SIZE", "LOCAL_WORLD_SIZE", "GROUP_RANK", "MASTER_ADDR", "MASTER_PORT")


_PENDING = ("PENDING", "REQUEUED", "REQUEUE_HOLD", "REQUEUE_FED", "SPECIAL_EXIT", "RESV_DEL_HOLD", "CONFIGURING")

_IDS_AT_ONCE = 500
"""Ids on one command line."""

NEVER = "DependencyNeverSatisfied"
"""Why a job stays in the queue for ever: what it waits for has failed."""


class QueueError(ReproError):
    """SLURM does not answer, or refuses."""


@dataclass(frozen=True)
class Entry:
    """A job in the queue: one place of an array, or a single job.

    Attributes:
        job_id: such as 17_3.
        name: of the job.
        state: in SLURM's word, such as PENDING.
        account: that it is charged to.
        quality: of service.
        reason: why it is in that state.
    """

    job_id: str
    name: str
    state: str
    account: str
    quality: str
    reason: str

    @property
    def queue_state(self) -> QueueState:
        """The same in ours."""
        if self.reason == NEVER:
            return QueueState.BLOCKED
        return QueueState.PENDING if self.state in _PENDING else QueueState.RUNNING

    @property
    def place(self) -> int:
        """The place in the array; 0 for a single job."""
        return int(self.job_id.partition("_")[2] or 0)


def asked(*command: str, seconds: float = ANSWER_SECONDS) -> str:
    """What a command of SLURM prints.

    Raises:
        QueueError: there is no such command, it fails, or gives no answer in time.
    """
    try:
        done = subprocess.run(command, capture_output=True, encoding="utf-8", errors="replace", timeout=seconds,
                              env=clean(os.environ), check=False)  # fmt: skip
    except OSError as error:
        raise QueueError(f"{command[0]} cannot be started here ({error.strerror}); SLURM is asked on its login node, "
                         "where its commands are") from error  # fmt: skip
    except subprocess.TimeoutExpired as error:
        raise QueueError(f"{command[0]} has given no answer for {seconds:.0f} s") from error
    if done.returncode:
        said = first_line(ReproError(done.stderr or f"exit code {done.returncode}"))
        raise QueueError(f"{command[0]} failed: {said.removeprefix(f'{command[0]}: error: ')}")
    return done.stdout


def entries() -> list[Entry]:
    """The user's jobs in the queue, one for each place of an array.

    Raises:
        QueueError: squeue is not there, fails, or gives no answer.
    """
    lines = asked("squeue", "--me", "--noheader", "--array", "--format=%i|%j|%T|%a|%q|%r").splitlines()
    found = (line.strip().split("|", 5) for line in lines)
    return [Entry(*words) for words in found if len(words) == 6]


def cancel(job_ids: Sequence[str]) -> None:
    """Takes jobs out of the queue.

    Raises:
        QueueError: scancel is not there, fails, or gives no answer.
    """
    for start in range(0, len(job_ids), _IDS_AT_ONCE):
        asked("scancel", *job_ids[start : start + _IDS_AT_ONCE])


def clean(environment: Mapping[str, str]) -> dict[str, str]:
    """An environment without what belongs to a job that this process may be in."""
    return {
        name: value
        for name, value in environment.items()
        if name in OF_THE_SITE or not (name.startswith(_OF_A_JOB) or name in _OF_A_TEAM)
    }


@contextmanager
def clean_environment() -> Iterator[None]:
    """While entered, this process's environment is clean."""
    before = dict(os.environ)
    kept = clean(before)
    for name in before.keys() - kept.keys():
        del os.environ[name]
    try:
        yield
    finally:
        os.environ.update({name: before[name] for name in before.keys() - kept.keys()})
