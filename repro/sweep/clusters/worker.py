"""`python -m repro.sweep.clusters.worker FILE`: carries out one frozen job and leaves its result beside the file."""

import sys
from pathlib import Path

from repro.errors import ReproError
from repro.store.jobs import JobFolder
from repro.sweep.clusters.jobs import Ending, FrozenJob, Result, blocked, carry_out


def main(path: Path) -> int:
    """Carries out the job of a file; returns 0 if everything asked for is there, 128 + n after signal n, else 1."""
    try:
        job = FrozenJob.read(path)
        job.check_id()
        result = blocked(job) or carry_out(job, lambda text: print(text, file=sys.stderr, flush=True))
        result.write(JobFolder.of(path).result_path)
    except ReproError as error:
        result = Result(Ending.FAILED, str(error), exit_code=1)
    if result.ending is not Ending.DONE:
        print(f"{result.ending}: {result.message}", file=sys.stderr)
    return result.exit_code


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(
            "error: give the file of one job; python -m repro.sweep submit=true cluster=local starts workers itself."
        )
    sys.exit(main(Path(sys.argv[1])))
