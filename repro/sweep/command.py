"""The command of a sweep: plan, show, carry out; speaks in sentences and fails with an exit code."""

import signal
import sys
from collections.abc import Iterator, Sequence
from dataclasses import replace
from fnmatch import fnmatchcase

from repro.compose import config_folder
from repro.errors import ReproError
from repro.experiments import Measurements
from repro.papers import Library, SpecError, load_papers
from repro.sweep.cost import estimate_lines
from repro.sweep.estimate import estimate
from repro.sweep.execute import execute, report_command
from repro.sweep.local import slots_of
from repro.sweep.observe import observe, recorded_evaluations
from repro.sweep.plan import BLOCKED, FAILED, RUNNING, TO_DO, TO_EVALUATE, Job, Plan, distinct_jobs, make_plan
from repro.sweep.register import cancel
from repro.sweep.request import Request, read_request, wanted_cells
from repro.sweep.settings import with_settings
from repro.sweep.text import finished_sentence, plan_lines, problem_lines

USER_MISTAKE = 2
HELP = ("help", "--help", "-h")


def main(arguments: Sequence[str] | None = None) -> int:
    """`python -m repro.sweep`; returns the exit code, 0 only on success."""
    words = sys.argv[1:] if arguments is None else list(arguments)
    if any(word in HELP for word in words):
        print(help_text())
        return 0
    try:
        request = read_request(words)
        if request.action == "cancel" and not request.patterns:
            return cancelled(request, None)
        library = load_papers(request.sweeps_folders)
        return Sweep(request, library).carry_out()
    except ReproError as error:
        print(f"error: {str(error).rstrip('.')}.", file=sys.stderr)
        return USER_MISTAKE
    except KeyboardInterrupt:
        return 128 + signal.SIGINT


class Sweep:
    """One request on the papers: the cells wanted, their jobs, and the plan as things stand."""

    def __init__(self, request: Request, library: Library) -> None:
        self.request, self.library = request, library
        self.wanted, self.found = wanted_cells(request, library)
        jobs = distinct_jobs(self.wanted, request.seeds)
        self.jobs = with_settings(jobs, request.run, request.outputs, request.conf_folder)

    def plan(self, *, retry: bool = False) -> Plan:
        """What is to be done now; with `retry`, what failed is to be done again."""
        observed = observe(self.request.outputs, self.jobs)
        if retry:
            observed = {key: replace(seen, state=None) if seen.state == FAILED.upper() else seen
                        for key, seen in observed.items()}  # fmt: skip
        recorded = recorded_evaluations(self.request.reports)
        return make_plan(self.wanted, self.request.seeds, self.jobs, observed, recorded)

    def carry_out(self) -> int:
        """Does what was asked for, and returns the exit code."""
        request = self.request
        if request.action == "cancel":
            return cancelled(request, list(self.jobs))
        plan = self.plan()
        for line in plan_lines(plan, self.found):
            print(line)
        if request.action == "plan":
            slots = self.slots()
            for line in estimate_lines(estimate(plan, request.outputs, slots), slots):
                print(line)
        problems = relevant_problems(request, self.library, self.found)
        for line in problem_lines(problems):
            print(line)
        print()
        if request.action == "retry":
            code = execute(request, self.to_retry(plan), self.plan)
        elif request.submit and request.action == "plan":
            code = execute(request, plan.in_state(TO_DO, TO_EVALUATE), self.plan)
        else:
            print(next_step(request, plan))
            code = 0
        return code or (1 if problems else 0)

    def slots(self) -> int:
        """Jobs at a time on the cluster chosen."""
        if self.request.cluster["kind"] != "local":
            return 1
        return len(slots_of(self.request.cluster, [job.config["runtime"]["device"] for job in self.jobs.values()]))

    def to_retry(self, plan: Plan) -> list[Job]:
        """What failed, what it blocked, and trainings whose weights these need once more."""
        chosen = {job.run_id for job in plan.in_state(FAILED, BLOCKED)}
        anew = self.plan(retry=True)
        for job in reversed(list(anew.jobs.values())):
            if job.run_id in chosen and job.upstream:
                chosen.add(job.upstream)
        return [job for job in anew.in_state(TO_DO, TO_EVALUATE) if job.run_id in chosen]


