"""`python -m repro.sweep.clusters.worker FILE`: carries out one frozen job and leaves its result beside the file."""

import sys
from pathlib import Path

from repro.errors import ReproError
from repro.sweep.clusters.jobs import DONE, FrozenJob, Result, carry_out


def main(path: Path) -> int:
    """Carries out the job of a file; returns 0 if everything asked for is there, 128 + n after signal n, else 1."""
    try:
        job = FrozenJob.read(path)
        result = carry_out(job, lambda text: print(text, file=sys.stderr, flush=True))
        result.write(job.result_path)
    except ReproError as error:
        result = Result("failed", str(error), exit_code=1)
    if result.state != DONE:
        print(f"{result.state}: {result.message}", file=sys.stderr)
    return result.exit_code


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(
            "error: give the file of one job; python -m repro.sweep submit=true cluster=local starts workers itself"
        )
    sys.exit(main(Path(sys.argv[1])))
