"""Carries out what a plan leaves to be done, on the cluster chosen, and says how it ended."""

import re
import signal
import sys
from collections.abc import Callable, Iterable, Mapping

from repro.sweep.clusters.inline import run_inline
from repro.sweep.clusters.jobs import Ending, FrozenJob, Result
from repro.sweep.clusters.local import run_local
from repro.sweep.clusters.progress import Board
from repro.sweep.clusters.register import registered
from repro.sweep.clusters.slurm.settings import SlurmSettings
from repro.sweep.plan.job import Job, JobState
from repro.sweep.plan.plan import Plan
from repro.sweep.plan.text import finished_sentence, trouble
from repro.sweep.request import Action, ClusterKind, ClusterSettings, Request

Cluster = Callable[[list[FrozenJob], ClusterSettings, Board], dict[str, Result]]

CLUSTERS: dict[ClusterKind, Cluster] = {
    ClusterKind.INLINE: lambda jobs, _, board: run_inline(jobs, board.say),
    ClusterKind.LOCAL: run_local,
}
"""Kind of a cluster that is waited for to what carries jobs out there: it returns how each that it began has ended."""


def frozen(job: Job) -> FrozenJob:
    """The job as a process needs it: one configuration for each evaluation to be made."""
    configurations = [job.evaluations[key] for key in job.missing] or [job.configuration]
    return FrozenJob(job.run_id, job.title, configurations, job.upstream, anew=job.state is JobState.STALE)


def execute(
    request: Request, jobs: Iterable[Job], replan: Callable[[], Plan], longest_seconds: float | None = None
) -> int:
    """Carries out jobs and prints how it went; returns the exit code, 0 only if the whole plan is done.

    Args:
        request: what was asked for.
        jobs: what is to be carried out, each after its upstream.
        replan: looks anew at what is there.
        longest_seconds: estimate of how long the longest job takes; None: not known.
    """
    todo = [frozen(job) for job in jobs]
    results: dict[str, Result] = {}
    board = Board(sys.stdout)
    if request.cluster.slurm is not None:
        return _hand_over(request, todo, request.cluster.slurm, board, longest_seconds)
    if todo:
        with registered(request.selection.outputs, [job.run_id for job in todo], request.command()):
            results = CLUSTERS[request.cluster.kind](todo, request.cluster, board)
    plan = replan()
    for line in closing_lines(request, plan, todo, results):
        board.say(line)
    return exit_code(plan, todo, results)


def _hand_over(
    request: Request, todo: list[FrozenJob], settings: SlurmSettings, board: Board, longest_seconds: float | None
) -> int:
    """Submits jobs and says which; returns 0 if none was left."""
    from repro.sweep.clusters.slurm.budget import lines, timeouts_of
    from repro.sweep.clusters.slurm.submit import Submitter  # loads submitit, which other clusters do without

    selection = request.selection
    folders = [*selection.sweeps_folders, *([selection.conf_folder] if selection.conf_folder else [])]
    if request.action is Action.RETRY:  # else the plan has said it
        for line in lines(settings, selection.outputs, longest_seconds):
            board.say(line)
    allowed = timeouts_of(settings, longest_seconds).allowed
    done = Submitter(selection.outputs, settings, _title(request), allowed, folders, board.say).submit(todo)
    for sentence in done.reasons:
        board.say(sentence)
    again = "the same command later submits the rest; " if done.left else ""
    board.say(f"{len(done.ids)} of {len(todo)} submitted; {again}next: {request.command('action=status')}")
    return 1 if done.left else 0


def _title(request: Request) -> str:
    """What the jobs are called in the queue."""
    first, *others = request.selection.patterns
    name = re.sub(r"[^\w.-]+", "-", first).strip("-") or "sweep"
    return f"{name}-and-{len(others)}-more" if others else name


def closing_lines(request: Request, plan: Plan, todo: list[FrozenJob], results: Mapping[str, Result]) -> list[str]:
    """How it ended, what failed and why, and what to do next."""
    done = sum(result.ending is Ending.DONE for result in results.values())
    lines = [""] if results else []
    silent = (Ending.DONE, Ending.INTERRUPTED)
    unwritten = [job for job in todo if job.run_id in results and results[job.run_id].ending not in silent]
    told = {job.run_id for job in plan.in_state(JobState.FAILED)}
    lines += trouble(plan.jobs.values())
    lines += [f"  {job.title} ({job.run_id}): {results[job.run_id].ending}: {results[job.run_id].message}"
              for job in unwritten if job.run_id not in told]  # fmt: skip
    open_jobs = len([job for job in plan.jobs.values() if not job.state.is_settled])
    if not open_jobs and plan.jobs:
        head = finished_sentence(plan) if not todo else f"all {len(plan.jobs)} trainings are done and recorded"
        return [*lines, f"{head}; next: {request.report_command()}"]
    if not open_jobs:
        return [*lines, finished_sentence(plan)]
    head = f"{done} of {len(todo)} done now, {open_jobs} of {len(plan.jobs)} trainings still open"
    return [*lines, f"{head}; next: {_next_step(request, plan)}"]


def _next_step(request: Request, plan: Plan) -> str:
    again = "the same command goes on"
    if plan.in_state(JobState.FAILED):
        retry = f"{request.command('action=retry')} repeats what failed"
        return f"{again}; {retry}" if plan.open_jobs else retry
    if plan.in_state(JobState.RUNNING) and not plan.open_jobs:
        return f"wait for the running ones; {request.command('action=status')} shows them"
    return again


def exit_code(plan: Plan, todo: list[FrozenJob], results: Mapping[str, Result]) -> int:
    """0 if all is done, 128 + n after signal n, else 1."""
    ended = [result.exit_code for result in results.values() if result.ending is Ending.INTERRUPTED]
    if ended:
        return max(ended) if max(ended) > 128 else 128 + signal.SIGINT
    unfinished = any(not job.state.is_settled for job in plan.jobs.values())
    broken = any(result.ending is not Ending.DONE for result in results.values()) or len(results) < len(todo)
    return 1 if unfinished or broken else 0
