"""`python -m repro.sweep.clusters.worker FILE`: carries out one frozen job and leaves its result beside the file."""

import sys
from pathlib import Path

from repro.engine.fallen import ended
from repro.engine.ranks import own_rank
from repro.errors import ReproError
from repro.store.files import remove
from repro.store.jobs import JobFolder
from repro.sweep.clusters.jobs import Ending, FrozenJob, Result, blocked, carry_out


def main(path: Path) -> int:
    """Carries out the job of a file; returns 0 if everything asked for is there, 128 + n after signal n, else 1."""
    return ended(carried_out(path).exit_code)


def carried_out(path: Path, *, unattended: bool = False) -> Result:
    """Carries out the job of a file, leaves the result beside it, and says what was not done.

    Args:
        path: the file.
        unattended: as of `run`.
    """
    result_path = JobFolder.of(path).result_path
    try:
        if own_rank().leads:
            remove(result_path)  # of an earlier start of the same job
        job = FrozenJob.read(path)
        job.check_id()
        result = blocked(job) or carry_out(job, _say, unattended=unattended)
    except ReproError as error:
        result = Result(Ending.FAILED, str(error), exit_code=1)
    leave(result, result_path)
    return result


def leave(result: Result, path: Path) -> None:
    """Says what was not done; of several processes the one that leads writes the result."""
    if result.ending is not Ending.DONE:
        _say(f"{result.ending}: {result.message}")
    if not own_rank().leads:
        return
    try:
        result.write(path)
    except ReproError as error:
        _say(f"warning: the result is not kept: {error}")  # the exit code still tells it


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(
            "error: give the file of one job; python -m repro.sweep submit=true cluster=local starts workers itself."
        )
    sys.exit(main(Path(sys.argv[1])))
