"""cluster=inline: one job after the other, in this process."""

from collections.abc import Callable, Sequence

from repro.engine.stop import StopRequest
from repro.sweep.clusters.jobs import Ending, FrozenJob, Result, carry_out, describe, without_upstream

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
            result = without_upstream(job) if job.lacks_upstream() else carry_out(job, say)
            results[job.run_id] = result
            say(f"[{number}/{len(jobs)}] {describe(result)}")
            if result.ending is Ending.INTERRUPTED:
                break
    return results
