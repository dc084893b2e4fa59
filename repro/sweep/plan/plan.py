"""Wanted cells -> distinct trainings with their evaluations, and what is to be done about each; pure functions."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from repro.sweep.plan.job import Job, JobState, Observed, Queued, QueueState, Wanted


@dataclass(frozen=True)
class Plan:
    """What is wanted, and the jobs that it takes, each after the one that it starts from."""

    wanted: tuple[Wanted, ...]
    seeds: tuple[int, ...]
    jobs: Mapping[str, Job]

    def state(self, wanted: Wanted, seed: int) -> JobState:
        """State of one cell that needs a training, for one seed."""
        job = self.jobs[wanted.measurement.run_id(seed)]
        evaluation = wanted.measurement.evaluation_id(seed)
        if evaluation in job.missing:
            return job.state
        return JobState.RECORDED if evaluation in job.recorded else JobState.DONE

    def in_state(self, *states: JobState) -> list[Job]:
        """The jobs in some states, in order."""
        return [job for job in self.jobs.values() if job.state in states]

    @property
    def open_jobs(self) -> list[Job]:
        """The jobs that there is something to carry out of, in order."""
        return [job for job in self.jobs.values() if job.state.is_open]

    @property
    def trainings_per_cell(self) -> int:
        """Trainings that it would take if every cell were trained for itself, stages included."""
        own = [item.measurement for item in self.wanted if item.needs_training and not item.is_reference]
        return sum(len(measurement.chain.links) for measurement in own) * len(self.seeds)


def distinct_jobs(wanted: Iterable[Wanted], seeds: Sequence[int]) -> dict[str, Job]:
    """The distinct trainings behind some cells, each after its upstream, with state unknown."""
    jobs: dict[str, Job] = {}
    for item in wanted:
        if not item.needs_training:
            continue
        for seed in seeds:
            _add_chain(jobs, item, seed)
    return jobs


def _add_chain(jobs: dict[str, Job], item: Wanted, seed: int) -> None:
    chain = item.measurement.chain
    upstream = None
    for link, configuration in zip(chain.links, chain.configurations(seed), strict=True):
        last = link is chain.links[-1]
        run_id = configuration.run_id
        job = jobs.get(run_id) or Job(run_id, configuration, upstream=upstream)
        evaluations = dict(job.evaluations)
        if last:
            evaluations.setdefault(configuration.evaluation_id, configuration)
        name = str(item) if last else f"{item}, stage {link.stage}"
        cells = job.cells if name in job.cells else (*job.cells, name)
        jobs[run_id] = replace(job, evaluations=evaluations, cells=cells)
        upstream = run_id


def make_plan(
    wanted: Iterable[Wanted],
    seeds: Sequence[int],
    jobs: Mapping[str, Job],
    observed: Mapping[str, Observed],
    recorded: Collection[str],
) -> Plan:
    """Decides what is to be done about each job.

    Args:
        wanted: the cells.
        seeds: the seeds that each is wanted for.
        jobs: from `distinct_jobs`.
        observed: run id to what is on disk; a run that is absent has nothing there.
        recorded: evaluation ids in the committed list of records.
    """
    nothing = Observed()
    found = {run_id: _judged(job, observed.get(run_id, nothing), recorded) for run_id, job in jobs.items()}
    for run_id, job in found.items():
        before, upstream = observed.get(job.upstream or "", nothing), found.get(job.upstream or "")
        is_stale = _is_stale(observed.get(run_id, nothing), before)
        if job.state is JobState.DONE and (is_stale or (upstream and upstream.state is JobState.STALE)):
            since = "has been trained anew since" if is_stale else "is stale itself"
            reason = f"run {job.upstream}, which it started from, {since}"
            found[run_id] = replace(job, state=JobState.STALE, reason=reason, missing=tuple(job.evaluations))
    following: dict[str | None, list[str]] = {}
    for run_id, job in jobs.items():
        following.setdefault(job.upstream, []).append(run_id)
    for run_id in reversed(list(found)):  # downstream first: who still needs weights?
        job = found[run_id]
        states = {found[other].state for other in following.get(run_id, ())}
        needed = any(not state.is_settled and state is not JobState.TO_EVALUATE for state in states)
        if not needed and not job.evaluations and job.state in (JobState.TO_DO, JobState.FAILED):
            found[run_id] = replace(job, state=JobState.NOT_NEEDED, reason="what starts from it is done")
        elif needed and job.state.is_settled and not observed.get(run_id, nothing).weights:
            reason = "its weights, which others start from, are not here"
            found[run_id] = replace(job, state=JobState.TO_DO, reason=reason)
    for run_id, job in found.items():
        upstream = found.get(job.upstream or "")
        if upstream is None or job.state not in (JobState.TO_DO, JobState.STALE):
            continue
        if upstream.state is JobState.FAILED:
            cause = f"run {upstream.run_id} failed: {upstream.reason}"
            found[run_id] = replace(job, state=JobState.BLOCKED, reason=cause)
        elif upstream.state is JobState.BLOCKED:
            found[run_id] = replace(job, state=JobState.BLOCKED, reason=upstream.reason)
    return Plan(tuple(wanted), tuple(seeds), found)


def _is_stale(seen: Observed, before: Observed) -> bool:
    """Whether a run has started from other weights than the run before it has now."""
    return None not in (seen.start_digest, before.digest) and seen.start_digest != before.digest


def _in_queue(queued: Queued, place: str) -> tuple[JobState, str]:
    match queued.state:
        case QueueState.RUNNING:
            return JobState.RUNNING, ", ".join(filter(None, [f"job {queued.job_id}", place]))
        case QueueState.PENDING:
            return JobState.QUEUED, f"job {queued.job_id}: {queued.reason}"
        case QueueState.BLOCKED:  # for ever; whether what it waits for is still to be had is seen in the whole plan
            return JobState.TO_DO, f"job {queued.job_id} waits for one that failed, and makes room for another"


def _judged(job: Job, seen: Observed, recorded: Collection[str]) -> Job:
    """The job with its state, whatever becomes of its upstream."""
    only_listed = frozenset(item for item in job.evaluations if item in recorded and item not in seen.evaluations)
    missing = tuple(item for item in job.evaluations if item not in seen.evaluations and item not in only_listed)
    state, reason = JobState.TO_DO, ""
    if not missing and (job.evaluations or seen.weights):
        state = JobState.RECORDED if only_listed else JobState.DONE
    elif seen.held:
        state = JobState.RUNNING
        reason = seen.place
    elif seen.queued is not None:
        state, reason = _in_queue(seen.queued, seen.place)
    elif seen.lost:
        state, reason = JobState.FAILED, seen.lost
    elif seen.elsewhere:
        state, reason = JobState.UNKNOWN, f"held {seen.elsewhere}, which a start would watch for signs of life"
    elif seen.has_failed:
        state, reason = JobState.FAILED, seen.message
    elif seen.weights:
        state = JobState.TO_EVALUATE
    elif seen.step:
        reason = f"goes on from step {seen.step:,}"
    return replace(job, state=state, reason=reason, missing=missing, recorded=only_listed)
