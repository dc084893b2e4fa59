"""What a real SLURM does to runs: notices, requeues, time limits; they come again, at a step, to the same weights."""

from collections import Counter

import pytest

from repro.store.journal import newest_step, read_journal
from repro.store.outputs import Outputs
from repro.store.status import RunState
from repro.sweep.clusters.jobs import Ending, Result
from tests.one_second_paper import TRAINING, row, sweep, write_table
from tests.slurm.slow_network import PAUSE
from tests.slurm.study import digests, steps_taken

pytestmark = pytest.mark.real

STEPS = 40
CPU = ["cluster=slurm", "cluster.gpus_per_node=0", "cluster.cpus_per_process=1", "submit=true"]
SLOW = "backbone._target_=tests.slurm.slow_network.Slow"
EVERY_STEP = ["runtime.log_every_steps=1"]


@pytest.fixture(autouse=True)
def reached(cluster, monkeypatch):
    """This process talks to the cluster; its queue is emptied afterwards."""
    monkeypatch.setenv("SLURM_CONF", cluster.environment["SLURM_CONF"])
    yield
    cluster.run("scancel", "--me")


@pytest.fixture
def folder(tmp_path):
    rows = [row("R", f"schedule.length={STEPS} steps", "head.dropout=0.3")]
    return write_table(tmp_path / "papers", rows, run=[*TRAINING, SLOW])


@pytest.fixture
def outputs(tmp_path):
    return Outputs(tmp_path / "outputs")


@pytest.fixture
def undisturbed(folder, tmp_path):
    """Carries the same runs out in this process; run id to the digest of the weights."""

    def carried_out(seeds):
        outputs = Outputs(tmp_path / "undisturbed")
        assert sweep(folder, outputs.root, "submit=true", f"seeds={seeds}") == 0
        return digests(outputs)

    return carried_out


def jobs_at_work(outputs, beyond=1):
    """Job in the queue to the run that it is training."""
    found = {}
    for run in outputs.runs():
        started = [event.fields for event in read_journal(run.journal_path).events if event.kind == "started"]
        if started and (newest_step(run.journal_path) or 0) > beyond:
            found[started[-1]["job"]] = run
    return found


def submitted(folder, outputs, *words, pause):
    setup = f"cluster.setup=['export {PAUSE}={pause}']"
    assert sweep(folder, outputs.root, *CPU, setup, *words, run=EVERY_STEP) == 0


def told(outputs):
    """What the jobs have printed, for a failing test."""
    return "\n".join(file.read_text(errors="replace")[-3000:] for file in outputs.root.rglob("*_log.*"))


def test_whatever_ends_a_job_it_comes_again_and_no_step_is_taken_twice(cluster, folder, outputs, undisturbed):
    submitted(folder, outputs, "seeds=3", pause=0.2)
    cluster.wait_for(lambda: len(jobs_at_work(outputs)) == 3, 180, "three runs at work")
    noticed, requeued, _ = jobs = sorted(jobs_at_work(outputs))
    runs = jobs_at_work(outputs)
    cluster.run("scancel", "--signal=USR2", noticed)
    cluster.run("scontrol", "requeue", requeued)
    for job in (noticed, requeued):
        cluster.wait_for(lambda job=job: cluster.states(job)[job] == "PENDING", 60, f"the requeue of {job}")
        assert runs[job].read_status().state is RunState.INTERRUPTED, told(outputs)
        cluster.release(job)
    array = noticed.partition("_")[0]
    assert cluster.wait_for_end(array, 180) == dict.fromkeys(jobs, "COMPLETED"), told(outputs)
    assert digests(outputs) == undisturbed(3)
    for run in outputs.runs():
        assert steps_taken(run) == Counter(range(1, STEPS + 1))
    starts = {job: runs[job].records()[0].provenance["starts"] for job in jobs}
    assert [starts[job]["after"] for job in jobs] == [{"SIGUSR2": 1}, {"SIGTERM": 1}, {}]
    assert [starts[job]["requeues"] for job in jobs] == [1, 1, 0]


def test_a_job_that_is_cancelled_after_its_notice_does_not_come_again(cluster, folder, outputs):
    submitted(folder, outputs, "seeds=1", pause=1.0)
    cluster.wait_for(lambda: jobs_at_work(outputs), 180, "a run at work")
    ((job, run),) = jobs_at_work(outputs).items()
    cluster.run("scancel", "--signal=USR2", job)
    cluster.run("scancel", job)
    assert cluster.wait_for_end(job, 60) == {job: "CANCELLED"}, told(outputs)
    cluster.wait_for(lambda: run.read_status().state is RunState.INTERRUPTED, 30, "the end of the run")
    result = outputs.job(run.run_id).result_path
    cluster.wait_for(result.exists, 30, "the result")
    assert Result.read(result).ending is Ending.INTERRUPTED


def test_without_requeue_a_notice_leaves_the_run_to_the_same_command(cluster, folder, outputs, undisturbed):
    submitted(folder, outputs, "seeds=1", "cluster.requeue=false", pause=0.3)
    cluster.wait_for(lambda: jobs_at_work(outputs), 180, "a run at work")
    ((job, run),) = jobs_at_work(outputs).items()
    cluster.run("scancel", "--signal=USR2", job)
    assert cluster.wait_for_end(job, 60) == {job: "FAILED"}, told(outputs)
    result = Result.read(outputs.job(run.run_id).result_path)
    assert (result.ending, result.exit_code) == (Ending.INTERRUPTED, 140)
    assert "not put into the queue again from here" in result.message
    assert run.read_status().state is RunState.INTERRUPTED
    submitted(folder, outputs, "seeds=1", pause=0)
    cluster.wait_for(lambda: run.read_status().state is RunState.FINISHED, 180, "the end of the run")
    assert digests(outputs) == undisturbed(1)


def test_a_run_longer_than_the_time_limit_comes_again_until_it_is_done(cluster, folder, outputs, undisturbed):
    # The notice comes up to 30 s before its time; what is left of two minutes is enough for a start on a busy machine.
    limits = ["cluster.limit_hours=0.034", "cluster.signal_seconds=15", "cluster.timeouts_margin=5"]
    submitted(folder, outputs, "seeds=1", *limits, pause=3)
    cluster.wait_for(lambda: jobs_at_work(outputs), 180, "a run at work")
    ((job, run),) = jobs_at_work(outputs).items()

    def is_done():
        states = cluster.states(job)
        assert states.get(job) not in ("FAILED", "TIMEOUT"), f"{states}\n{told(outputs)}"
        return run.read_status().state is RunState.FINISHED

    cluster.wait_for(is_done, 400, "the end of the run")
    assert cluster.wait_for_end(job) == {job: "COMPLETED"}, told(outputs)
    assert digests(outputs) == undisturbed(1)
    assert steps_taken(run) == Counter(range(1, STEPS + 1))
    starts = run.records()[0].provenance["starts"]
    assert starts["requeues"] >= 1
    assert starts["after"] == {"SIGUSR2": starts["requeues"]}
