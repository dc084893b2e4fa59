"""A request on a small paper: what it shows, what it says to do next, whose mistakes it tells; nothing is trained."""

import re

import pytest

from repro.store.outputs import Outputs
from repro.store.runs_csv import recorded, runs_csv
from repro.store.status import RunState
from repro.sweep.plan.job import JobState
from repro.sweep.sweep import next_step, relevant_problems
from tests.one_second_paper import row, sweep, write_ledger, write_table
from tests.report.made_runs import record_of
from tests.sweep.planning import plan_for, states_by_row, sweep_for

ROWS = [row("narrow"), row("wide", "head.width=32"), row("twin")]


@pytest.fixture
def folder(tmp_path):
    return write_table(tmp_path / "sweeps", ROWS)


@pytest.fixture
def outputs(tmp_path):
    return tmp_path / "outputs"


def test_a_plan_shows_and_does_nothing(folder, outputs, capsys):
    assert sweep(folder, outputs) == 0
    text = capsys.readouterr().out
    assert "  narrow  to do\n  wide    to do\n  twin    to do\n" in text
    assert "trainings   2 distinct, with 2 evaluations; one for each cell would be 3" in text
    assert "no basis" in text
    assert "operations" in text
    assert "submit=true carries out 2 (one after the other, in this process)" in text.splitlines()[-1]
    assert not outputs.exists()


def test_the_cluster_is_part_of_what_to_do_next(folder, outputs, capsys):
    assert sweep(folder, outputs, "cluster=local") == 0
    assert capsys.readouterr().out.splitlines()[-1].endswith("submit=true carries out 2 (cluster=local)")
    assert sweep(folder, outputs, "submit=true", "cluster.kind=cloud") == 2
    assert "cluster.kind is cloud; there are inline, local" in capsys.readouterr().err


def test_a_status_shows_the_plan_without_what_it_costs(folder, outputs, capsys):
    assert sweep(folder, outputs, "action=status") == 0
    text = capsys.readouterr().out
    assert "2           to do" in text
    assert "no basis" not in text
    assert "action=plan submit=true carries out 2" in text


def failed(sweep_, place):
    run = sweep_.request.selection.outputs.run(list(sweep_.jobs)[place])
    run.write_status(RunState.FAILED, message="the disk is full")


def test_what_failed_waits_for_a_retry(folder, outputs):
    found = sweep_for(folder, outputs)
    failed(found, 0)
    broken, _ = found.jobs
    plan = found.plan()
    assert states_by_row(plan) == {"narrow": JobState.FAILED, "wide": JobState.TO_DO, "twin": JobState.FAILED}
    assert "submit=true carries out 1" in next_step(found.request, plan)
    assert next_step(found.request, plan).endswith("action=retry repeats what failed")
    assert [job.run_id for job in found.to_retry(plan)] == [broken]
    assert found.plan(retry=True).jobs[broken].state is JobState.TO_DO


def test_a_retry_takes_along_what_was_blocked_and_the_weights_that_it_needs(tmp_path, outputs):
    stages = {"first": {"run": ["schedule.learning_rate=0.01"]},
              "second": {"after": "first", "run": ["schedule.learning_rate=0.02"]}}  # fmt: skip
    rows = [row("long", after="second"), row("fresh")]
    found = sweep_for(write_table(tmp_path / "sweeps", rows, stages=stages), outputs)
    first, second, long, _ = found.jobs
    failed(found, 1)
    plan = found.plan()
    assert [plan.jobs[run].state for run in (first, second, long)] == [
        JobState.TO_DO, JobState.FAILED, JobState.BLOCKED
    ]  # fmt: skip
    assert [job.run_id for job in found.to_retry(plan)] == [first, second, long]


def test_where_runs_are_held_one_waits_or_ends_them(folder, outputs):
    found = sweep_for(folder, outputs)
    runs = [Outputs(outputs).run(run_id) for run_id in found.jobs]
    with runs[0].lock(), runs[1].lock():
        plan = found.plan()
        assert set(states_by_row(plan).values()) == {JobState.RUNNING}
        assert next_step(found.request, plan).startswith("next: wait for the running ones; ")
        assert next_step(found.request, plan).endswith("action=cancel ends them")


