from dataclasses import replace

from repro.store.status import RunState
from repro.sweep.plan.job import Observed, Queued, QueueState, Wanted
from repro.sweep.plan.plan import distinct_jobs, make_plan
from repro.sweep.plan.standing import Standing
from repro.sweep.plan.status_text import status_lines
from tests.composed import measured

RUNNING = Observed(RunState.RUNNING, message="training", step=7, standing=Standing(7, 40, 0.5, 31.0, 900.0),
                   queued=Queued("17_3", QueueState.RUNNING))  # fmt: skip


def lines_of(observed, most=10):
    found = measured("smoke", "vortex/table1")
    wanted = [Wanted(item) for item in found.values()]
    jobs = distinct_jobs(wanted, (0, 1))
    seen = dict(zip(jobs, observed, strict=False))
    return list(status_lines(make_plan(wanted, (0, 1), jobs, seen, ()), found, seen, most))


def test_the_states_come_first_and_the_tables_after_them():
    waiting = [Observed(queued=Queued(f"18_{place}", QueueState.PENDING, reason))
               for place, reason in enumerate(["Priority", "Resources", "Priority"])]  # fmt: skip
    slower = replace(RUNNING, standing=Standing(9, 40, 0.5, 31.0, 7200.0))
    failed = [Observed(RunState.FAILED, message="the disk is full"), Observed(lost="job 9 is gone from the queue")]
    seen = [RUNNING, slower, replace(RUNNING, standing=None), *waiting, *failed]
    lines = lines_of(seen)
    first = lines.index("")
    assert lines[first + 1 : lines.index("", first + 1)] == [
        "3           running: the first ends in about 15 min, the last in 2.0 hours; 1 before the first step",
        "3           queued: 2 Priority, 1 Resources",
        "2           failed",
        "4           to do",
    ]
    assert any(line.startswith("vortex/table1: ") for line in lines)
    text = "\n".join(lines)
    assert ": job 17_3, training, step 7 of 40, loss 0.500, 31 images/s, about 15 min left" in text
    assert ": job 18_0: Priority" in text
    assert ": the disk is full" in text
    assert ": job 9 is gone from the queue" in text


def test_long_lists_say_what_shows_all():
    seen = [Observed(RunState.FAILED, message="no")] * 12
    assert "  and 9 more; all with jobs_shown=null" in lines_of(seen, most=3)
    assert sum(": no" in line for line in lines_of(seen, most=None)) == 12
    assert lines_of([])[-1] != "failed"


def test_what_waits_for_ever_is_told_of():
    dead = Observed(queued=Queued("9_1", QueueState.BLOCKED, "DependencyNeverSatisfied"))
    assert any("1 wait in the queue for what has failed" in line for line in lines_of([dead]))
