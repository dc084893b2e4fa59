"""A plan as lines of text."""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence

from repro.experiments.measurement import Kind
from repro.experiments.measurements import Measurements
from repro.papers import SpecError
from repro.sweep.plan.job import Job, JobState, Wanted
from repro.sweep.plan.plan import Plan
from repro.sweep.plan.words import cut, headed, many

ROWS_UP_TO_TABLES = 6
"""Chosen tables up to which every row is shown; beyond, one line per table."""

MESSAGES = 10

_WORTH_A_ROW = (Kind.RUN, Kind.SAME_AS, Kind.NOT_AT_THIS_SCALE, Kind.NOT_RUN)
_COUNTED_IN_WORDS = {Kind.SETTING: "settings", Kind.STATIC: "from the network alone"}


def plan_lines(plan: Plan, found: Measurements) -> Iterator[str]:
    """The tables with the state of their rows, then what the whole takes, trouble last."""
    yield from head_lines(plan, found)
    yield from table_lines(plan, found)
    yield ""
    yield from _totals(plan)
    yield from _not_built(plan)
    yield from trouble(plan.jobs.values())


def head_lines(plan: Plan, found: Measurements) -> Iterator[str]:
    """Scale and seeds."""
    yield f"scale {found.scale.name}: {found.scale.title}"
    yield f"seed{'s' if len(plan.seeds) > 1 else ''} {', '.join(map(str, plan.seeds))}"
    yield ""


def table_lines(plan: Plan, found: Measurements) -> Iterator[str]:
    """The tables with the state of their rows, one line for each table where there are many."""
    chosen = {table.key: [] for table in found.tables}  # type: dict[str, list[Wanted]]
    for item in plan.wanted:
        if item.measurement.address.table in chosen and not item.is_reference:
            chosen[item.measurement.address.table].append(item)
    shown = {key: items for key, items in chosen.items() if items}
    width = max(map(len, shown), default=0)
    for key, items in shown.items():
        if len(shown) <= ROWS_UP_TO_TABLES:
            yield f"{key}: {found.library.tables[key].title}"
            yield from _rows(plan, items)
        else:
            yield f"{key:{width}}  {_kinds(plan, items)}"


def _rows(plan: Plan, items: Sequence[Wanted]) -> Iterator[str]:
    rows: dict[tuple[str, str], list[Wanted]] = {}
    for item in items:
        rows.setdefault((item.measurement.address.row, item.reading), []).append(item)
    lines, others = [], []
    for (label, reading), cells in rows.items():
        worth = [item for item in cells if item.measurement.kind in _WORTH_A_ROW]
        if worth:
            lines.append((f"    {reading}" if reading else label, _row_state(plan, worth)))
        else:
            kinds = (item.measurement.kind for item in cells if item.measurement.kind is not Kind.SETTING)
            others.append(next(kinds, Kind.BLANK))
    width = min(50, max((len(label) for label, _ in lines), default=0))
    for label, state in lines:
        yield cut(f"  {label:{width}}  {state}")
    if others:
        counts = ", ".join(f"{count} {_word(kind)}" for kind, count in Counter(others).items())
        yield f"  {'and ' if lines else ''}{many(len(others), 'row')} not run: {counts}"


def _row_state(plan: Plan, cells: Iterable[Wanted]) -> str:
    states: Counter[JobState] = Counter()
    words = []
    for item in cells:
        if item.needs_training:
            states.update(plan.state(item, seed) for seed in plan.seeds)
        else:
            kind, reason = item.measurement.kind, item.measurement.reason
            words.append(f"{kind} {reason}" if kind is Kind.SAME_AS else f"{kind}: {reason}")
    return ", ".join([*_counted(states, alone=True), *dict.fromkeys(words)])


def _kinds(plan: Plan, items: Iterable[Wanted]) -> str:
    """Counts of cells in one line: those that are run by state, the others by why they are not."""
    states: Counter[JobState] = Counter()
    kinds: Counter[Kind] = Counter()
    for item in items:
        if item.needs_training:
            states.update(plan.state(item, seed) for seed in plan.seeds)
        elif item.measurement.kind not in (Kind.SETTING, Kind.BLANK):
            kinds[item.measurement.kind] += 1
    parts = [*_counted(states), *(f"{count} {_word(kind)}" for kind, count in kinds.items())]
    return ", ".join(parts) or "nothing to measure"


