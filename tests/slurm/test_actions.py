"""status, cancel and retry of a table whose jobs a real SLURM has: from any shell, without its accounting."""

import os
import signal

import pytest

from repro.store.outputs import Outputs
from repro.store.status import RunState
from repro.sweep.plan.job import JobState
from tests.one_second_paper import TRAINING, row, sweep, write_table
from tests.slurm.slow_network import PAUSE
from tests.slurm.test_requeue import CPU, EVERY_STEP, SLOW, STEPS, jobs_at_work
from tests.sweep.planning import sweep_for

pytestmark = pytest.mark.real


@pytest.fixture(autouse=True)
def reached(cluster, monkeypatch):
    """This process talks to the cluster; its queue is emptied afterwards."""
    monkeypatch.setenv("SLURM_CONF", cluster.environment["SLURM_CONF"])
    yield
    cluster.run("scancel", "--me")


@pytest.fixture
def outputs(tmp_path):
    return Outputs(tmp_path / "outputs")


def given(folder, outputs, *words):
    return sweep(folder, outputs.root, *words, run=EVERY_STEP)


def pausing(seconds):
    return f"cluster.setup=['export {PAUSE}={seconds}']"


def queue(cluster):
    return cluster.run("squeue", "--me", "--array", "--noheader", "--format=%T %r").splitlines()


def test_what_runs_is_shown_step_by_step_and_ends_after_a_checkpoint(cluster, tmp_path, outputs, capsys):
    rows = [row("R", f"schedule.length={STEPS} steps")]
    folder = write_table(tmp_path / "papers", rows, run=[*TRAINING, SLOW])
    assert given(folder, outputs, *CPU, "seeds=2", pausing(1.0)) == 0
    cluster.wait_for(lambda: jobs_at_work(outputs), 180, "a run at work")
    capsys.readouterr()
    given(folder, outputs, "seeds=2", "action=status")
    shown = capsys.readouterr().out
    assert "running: the first ends in about " in shown
    assert f" of {STEPS}, loss " in shown
    assert "images/s, about " in shown
    assert given(folder, outputs, "seeds=2", "action=cancel") == 0
    told = capsys.readouterr().out
    assert "asked " in told
    assert "what was running ends after a checkpoint" in told
    cluster.wait_for(lambda: not queue(cluster), 60, "an empty queue")
    ended = [run for run in outputs.runs() if (run.read_status() or run).state is RunState.INTERRUPTED]
    assert ended
    assert all(run.checkpoints.newest_step() for run in ended)
    assert given(folder, outputs, "seeds=2", "action=cancel") == 0
    assert "nothing to cancel" in capsys.readouterr().out


def test_what_was_killed_is_retried_with_more_memory_and_what_waited_for_it_too(cluster, tmp_path, outputs, capsys):
    stages = {"before": {"run": [f"schedule.length={STEPS} steps"]}}
    folder = write_table(tmp_path / "papers", [row("R", after="before")], run=[*TRAINING, SLOW], stages=stages)
    assert given(folder, outputs, *CPU, pausing(1.0)) == 0
    cluster.wait_for(lambda: jobs_at_work(outputs), 180, "the first stage at work")
    ((job, run),) = jobs_at_work(outputs).items()
    os.kill(run.read_status().pid, signal.SIGKILL)  # as the kernel does where memory is lacking
    cluster.wait_for(lambda: queue(cluster) == ["PENDING DependencyNeverSatisfied"], 120, "one that waits for ever")
    capsys.readouterr()
    given(folder, outputs, "action=status")
    shown = capsys.readouterr().out
    assert f"job {job} is gone from the queue" in shown
    assert "1 wait in the queue for what has failed" in shown
    plan = sweep_for(folder, outputs.root).plan()
    assert [found.state for found in plan.jobs.values()] == [JobState.FAILED, JobState.BLOCKED]
    assert given(folder, outputs, *CPU, "action=retry", "cluster.memory_gib=0.7", pausing(0)) == 0
    cluster.wait_for(lambda: not queue(cluster), 240, "the end of both")
    given(folder, outputs, "action=status")
    assert "nothing to do: all 2 trainings are done and recorded" in capsys.readouterr().out
