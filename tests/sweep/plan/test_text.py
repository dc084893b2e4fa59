from dataclasses import replace

from repro.papers import SpecError
from repro.store.status import RunState
from repro.sweep.plan.job import JobState, Observed, Wanted
from repro.sweep.plan.plan import distinct_jobs, make_plan
from repro.sweep.plan.text import MESSAGES, finished_sentence, plan_lines, problem_lines, trouble
from repro.sweep.plan.words import WIDTH
from tests.composed import measured, papers


def lines_of(pattern, seeds=(0, 1), observed=None):
    found = measured("smoke", pattern)
    wanted = [Wanted(item) for item in found.values()]
    jobs = distinct_jobs(wanted, seeds)
    return list(plan_lines(make_plan(wanted, seeds, jobs, observed or {}, ()), found)), jobs


def test_rows_stand_with_their_state_and_what_is_not_run_is_counted():
    lines, jobs = lines_of("vortex/table1")
    assert "  Module A (13 x 13)  to do" in lines
    assert "trainings   12 distinct, with 12 evaluations" in lines
    failed = {next(iter(jobs)): Observed(RunState.FAILED, message="the disk is full")}
    lines, _ = lines_of("vortex/table1", observed=failed)
    assert "  ASPP                1 failed, 1 to do" in lines
    assert "state       1 failed, 11 to do" in lines
    assert any(line.endswith(": the disk is full") for line in lines)
    lines, _ = lines_of("vortex/table3")
    assert any(line.endswith("rows not run: 11 cited, 1 server only") for line in lines)


def test_what_is_not_built_is_grouped_with_the_tables_that_wait():
    lines, _ = lines_of("gald/table4")
    start = lines.index("not built")
    assert any("metric=latency_ms (" in line for line in lines[start:])
    assert all(len(line) <= WIDTH for line in lines[start:])


def test_many_tables_take_one_line_each():
    lines, _ = lines_of("[vd]*/*")
    assert sum(line.startswith(("vortex/table1 ", "dsnet/table3 ")) for line in lines) == 2
    assert not any(line.startswith("  Module B") for line in lines)


def test_a_difference_is_shown_as_run_and_its_reference_is_counted():
    found = measured("smoke", "vortex/table1")
    items = list(found.values())
    wanted = [Wanted(items[0]), Wanted(items[1], is_reference=True)]
    plan = make_plan(wanted, (0,), distinct_jobs(wanted, (0,)), {}, ())
    lines = list(plan_lines(plan, found))
    assert "cells       1: 1 to be trained" in lines
    assert "            and 1 of other tables, which some of these are differences to" in lines
    assert len(plan.jobs) == 2


def test_long_lists_of_trouble_are_cut():
    _, jobs = lines_of("vortex/table1", seeds=(0, 1))
    failed = [replace(job, state=JobState.FAILED, reason="no") for job in jobs.values()]
    lines = list(trouble(failed))
    assert len(failed) == 12
    assert lines[0] == "failed"
    assert lines[-1] == f"  and {12 - MESSAGES} more"
    problem = SpecError(papers().tables["vortex/table1"].file, 3, "no")
    assert list(problem_lines([problem] * 12))[-1] == "  and 2 more"
    assert list(problem_lines([])) == []


def test_where_nothing_can_be_run_the_plan_says_so():
    found = measured("smoke", "vortex/table3")
    plan = make_plan([Wanted(item) for item in found.values()], (0,), {}, {}, ())
    assert finished_sentence(plan).startswith("nothing of this can be run here")
