import os

import pytest

from repro.sweep.clusters.slurm.queue import Entry, QueueError, asked, cancel, clean, clean_environment, entries
from repro.sweep.plan.job import QueueState


def test_every_place_of_an_array_is_an_entry(slurm):
    slurm.queue("17_3|mine.0|PENDING|lab|normal|Priority", "18|other.0|RUNNING|lab|normal|None")
    first, second = entries()
    assert first == Entry("17_3", "mine.0", "PENDING", "lab", "normal", "Priority")
    assert (first.place, second.place) == (3, 0)
    assert (first.queue_state, second.queue_state) == (QueueState.PENDING, QueueState.RUNNING)


def test_a_job_that_waits_for_a_failed_one_waits_for_ever():
    entry = Entry("17", "mine.0", "PENDING", "lab", "normal", "DependencyNeverSatisfied")
    assert entry.queue_state is QueueState.BLOCKED


@pytest.mark.parametrize("state", ["COMPLETING", "RUNNING", "SUSPENDED", "STOPPED"])
def test_what_has_begun_runs(state):
    assert Entry("17", "mine.0", state, "lab", "normal", "None").queue_state is QueueState.RUNNING


def test_a_command_that_is_not_there_is_a_sentence(monkeypatch, tmp_path):
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(QueueError, match=r"squeue cannot be started here .* on its login node"):
        entries()


def test_a_command_that_fails_or_hangs_is_a_sentence(slurm):
    slurm.program("squeue", "echo 'squeue: error: Unable to contact slurm controller' >&2; exit 1")
    with pytest.raises(QueueError, match=r"^squeue failed: Unable to contact slurm controller$"):
        entries()
    slurm.program("squeue", "exec sleep 5")
    with pytest.raises(QueueError, match="squeue has given no answer for 0 s"):
        asked("squeue", seconds=0.1)


def test_many_jobs_are_cancelled_by_few_commands(slurm):
    cancel([str(number) for number in range(1001)])
    cancel([])
    assert [len(line.split()) for line in slurm.said("scancel")] == [500, 500, 1]


def test_the_environment_of_a_job_around_is_left_behind(monkeypatch):
    ours = {"SLURM_CONF": "/etc/slurm.conf", "PATH": "/bin", "SLURMISH": "1"}
    of_a_job = {"SLURM_JOB_ID": "7", "SBATCH_PARTITION": "x", "SQUEUE_FORMAT": "%i", "RANK": "0", "MASTER_ADDR": "n"}
    assert clean(ours | of_a_job) == ours
    for name, value in of_a_job.items():
        monkeypatch.setenv(name, value)
    with clean_environment():
        assert of_a_job.keys().isdisjoint(os.environ)
    assert of_a_job.items() <= dict(os.environ).items()
