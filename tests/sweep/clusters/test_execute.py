"""How a sweep ends: what it says, what is to be done next, and its exit code."""

import pytest

from repro.store.status import RunState
from repro.sweep.clusters.execute import CLUSTERS, closing_lines, execute, exit_code, frozen
from repro.sweep.clusters.jobs import Ending, Result
from repro.sweep.plan.job import Observed
from repro.sweep.plan.plan import distinct_jobs, make_plan
from repro.sweep.request import ClusterKind, read_request
from tests.sweep.fakes import want

WANTED = [want("a"), want("b"), want("b mirrored", "b", protocol="flip")]
DONE = {
    "a#0": Observed(RunState.FINISHED, weights=True, evaluations=frozenset({"a#0@whole"})),
    "b#0": Observed(RunState.FINISHED, weights=True, evaluations=frozenset({"b#0@whole", "b#0@flip"})),
}
FAILED = {**DONE, "b#0": Observed(RunState.FAILED, message="the disk is full")}
HELD = {**DONE, "b#0": Observed(RunState.RUNNING, held=True, message="training")}


@pytest.fixture
def request_(tmp_path):
    return read_request(["table=mine/*", f"outputs={tmp_path}", "submit=true"])


def plan_of(observed):
    return make_plan(WANTED, (0,), distinct_jobs(WANTED, (0,)), observed, ())


TODO = [frozen(job) for job in plan_of({}).jobs.values()]


def test_a_frozen_job_has_a_configuration_for_each_evaluation_that_is_missing():
    first, second = TODO
    assert (first.run_id, first.upstream, len(first.configurations)) == ("a#0", None, 1)
    assert [item.evaluation_id for item in second.configurations] == ["b#0@whole", "b#0@flip"]
    assert second.title == "mine/table1: b @ mIoU and 1 more, seed 0"
    chain = [want("c", "first", "c")]
    jobs = make_plan(chain, (0,), distinct_jobs(chain, (0,)), {}, ()).jobs
    assert [item.names for item in frozen(jobs["first#0"]).configurations] == [("first",)]
    assert frozen(jobs["first>c#0"]).upstream == "first#0"


@pytest.mark.parametrize(
    ("observed", "results", "code"),
    [
        (DONE, {"a#0": Result(Ending.DONE), "b#0": Result(Ending.DONE)}, 0),
        (FAILED, {"a#0": Result(Ending.DONE), "b#0": Result(Ending.FAILED, "the disk is full", exit_code=1)}, 1),
        (HELD, {"a#0": Result(Ending.DONE), "b#0": Result(Ending.ELSEWHERE, "held", exit_code=1)}, 1),
        (DONE, {"a#0": Result(Ending.DONE)}, 1),
        ({}, {"a#0": Result(Ending.INTERRUPTED, "stopped by SIGTERM", exit_code=143)}, 143),
        ({}, {"a#0": Result(Ending.INTERRUPTED, "killed", exit_code=1)}, 130),
        ({}, {}, 1),
    ],
)
def test_the_exit_code_is_0_only_if_everything_is_there(observed, results, code):
    assert exit_code(plan_of(observed), TODO, results) == code


def test_where_all_is_done_the_report_is_next(request_):
    results = {"a#0": Result(Ending.DONE), "b#0": Result(Ending.DONE)}
    last = closing_lines(request_, plan_of(DONE), TODO, results)[-1]
    assert last.startswith("all 2 trainings are done and recorded; next: python -m repro.report 'table=mine/*'")
    nothing = closing_lines(request_, plan_of(DONE), [], {})
    assert nothing[-1].startswith("nothing to do: all 2 trainings are done and recorded; next: python -m repro.report")


def test_where_something_failed_retry_is_next_and_the_reason_is_told(request_):
    results = {"a#0": Result(Ending.DONE), "b#0": Result(Ending.FAILED, "the disk is full", exit_code=1)}
    lines = closing_lines(request_, plan_of(FAILED), TODO, results)
    assert "\n".join(lines).count("the disk is full") == 1
    assert lines[-1].startswith("1 of 2 done now, 1 of 2 trainings still open; next: python -m repro.sweep")
    assert lines[-1].endswith("action=retry repeats what failed")
    assert "submit" not in lines[-1]


def test_a_failure_that_no_run_folder_tells_is_told_here(request_):
    results = {"b#0": Result(Ending.FAILED, "its process ended with exit code 3", exit_code=1)}
    lines = closing_lines(request_, plan_of({"a#0": DONE["a#0"]}), TODO[1:], results)
    assert "  mine/table1: b @ mIoU and 1 more, seed 0 (b#0): failed: its process ended with exit code 3" in lines
    assert lines[-1].endswith("the same command goes on")


def test_where_another_process_works_on_a_run_it_is_waited_for(request_):
    results = {"a#0": Result(Ending.DONE), "b#0": Result(Ending.ELSEWHERE, "held by pid 1", exit_code=1)}
    lines = closing_lines(request_, plan_of(HELD), TODO, results)
    assert "next: wait for the running ones;" in lines[-1]
    assert "action=status shows them" in lines[-1]


def test_every_kind_of_cluster_can_carry_jobs_out():
    assert {*CLUSTERS, ClusterKind.SLURM} == set(ClusterKind)  # which is not waited for


def test_jobs_are_registered_while_they_last_and_the_plan_is_looked_at_anew(request_, monkeypatch, capsys):
    seen = []

    def run(jobs, settings, board):
        running = request_.selection.outputs.running_sweeps_path
        seen.append([path.suffix for path in sorted(running.iterdir())])
        return {job.run_id: Result(Ending.DONE) for job in jobs}

    monkeypatch.setitem(CLUSTERS, ClusterKind.INLINE, run)
    jobs = list(plan_of({}).jobs.values())
    assert execute(request_, jobs, lambda: plan_of(DONE)) == 0
    assert seen == [[".json", ".lock"]]
    assert not list(request_.selection.outputs.running_sweeps_path.iterdir())
    assert capsys.readouterr().out.splitlines()[-1].startswith("all 2 trainings are done")
    assert execute(request_, [], lambda: plan_of(DONE)) == 0
    assert len(seen) == 1
