"""A sweep on a SLURM of a few scripts: planned, submitted, planned again; the real one is in tests/slurm."""

import pytest

from repro.store.outputs import Outputs
from repro.sweep.plan.job import JobState
from tests.fake_slurm import slurm as slurm
from tests.one_second_paper import row, sweep, write_table
from tests.sweep.planning import plan_for, states_by_row

ROWS = [row("narrow"), row("wide", "head.width=32")]
QUEUED, TO_DO = JobState.QUEUED, JobState.TO_DO


@pytest.fixture
def folder(tmp_path):
    return write_table(tmp_path / "papers", ROWS)


def test_a_table_is_submitted_and_not_waited_for(folder, tmp_path, slurm, capsys):
    outputs = tmp_path / "outputs"
    assert sweep(folder, outputs, "cluster=slurm", "submit=true") == 0
    told = capsys.readouterr().out
    assert "submitted 2 jobs as 101, mine." in told
    assert "2 of 2 submitted; next: python -m repro.sweep " in told.splitlines()[-1]
    assert told.splitlines()[-1].endswith("action=status")
    assert states_by_row(plan_for(folder, outputs, "cluster=slurm")) == {"narrow": QUEUED, "wide": QUEUED}
    assert sweep(folder, outputs, "cluster=slurm", "submit=true") == 0
    assert "2 queued" in capsys.readouterr().out
    assert len(slurm.queued()) == 2
    assert not any(Outputs(outputs).run_ids())


def test_what_is_in_the_queue_is_not_started_elsewhere_either(folder, tmp_path, slurm):
    outputs = tmp_path / "outputs"
    assert sweep(folder, outputs, "cluster=slurm", "submit=true") == 0
    assert plan_for(folder, outputs).open_jobs == []


def test_where_slurm_does_not_answer_the_plan_says_so_and_nothing_is_submitted(folder, tmp_path, slurm, capsys):
    slurm.program("squeue", "echo 'squeue: error: Unable to contact slurm controller' >&2; exit 1")
    assert sweep(folder, tmp_path / "outputs", "cluster=slurm", "submit=true") == 1
    told = capsys.readouterr().out
    assert "queue       squeue failed: Unable to contact slurm controller\n" in told
    assert told.splitlines()[-1] == "nothing is submitted before SLURM answers, see above"
    assert slurm.scripts() == []
    assert sweep(folder, tmp_path / "outputs", "cluster=slurm") == 0


def test_a_refusal_by_sbatch_is_told_once_and_fails(folder, tmp_path, slurm, capsys, monkeypatch):
    monkeypatch.setattr("repro.sweep.clusters.slurm.submit.PAUSES_SECONDS", (0.0,))
    slurm.tell("refuses", "sbatch: error: invalid partition specified: gpuu\nsbatch: error: Batch job failed\n")
    assert sweep(folder, tmp_path / "outputs", "cluster=slurm", "cluster.partition=gpuu", "submit=true") == 1
    told = capsys.readouterr()
    assert "2 jobs left: sbatch refused: invalid partition specified: gpuu" in told.out
    assert "0 of 2 submitted; the same command later submits the rest" in told.out
    assert told.err == ""


def test_a_chain_waits_in_the_queue_and_a_dead_stage_makes_room(tmp_path, slurm):
    rows = [row("late", after="first")]
    folder, outputs = write_table(tmp_path / "papers", rows, stages={"first": {"run": []}}), tmp_path / "outputs"
    assert sweep(folder, outputs, "cluster=slurm", "submit=true") == 0
    assert "--dependency=afterok:101" in slurm.scripts()[1]
    _, second = slurm.queued()
    slurm.queue(second.replace("Priority", "DependencyNeverSatisfied"))
    assert plan_for(folder, outputs, "cluster=slurm").in_state(TO_DO)
    assert sweep(folder, outputs, "cluster=slurm", "submit=true") == 0
    assert slurm.said("scancel") == ["102"]
    assert [line.partition("|")[0] for line in slurm.queued()] == ["102", "103", "104"]