def _counted(states: Counter[JobState], *, alone: bool = False) -> list[str]:
    present: list[JobState] = [state for state in JobState if states[state]]
    if alone and len(present) == 1:
        return [str(present[0])]
    return [f"{states[state]} {state}" for state in present]


def _totals(plan: Plan) -> Iterator[str]:
    own = [item for item in plan.wanted if not item.is_reference]
    kinds = Counter("to be trained" if item.needs_training else _word(item.measurement.kind) for item in own)
    counts = ", ".join(f"{count} {kind}" for kind, count in kinds.most_common())
    yield from headed("cells", f"{len(own)}: {counts}")
    references = sum(item.is_reference for item in plan.wanted)
    if references:
        yield from headed("", f"and {references} of other tables, which some of these are differences to")
    evaluations = sum(len(job.evaluations) for job in plan.jobs.values())
    saved = plan.trainings_per_cell - len(plan.jobs)
    saving = f"; one for each cell would be {plan.trainings_per_cell}" if saved > 0 else ""
    yield from headed("trainings", f"{len(plan.jobs)} distinct, with {many(evaluations, 'evaluation')}{saving}")
    if plan.jobs:
        yield from headed("state", ", ".join(_counted(Counter(job.state for job in plan.jobs.values()))))


def _not_built(plan: Plan) -> Iterator[str]:
    """What the code lacks, each with the tables that wait for it."""
    waiting: dict[str, Counter[str]] = {}
    for item in plan.wanted:
        if item.measurement.kind is Kind.NOT_BUILT:
            for thing in item.measurement.reason.split("; "):
                waiting.setdefault(thing, Counter())[item.measurement.address.table] += 1
    if waiting:
        yield "not built"
    for thing, tables in sorted(waiting.items(), key=lambda entry: -entry[1].total()):
        names = [table for table, _ in tables.most_common()]
        more = f" and {len(names) - 2} more tables" if len(names) > 2 else ""
        yield cut(f"  {thing}: {many(tables.total(), 'cell')} of {', '.join(names[:2])}{more}")


TROUBLE = (JobState.RUNNING, JobState.UNKNOWN, JobState.FAILED, JobState.BLOCKED, JobState.STALE)


def trouble(
    jobs: Iterable[Job], states: Iterable[JobState] = TROUBLE, most: int | None = MESSAGES, way_to_all: str = ""
) -> Iterator[str]:
    """Running jobs with their place, failed ones with their errors, and what these block.

    Args:
        jobs: of a plan.
        states: those that are told of, in order.
        most: jobs told of in each state; None: all.
        way_to_all: what shows the others, said where some are left out.
    """
    jobs = list(jobs)
    for state in states:
        there = [job for job in jobs if job.state is state]
        if there:
            yield state
        for job in there[:most]:
            yield f"  {job.title} ({job.run_id}): {job.reason or 'without a message'}"
        if most is not None and len(there) > most:
            yield f"  and {len(there) - most:,} more" + (f"; all with {way_to_all}" if way_to_all else "")


def problem_lines(problems: Sequence[SpecError]) -> Iterator[str]:
    """Mistakes in the files of the papers."""
    if problems:
        yield f"problems in the papers' files: {len(problems)}"
    for problem in problems[:MESSAGES]:
        yield f"  {problem}"
    if len(problems) > MESSAGES:
        yield f"  and {len(problems) - MESSAGES} more"


def finished_sentence(plan: Plan) -> str:
    """What to say where nothing is left to be done."""
    if not plan.jobs:
        return "nothing of this can be run here: see the reasons above"
    recorded = sum(job.state is JobState.RECORDED for job in plan.jobs.values())
    listed = f", {recorded} of them by the committed list of records" if recorded else ""
    done = (JobState.DONE, JobState.RECORDED)
    if all(job.state in done for job in plan.jobs.values()) and len(plan.jobs) == 1:
        return "nothing to do: the one training is done and recorded"
    return f"nothing to do: all {len(plan.jobs)} trainings are done and recorded{listed}"


def _word(kind: Kind) -> str:
    return _COUNTED_IN_WORDS.get(kind, kind)
