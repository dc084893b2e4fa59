import pytest

from repro.sweep.clusters.slurm.cancel import IDS_AT_ONCE, cancel_queued
from repro.sweep.plan.job import Queued, QueueState

QUEUED = {
    "a": Queued("17_0", QueueState.RUNNING),
    "b": Queued("17_1", QueueState.PENDING, "Priority"),
    "c": Queued("18", QueueState.BLOCKED, "DependencyNeverSatisfied"),
}


@pytest.fixture(autouse=True)
def commands(monkeypatch):
    given = []
    monkeypatch.setattr("repro.sweep.clusters.slurm.cancel.asked", lambda *words: given.append(words))
    return given


def test_what_runs_is_asked_to_end_and_what_waits_is_taken_out(commands):
    assert list(cancel_queued(QUEUED, None)) == [
        "took 2 jobs out of the queue: 17_1, 18",
        "asked 1 job to end: 17_0",
    ]
    assert commands == [("scancel", "17_1", "18"), ("scancel", "--signal=INT", "17_0")]


def test_jobs_of_other_runs_are_left_alone(commands):
    assert list(cancel_queued(QUEUED, ["a"])) == ["asked 1 job to end: 17_0"]
    assert list(cancel_queued(QUEUED, ["z"])) == list(cancel_queued({}, None)) == []
    assert len(commands) == 1


def test_many_jobs_are_given_in_several_commands(commands):
    many = {str(number): Queued(f"9_{number}", QueueState.PENDING) for number in range(IDS_AT_ONCE + 1)}
    assert list(cancel_queued(many, None)) == ["took 501 jobs out of the queue: 9_0, 9_1, 9_2 and 498 more"]
    assert [len(words) for words in commands] == [IDS_AT_ONCE + 1, 2]
