"""One request carried out: planned, shown, and what is left of it done."""

from collections.abc import Sequence
from dataclasses import replace
from fnmatch import fnmatchcase

from repro.experiments import Measurements
from repro.experiments.readings import mistaken_alternatives
from repro.papers import Library, SpecError, Table
from repro.sweep.clusters.execute import execute, report_command
from repro.sweep.clusters.local import slots_of
from repro.sweep.clusters.register import cancelled
from repro.sweep.plan.cost import estimate_lines
from repro.sweep.plan.estimate import estimate
from repro.sweep.plan.observe import observe, recorded_evaluations
from repro.sweep.plan.plan import BLOCKED, FAILED, RUNNING, TO_DO, TO_EVALUATE, Job, Plan, distinct_jobs, make_plan
from repro.sweep.plan.run_settings import with_settings
from repro.sweep.plan.text import finished_sentence, plan_lines, problem_lines
from repro.sweep.plan.wanted import wanted_cells
from repro.sweep.request import Request


class Sweep:
    """One request on the papers: the cells wanted, their jobs, and the plan as things stand."""

    def __init__(self, request: Request, library: Library, tables: Sequence[Table]) -> None:
        self.request, self.library = request, library
        self.wanted, self.found = wanted_cells(request, library, tables)
        jobs = distinct_jobs(self.wanted, request.seeds)
        self.jobs = with_settings(jobs, request.run, request.outputs, request.conf_folder)

    def plan(self, *, retry: bool = False) -> Plan:
        """What is to be done now; with `retry`, what failed is to be done again."""
        observed = observe(self.request.outputs, self.jobs)
        if retry:
            observed = {key: replace(seen, state=None, message="") if seen.has_failed else seen
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
        problems += mistaken_alternatives(self.found, request.setting) if request.ledger else []
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
        if problem.file.stem in ("paper", "ledger") or request.ledger not in (None, problem.file.parent.name):
            return problem.file.parent.name in papers
        return any(fnmatchcase(key, pattern) for pattern in patterns)

    return [problem for problem in [*library.problems, *found.problems] if concerns(problem)]


def next_step(request: Request, plan: Plan) -> str:
    """The closing line of a plan or of a status."""
    todo = len(plan.in_state(TO_DO, TO_EVALUATE))
    steps = []
    if todo:
        kind = request.cluster["kind"]
        how = "one after the other, in this process" if kind == "inline" else f"cluster={kind}"
        changes = ("submit=true",) if request.action == "plan" else ("action=plan", "submit=true")
        steps.append(f"{request.command(*changes)} carries out {todo} ({how})")
    if plan.in_state(FAILED):
        steps.append(f"{request.command('action=retry')} repeats what failed")
    if plan.in_state(RUNNING) and not steps:
        steps.append(f"wait for the running ones; {request.command('action=cancel')} ends them")
    if steps:
        return "next: " + "; ".join(steps)
    sentence = finished_sentence(plan)
    return f"{sentence}; next: {report_command(request)}" if plan.jobs else sentence
