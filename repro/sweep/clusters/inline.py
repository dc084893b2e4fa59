"""cluster=inline: one job after the other, in this process."""

from collections.abc import Callable, Sequence

from repro.engine.stop import StopRequest
from repro.sweep.clusters.jobs import BLOCKED, INTERRUPTED, FrozenJob, Result, carry_out, describe

Say = Callable[[str], None]


def run_inline(jobs: Sequence[FrozenJob], say: Say) -> dict[str, Result]:
    """Carries out jobs that stand each after its upstream; stops after the one that a signal ends.

    Returns:
        Run id to result; jobs that were not reached are absent.
    """
    results: dict[str, Result] = {}
    with StopRequest() as stop:
        for number, job in enumerate(jobs, 1):
            if stop.requested():
                break
            say(f"[{number}/{len(jobs)}] {job.title}, run {job.run_id}")
            if job.lacks_upstream():
                results[job.run_id] = Result(BLOCKED, f"run {job.upstream}, which it starts from, has no weights here")
            else:
                results[job.run_id] = carry_out(job, say)
            result = results[job.run_id]
            say(f"[{number}/{len(jobs)}] {describe(result)}")
            if result.state == INTERRUPTED:
                break
    return results