def relevant_problems(request: Request, library: Library, found: Measurements) -> list[SpecError]:
    """Mistakes in the files of the tables chosen, and in what they rest on."""

    def concerns(problem: SpecError) -> bool:
        key = f"{problem.file.parent.name}/{problem.file.stem}"
        patterns = [item if "/" in item else f"*/{item}" for item in request.patterns]
        papers = {table.paper for table in found.tables}
        if problem.file.stem in ("paper", "ledger"):
            return problem.file.parent.name in papers
        return any(fnmatchcase(key, pattern) for pattern in patterns)

    return [problem for problem in [*library.problems, *found.problems] if concerns(problem)]


def next_step(request: Request, plan: Plan) -> str:
    """The closing line of a plan or of a status."""
    todo = len(plan.in_state(TO_DO, TO_EVALUATE))
    if todo:
        kind = request.cluster["kind"]
        how = "one after the other, in this process" if kind == "inline" else f"cluster={kind}"
        steps = [f"{request.command('submit=true') if request.action == 'plan' else request.command('action=plan', 'submit=true')}"
                 f" carries out {todo} ({how})"]  # fmt: skip
    else:
        steps = []
    if plan.in_state(FAILED):
        steps.append(f"{request.command('action=retry')} repeats what failed")
    if plan.in_state(RUNNING) and not steps:
        steps.append(f"wait for the running ones; {request.command('action=cancel')} ends them")
    if steps:
        return "next: " + "; ".join(steps)
    sentence = finished_sentence(plan)
    return f"{sentence}; next: {report_command(request)}" if plan.jobs else sentence


def cancelled(request: Request, runs: list[str] | None) -> int:
    """Asks running processes to end and says which."""
    lines = list(cancel(request.outputs, runs))
    for line in lines:
        print(line)
    status = f"; {request.command('action=status')} shows when they have" if runs is not None else ""
    print(f"each ends after a checkpoint{status}" if lines else "nothing to cancel: none of these is running here")
    return 0


def help_text() -> str:
    """What the command takes: the settings of conf/sweep.yaml with their comments, and the clusters."""
    return "\n".join(_help_lines())


def _help_lines() -> Iterator[str]:
    settings = (config_folder() / "sweep.yaml").read_text().splitlines()
    yield "repro.sweep: plans the trainings that tables need, and carries them out."
    yield "Usage: python -m repro.sweep table=<paper>/<table> [key=value ...]"
    yield "\nSettings"
    yield from (f"  {line}" for line in settings if line and line[0].isalpha() and not line.startswith("defaults"))
    for file in sorted((config_folder() / "cluster").glob("*.yaml")):
        lines = file.read_text().splitlines()
        yield f"\ncluster={file.stem}: {lines[1].lstrip('# ')}"
        yield from (f"  cluster.{line}" for line in lines if line and line[0].isalpha() and not line.startswith("kind"))
    yield "\nExamples"
    yield from (f"  {example}" for example in EXAMPLES)


EXAMPLES = (
    "python -m repro.sweep table=vortex/table1 scale=smoke                  what it takes, and what is done already",
    "python -m repro.sweep table=vortex/table1 scale=smoke submit=true      carry it out; again after any interruption",
    "python -m repro.sweep table='gald/*' seeds=3 cluster=local             all tables of a paper, three seeds each",
    "python -m repro.sweep ledger=vortex setting=width scale=shapes         what a choice left open by the paper changes",
    "python -m repro.sweep table=vortex/table1 scale=smoke action=retry     repeat what failed",
    "python -m repro.sweep action=cancel                                    end what runs here, after a checkpoint",
)
