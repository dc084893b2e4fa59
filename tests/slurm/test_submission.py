"""Jobs handed to a real SLURM: at once, once, within its limits, and with the code that they were submitted with."""

import time

import pytest

from repro.sweep.plan.job import JobState
from tests.one_second_paper import row, write_table
from tests.sweep.planning import sweep_for

pytestmark = pytest.mark.real

CPU = ["cluster=slurm", "cluster.gpus_per_node=0", "cluster.cpus_per_process=1", "cluster.limit_hours=0.2"]
HELD = [*CPU, "cluster.extra=['--hold']"]


@pytest.fixture(autouse=True)
def reached(cluster, monkeypatch):
    """This process talks to the cluster; its queue is emptied afterwards."""
    monkeypatch.setenv("SLURM_CONF", cluster.environment["SLURM_CONF"])
    yield
    cluster.run("scancel", "--me")


def rows(count):
    return [row(f"R{width}", f"head.width={width}") for width in range(16, 16 + count)]


def submitted(folder, outputs, *words):
    """Plans and submits; returns the exit code and the seconds that the submission took."""
    sweep = sweep_for(folder, outputs, *words)
    plan = sweep.plan()
    began = time.monotonic()
    code = sweep.execute(plan.open_jobs)
    return code, time.monotonic() - began


def queue(cluster):
    return cluster.run("squeue", "--me", "--array", "--noheader", "--format=%i %j %T").splitlines()


@pytest.mark.parametrize(("configurations", "seeds", "limit_seconds"), [(4, 3, 2), (4, 75, 20)])
def test_jobs_are_handed_over_in_seconds_and_once(cluster, tmp_path, configurations, seeds, limit_seconds):
    folder, outputs = write_table(tmp_path / "papers", rows(configurations)), tmp_path / "outputs"
    code, seconds = submitted(folder, outputs, *HELD, f"seeds={seeds}")
    print("seconds", seconds)
    count = configurations * seeds
    assert (code, len(queue(cluster))) == (0, count)
    assert seconds < limit_seconds
    plan = sweep_for(folder, outputs, *HELD, f"seeds={seeds}").plan()
    assert len(plan.in_state(JobState.QUEUED)) == count
    assert submitted(folder, outputs, *HELD, f"seeds={seeds}")[0] == 0
    assert len(queue(cluster)) == count
