"""One request carried out: planned, shown, and what is left of it done."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from fnmatch import fnmatchcase

from repro.console import complain
from repro.engine.ranks import own_rank
from repro.errors import ConfigError
from repro.experiments.measurements import Measurements
from repro.experiments.readings import mistaken_readings
from repro.papers import Library, SpecError, Table
from repro.report.audit.own_lines import Known
from repro.sweep.clusters.slurm.left import handed_over, with_lost
from repro.sweep.clusters.slurm.submissions import look_at_queue
from repro.sweep.plan.job import Job, JobState, Observed
from repro.sweep.plan.known import known_evaluations
from repro.sweep.plan.listed import RecordsList
from repro.sweep.plan.look import Look, look
from repro.sweep.plan.memory_lines import memory_lines
from repro.sweep.plan.observe import observe
from repro.sweep.plan.plan import Plan, distinct_jobs, make_plan
from repro.sweep.plan.processes import refused_processes
from repro.sweep.plan.questions import questions
from repro.sweep.plan.run_settings import with_settings
from repro.sweep.plan.seeds import seed_lines
from repro.sweep.plan.status_text import status_lines
from repro.sweep.plan.text import ROWS_UP_TO_TABLES, finished_sentence, plan_lines, problem_lines
from repro.sweep.plan.wanted import wanted_cells
from repro.sweep.plan.words import headed
from repro.sweep.request import Action, ClusterKind, Request, read_request


def carry_out(overrides: Sequence[str]) -> int:
    """Carries out what a command line asks for; returns the exit code, 0 only on success.

    torch is loaded only once all is in order and something is to be done.

    Raises:
        ConfigError: a setting of a wrong kind, or a table or scale that there is not.
    """
    request = read_request(overrides)
    if own_rank().size > 1:
        raise ConfigError(
            "a sweep is one process, which starts those of its jobs: give the command by itself, with cluster=local "
            f"cluster.processes={own_rank().size}, instead of through torchrun or srun"
        )
    if request.action is Action.CANCEL and not request.selection.patterns:
        from repro.sweep.clusters.register import cancelled

        return cancelled(request, None)
    if request.action is Action.DOCTOR and not request.selection.patterns:
        from repro.sweep.doctor.doctor import examine

        return examine(request, [])
    library = request.selection.library()
    library.scale(request.scale)  # a mistake in it is told before anything is composed
    tables = request.tables_of(library)
    sweep = Sweep(request, library, tables)
    code = sweep.carry_out()
    while sweep.look is not None and request.is_carried_out and code == 0:
        following = Sweep(request, library, tables)
        if following.seeds == sweep.seeds:
            break
        sweep = following
        code = sweep.carry_out()
    return code


class Sweep:
    """One request on the papers: the cells wanted, their jobs, and the plan as things stand."""

    def __init__(self, request: Request, library: Library, tables: Sequence[Table]) -> None:
        self.request, self.library = request, library
        selection = request.selection
        wanted, self.found = wanted_cells(request, library, tables)
        self.wanted = with_settings(wanted, request.run, selection.outputs.root, selection.conf_folder)
        self._list = RecordsList(selection.reports, Known(library.scales, selection.conf_folder))
        self.listed = self._list.read()
        self.look: Look | None = None
        if request.seeds is None:
            self.look = look(self.wanted, self.found, selection.outputs, self.listed.evaluations)
        self.seeds = self.look.seeds if self.look is not None else request.seeds or ()
        self.jobs = distinct_jobs(self.wanted, self.seeds)
        self.queue_problem = ""
        self.longest_seconds: float | None = None
        self.observed: dict[str, Observed] = {}

    def plan(self, *, retry: bool = False) -> Plan:
        """What is to be done now; with `retry`, what failed is to be done again."""
        outputs = self.request.selection.outputs
        handed = {run_id: job for run_id, job in handed_over(outputs).items() if run_id in self.jobs}
        queued, self.queue_problem = look_at_queue(outputs, is_chosen=self.request.cluster.kind is ClusterKind.SLURM)
        observed = observe(outputs, self.jobs, queued)
        if handed and not self.queue_problem:
            observed = with_lost(observed, handed)
        if retry:
            observed = {key: replace(seen, state=None, message="", lost="") if seen.has_failed or seen.lost else seen
                        for key, seen in observed.items()}  # fmt: skip
        self.observed = observed
        self.listed = self._list.read()
        return make_plan(self.wanted, self.seeds, self.jobs, observed, self.listed.evaluations)

    def carry_out(self) -> int:
        """Does what was asked for, and returns the exit code."""
        request = self.request
        if request.action is Action.CANCEL:
            from repro.sweep.clusters.register import cancelled

            return cancelled(request, list(self.jobs))
        if request.action is Action.DOCTOR:
            from repro.sweep.doctor.doctor import examine

            return examine(request, [job.configuration for job in self.jobs.values()])
        plan = self.plan()
        is_status = request.action is Action.STATUS
        for line in (status_lines(plan, self.found, self.observed, request.jobs_shown) if is_status
                     else plan_lines(plan, self.found)):  # fmt: skip
            print(line)
        unlisted = self.listed.lines(item for job in plan.jobs.values() for item in job.missing)
        for line in (*unlisted, *(headed("queue", self.queue_problem) if self.queue_problem else ())):
            print(line)
        if request.action is Action.PLAN:
            for line in self.seed_lines():
                print(line)
            for line in self.estimate_lines(plan) if plan.open_jobs else ():
                print(line)
        problems = relevant_problems(request, self.library, self.found)
        problems += mistaken_readings(self.found, request.setting) if request.ledger else []
        for line in problem_lines(problems):
            print(line)
        todo = self.to_do(plan)
        refused = self.refused(todo)
        for sentence in refused:
            complain(sentence)
        print()
        code = 0
        if refused:
            print(f"nothing is started before {len(refused)} of {len(todo)} trainings are mended, see above")
        elif request.is_carried_out:
            code = self.execute(todo)
        else:
            print(next_step(request, plan))
        return code or (1 if problems or refused else 0)

    def to_do(self, plan: Plan) -> list[Job]:
        """What the request is to carry out, or would if it were submitted."""
        if self.request.action is Action.STATUS:
            return []
        return self.to_retry(plan) if self.request.action is Action.RETRY else plan.open_jobs

    def refused(self, jobs: Sequence[Job]) -> list[str]:
        """Sentences about jobs that would be refused: for how processes share their batches, and for their images."""
        if not jobs:
            return []
        if apart := list(refused_processes(jobs, self.request.cluster.processes)):
            return apart
        from repro.sweep.plan.images import refused_images  # loads torch, which a plan with nothing to do spares

        return list(refused_images(jobs, self.jobs, self.request.selection.outputs))

    def seed_lines(self) -> Iterator[str]:
        """What the seeds decide of the claims, table by table where only a few were chosen."""
        request, tables = self.request, [table for table in self.found.tables if table.claims]
        if request.ledger is not None or not 0 < len(tables) <= ROWS_UP_TO_TABLES:
            return
        known = known_evaluations(request.selection.outputs, self.jobs, self.listed.evaluations)
        for table in tables:
            if len(tables) > 1:
                yield table.key
            asked = questions(table, self.found, known, request.assumptions)
            number = None if self.look is not None else len(self.seeds)
            yield from seed_lines(asked, number, self.found.scale, request.assumptions)
        if self.look is not None:
            yield from self.look.lines()

    def estimate_lines(self, plan: Plan) -> Sequence[str]:
        """What the open jobs of a plan cost."""
        from repro.sweep.clusters.slurm.budget import lines, longest_seconds
        from repro.sweep.plan.cost import estimate_lines  # loads torch, which a plan with nothing to do spares
        from repro.sweep.plan.estimate import estimate

        slots, outputs, settings = self.slots(), self.request.selection.outputs, self.request.cluster.slurm
        found = estimate(plan, outputs, slots)
        shown = [*estimate_lines(found, slots), *memory_lines(plan.open_jobs, settings, outputs)]
        if settings is None:
            return shown
        self.longest_seconds = longest_seconds(found, on_gpu=settings.gpus_per_node > 0)
        return [*shown, *lines(settings, outputs, self.longest_seconds)]

    def execute(self, jobs: Sequence[Job]) -> int:
        """Carries jobs out, each after its upstream; returns the exit code, 0 only if the whole plan is done."""
        from repro.sweep.clusters.execute import execute  # as above

        if self.queue_problem and self.request.cluster.kind is ClusterKind.SLURM:
            print("nothing is submitted before SLURM answers, see above")
            return 1
        return execute(self.request, jobs, self.plan, self.longest_seconds)

    def slots(self) -> int:
        """Jobs at a time on the cluster chosen."""
        if self.request.cluster.kind is not ClusterKind.LOCAL:
            return 1
        from repro.sweep.clusters.local import slots_of

        devices = [job.configuration.settings.runtime.device for job in self.jobs.values()]
        return len(slots_of(self.request.cluster.slots, devices, self.request.cluster.processes))

    def to_retry(self, plan: Plan) -> list[Job]:
        """What failed, what it blocked, and trainings whose weights these need once more."""
        chosen = {job.run_id for job in plan.in_state(JobState.FAILED, JobState.BLOCKED)}
        anew = self.plan(retry=True)
        for job in reversed(list(anew.jobs.values())):
            if job.run_id in chosen and job.upstream:
                chosen.add(job.upstream)
        return [job for job in anew.open_jobs if job.run_id in chosen]


def relevant_problems(request: Request, library: Library, found: Measurements) -> list[SpecError]:
    """Mistakes in the files of the tables chosen, and in what they rest on."""

    def concerns(problem: SpecError) -> bool:
        key = f"{problem.file.parent.name}/{problem.file.stem}"
        patterns = [item if "/" in item else f"*/{item}" for item in request.selection.patterns]
        papers = {table.paper for table in found.tables}
        if problem.file.stem in ("paper", "ledger") or request.ledger not in (None, problem.file.parent.name):
            return problem.file.parent.name in papers
        return any(fnmatchcase(key, pattern) for pattern in patterns)

    return [problem for problem in [*library.problems, *found.problems] if concerns(problem)]


def next_step(request: Request, plan: Plan) -> str:
    """The closing line of a plan or of a status."""
    todo = len(plan.open_jobs)
    steps = []
    if todo:
        kind = request.cluster.kind
        how = "one after the other, in this process" if kind is ClusterKind.INLINE else f"cluster={kind}"
        changes = ("submit=true",) if request.action is Action.PLAN else ("action=plan", "submit=true")
        steps.append(f"{request.command(*changes)} carries out {todo} ({how})")
    if plan.in_state(JobState.FAILED):
        steps.append(f"{request.command('action=retry')} repeats what failed")
    if plan.in_state(JobState.RUNNING) and not steps:
        steps.append(f"wait for the running ones; {request.command('action=cancel')} ends them")
    if steps:
        return "next: " + "; ".join(steps)
    sentence = finished_sentence(plan)
    return f"{sentence}; next: {request.report_command()}" if plan.jobs else sentence
