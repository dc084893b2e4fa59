"""The starts of a run: what the record says of them, and when a job that comes back again and again is given up."""

import pytest

from repro.engine.stop import Interrupted
from repro.run.held import STARTED
from repro.run.lifecycle import run
from repro.run.repetition import REPEATED
from repro.run.starts import NoProgress, check_progress, place_of_process, starts_in, summary
from repro.store.journal import Event, Journal
from repro.store.status import RunState
from tests.tiny_runs import folder_of


def started(host="a", **facts):
    return Event(0, STARTED, {"host": host, **facts})


def job(number, requeues=0, host="a"):
    return started(host, job=number, requeues=requeues)


def event(kind, **fields):
    return Event(0, kind, fields)


def test_a_process_says_its_host_and_its_job():
    alone = place_of_process({})
    assert alone.keys() == {"host"}
    assert place_of_process({"SLURM_JOB_ID": "7"}) == {**alone, "job": "7", "requeues": 0}
    array = {"SLURM_JOB_ID": "9", "SLURM_ARRAY_JOB_ID": "7", "SLURM_ARRAY_TASK_ID": "2", "SLURM_RESTART_COUNT": "3"}
    assert place_of_process(array) == {**alone, "job": "7_2", "requeues": 3}


def test_the_starts_are_counted_with_what_they_came_after():
    events = [
        job("7_1"), event("checkpoint", step=10), event("interrupted", signal="SIGUSR2", message="stopped"),
        job("7_1", 1, "b"), event("resumed", step=10),
        job("7_1", 2), event("resumed", step=10), event("failed", message="the loss is nan"),
        started("c"), event("resumed", step=10), event("checkpoint", step=20), event("evaluated"),
        started("c"),
    ]  # fmt: skip
    assert [start.place for start in starts_in(events)] == [(0, 0), (10, 0), (10, 0), (10, 0), (20, 1)]
    assert summary(events) == {
        "count": 5,
        "after": {"SIGUSR2": 1, "killed": 1, "failed": 1, "done": 1},
        "hosts": ["a", "b", "c"],
        "jobs": ["7_1"],
        "requeues": 2,
    }


def test_starts_before_a_training_anew_are_another_training_s():
    events = [started(), started(), event("evaluated"), started("b"), event(REPEATED, what="run"), started("b")]
    assert [start.facts["host"] for start in starts_in(events)] == ["b", "b"]


def test_journals_from_before_say_what_they_can():
    assert summary([event(STARTED, commit="c0ffee"), event(STARTED)]) == {
        "count": 2, "after": {"killed": 1}, "hosts": [], "jobs": [], "requeues": 0,
    }  # fmt: skip


def test_a_job_that_comes_back_twice_to_one_step_is_given_up():
    events = [job("7"), event("checkpoint", step=5), event("interrupted", signal="SIGUSR2")]
    for requeues in (1, 2):
        events += [job("7", requeues), event("resumed", step=5)]
        check_progress([*events[:-1]])
    events += [event("interrupted", signal="SIGTERM"), job("7", 3)]
    with pytest.raises(NoProgress, match=r"come back 2 times without getting beyond step 5 .*killed, SIGTERM"):
        check_progress(events)


@pytest.mark.parametrize(
    "between",
    [
        [event("checkpoint", step=6)],
        [event("evaluated")],
        [started("b")],
        [job("8")],
    ],
    ids=["a step", "an evaluation", "a person's start", "another job"],
)
def test_whatever_gets_on_begins_the_count_anew(between):
    check_progress([job("7"), job("7", 1), *between, job("7", 2)])


def test_people_may_come_back_as_often_as_they_like():
    check_progress([started()] * 9)


def test_an_evaluation_that_never_ends_in_time_is_given_up():
    at_the_end = [event("checkpoint", step=9), event("interrupted", signal="SIGUSR2")]
    with pytest.raises(NoProgress, match="step 9"):
        check_progress([job("7"), *at_the_end, job("7", 1), job("7", 2), job("7", 3)])


def test_a_run_that_gets_nowhere_is_failed_and_keeps_its_state(configure, break_off, monkeypatch):
    monkeypatch.setenv("SLURM_JOB_ID", "42")
    configuration = configure("runtime.checkpoint_seconds=0")
    break_off(configuration, at_step=2)
    folder = folder_of(configuration)
    with Journal(folder.journal_path) as journal:
        for requeues in (1, 2):  # each killed while it loaded
            journal.event(STARTED, host="another", job="42", requeues=requeues)
    with pytest.raises(NoProgress, match="job 42 has come back 2 times without getting beyond step 2"):
        run(configuration, unattended=True)
    status = folder.read_status()
    assert (status.state, status.step) == (RunState.FAILED, 2)
    assert "come back 2 times" in status.message
    assert folder.checkpoints.newest_step() == 2
    monkeypatch.setenv("SLURM_JOB_ID", "43")
    record = run(configuration, unattended=True).record
    told = record.provenance["starts"]
    assert (told["count"], told["jobs"], told["requeues"]) == (5, ["42", "43"], 2)
    assert told["after"] == {"interrupted": 1, "killed": 2, "failed": 1}
    assert told["hosts"][1] == "another"


def test_the_signal_that_ended_a_process_is_journalled(configure, monkeypatch):
    def ended(*_):
        raise Interrupted(10, "somewhere")

    with monkeypatch.context() as patch:
        patch.setattr("repro.run.session.check_output_stride", ended)
        with pytest.raises(Interrupted):
            run(configure())
    assert run(configure()).record.provenance["starts"]["after"] == {"SIGUSR1": 1}