def test_mistakes_of_other_tables_and_papers_are_not_told(folder, outputs):
    write_table(folder, [row("odd", "head.widht=3")], key="table2")
    write_table(folder.parent / "broken", [row("odd")])
    (folder.parent / "broken" / "mine").rename(folder / "other")
    (folder / "other" / "table1.yaml").write_text("title: [\n")
    whole = sweep_for(folder, outputs)
    told = relevant_problems(whole.request, whole.library, whole.found)
    assert [problem.file.name for problem in told] == ["table2.yaml"]
    assert "did you mean head.width?" in str(told[0])
    other = sweep_for(folder, outputs, "table=mine/table1")
    assert relevant_problems(other.request, other.library, other.found) == []
    write_ledger(folder, {"dropout": "none"})
    mistaken = sweep_for(folder, outputs, "table=mine/table1")
    told = relevant_problems(mistaken.request, mistaken.library, mistaken.found)
    assert [problem.file.name for problem in told] == ["ledger.yaml"]


def test_several_seeds_are_runs_of_their_own(folder, outputs):
    plan = plan_for(folder, outputs, "seeds=[0,3]")
    assert len(plan.jobs) == 4
    assert {job.configuration.seed for job in plan.jobs.values()} == {0, 3}
    assert plan_for(folder, outputs, "seeds=[3]").jobs.keys() < plan.jobs.keys()


CLAIM = {"claim": ["wide", ">", "narrow"], "place": "section 1"}


def listed(folder, outputs, seeds, gap):
    """A committed list that has so many seeds of two rows, whose scores are so far apart."""
    items = [item for item in sweep_for(folder, outputs).wanted if item.needs_training]
    records = [record_of(item.measurement, seed, 50.0 + gap * place + (seed + place) % 3)
               for place, item in enumerate(items) for seed in range(seeds)]  # fmt: skip
    (outputs / "reports").mkdir(parents=True, exist_ok=True)
    (outputs / "reports" / "runs.csv").write_text(runs_csv(map(recorded, records)))


def test_a_line_that_contradicts_itself_is_not_recorded_and_the_plan_says_so(tmp_path, outputs, capsys):
    folder = write_table(tmp_path / "sweeps", ROWS[:2])
    listed(folder, outputs, 1, gap=1.0)
    path = outputs / "reports" / "runs.csv"
    path.write_text(path.read_text().replace(",50.0,", ",99.9,", 1))
    assert sweep(folder, outputs) == 0
    text = " ".join(capsys.readouterr().out.split())
    assert "state 1 done (recorded), 1 to do" in text
    assert f"list {path}:" in text
    assert "miou_percent is 99.9, but the mean of its 2 classes is 50.0: evaluation " in text
    assert text.count(" counts as not recorded") == 1


def test_seeds_are_planned_until_the_claims_are_decided(tmp_path, outputs, capsys):
    folder = write_table(tmp_path / "sweeps", ROWS[:2], claims=[CLAIM])
    assert plan_for(folder, outputs, "seeds=auto").seeds == (0, 1, 2)
    listed(folder, outputs, 3, gap=0.1)
    assert sweep(folder, outputs, "seeds=auto") == 0
    text = capsys.readouterr().out
    assert "look        at 3 seeds wide > narrow is open; the next look is at 5" in text
    assert "state       6 done (recorded), 4 to do" in text
    listed(folder, outputs, 3, gap=40.0)
    assert sweep(folder, outputs, "seeds=auto", "submit=true") == 0
    text = capsys.readouterr().out
    assert "at 3 seeds all claims are decided: no more are planned" in text
    assert "all 6 trainings are done and recorded" in text


def test_a_plan_says_what_its_seeds_decide(tmp_path, outputs, capsys):
    folder = write_table(tmp_path / "sweeps", [ROWS[0], {**ROWS[1], "cells": {"mIoU": 73.0}}], claims=[CLAIM])
    assert sweep(folder, outputs, "seeds=5") == 0
    assert "planning.spread=0.5 assumes one" in " ".join(capsys.readouterr().out.split())
    assert sweep(folder, outputs, "seeds=5", "planning.spread=0.5", "planning.claims=true") == 0
    text = capsys.readouterr().out
    assert "5 seeds decide 1 of 1 with 80 % at their printed sizes" in text
    assert re.search(r"^  wide > narrow +3\.0 +100 % +[34]$", text, re.MULTILINE)
    assert sweep(folder, outputs, "seeds=5", "action=status", "planning.spread=0.5") == 0
    assert "seeds decide" not in capsys.readouterr().out
