"""What a job of SLURM does, with stand-ins for SLURM's commands: it comes again, or ends with the true exit code."""

import os
import signal
import stat
import subprocess
from pathlib import Path

import pytest
from submitit.core.submission import process_job
from submitit.core.utils import DelayedSubmission, UncompletedJobError

from repro.engine.ranks import Rank
from repro.store.journal import read_journal
from repro.store.status import RunState
from repro.sweep.clusters.jobs import Ending, FrozenJob, Result
from repro.sweep.clusters.slurm import task
from repro.sweep.clusters.slurm.queue import QueueError
from repro.sweep.clusters.slurm.task import Task
from tests.forked import Forked
from tests.tiny_runs import final_weights, same_weights, tiniest

JOB = {"SUBMITIT_EXECUTOR": "slurm", "SLURM_JOB_ID": "8", "SLURM_ARRAY_JOB_ID": "7", "SLURM_ARRAY_TASK_ID": "0",
       "SLURM_NTASKS": "1", "SLURM_PROCID": "0"}  # fmt: skip
NOTICE = Result(Ending.INTERRUPTED, "stopped by SIGUSR2 at step 3", exit_code=140)


class Ended(BaseException):
    """The process has ended."""


@pytest.fixture
def ends(tmp_path, monkeypatch):
    """Carries a task out whose job has some result; returns the exit code and the result that is kept."""
    monkeypatch.setenv("SLURM_JOB_ID", "8")
    monkeypatch.setattr(task, "asked", lambda *_, **__: "RUNNING\n")

    def end(code):
        raise Ended(code)

    monkeypatch.setattr(os, "_exit", end)

    def ended(result):
        monkeypatch.setattr(task, "carried_out", lambda path, *, unattended: result if unattended else None)
        with pytest.raises(Ended) as caught:
            Task(str(tmp_path / "job.json"))()
        kept = tmp_path / "result.json"
        return caught.value.args[0], Result.read(kept) if kept.exists() else result

    return ended


@pytest.fixture
def handled(monkeypatch):
    """Sets what submitit's handler does."""

    def handle(does):
        monkeypatch.setattr(signal, "raise_signal", does)

    return handle


def no_handler(_):
    pytest.fail("SLURM was asked to start the job again")


@pytest.mark.parametrize(
    ("result", "code"),
    [
        (Result(Ending.FAILED, "the loss is nan", exit_code=1), 1),
        (Result(Ending.BLOCKED, "no weights"), 1),
        (Result(Ending.ELSEWHERE, "held", exit_code=1), 1),
        (Result(Ending.INTERRUPTED, "stopped by SIGTERM at step 3", exit_code=143), 143),
        (Result(Ending.INTERRUPTED, "stopped by SIGINT at step 3", exit_code=130), 130),
    ],
)
def test_what_is_not_done_ends_the_process_with_its_own_code(ends, handled, result, code):
    handled(no_handler)
    assert ends(result)[0] == code


def test_of_several_processes_the_one_that_leads_asks_for_the_queue(ends, handled, monkeypatch):
    handled(no_handler)
    monkeypatch.setattr(task, "own_rank", lambda: Rank(1, 2))
    assert ends(NOTICE) == (140, NOTICE)


def test_a_notice_from_before_is_answered_first(monkeypatch):
    monkeypatch.setattr(task, "carried_out", lambda *_, **__: pytest.fail("it has begun"))

    def answer(*_):
        raise SystemExit(-1)

    before = signal.signal(signal.SIGUSR2, answer)
    signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGUSR2])
    try:
        signal.raise_signal(signal.SIGUSR2)
        with pytest.raises(SystemExit):
            Task("anything")()
    finally:
        signal.signal(signal.SIGUSR2, before)
        signal.pthread_sigmask(signal.SIG_UNBLOCK, [signal.SIGUSR2])


def test_what_is_done_returns_to_submitit(monkeypatch):
    monkeypatch.setattr(task, "carried_out", lambda *_, **__: Result(Ending.DONE))
    assert Task("anything")() is None


def test_after_a_notice_submitit_is_given_its_signal(monkeypatch, handled):
    monkeypatch.setattr(task, "carried_out", lambda *_, **__: NOTICE)
    monkeypatch.setattr(task, "asked", lambda *_, **__: "RUNNING\n")
    monkeypatch.setenv("SLURM_JOB_ID", "8")
    raised = []

    def handle(number):
        raised.append(number)
        raise SystemExit(-1)

    handled(handle)
    with pytest.raises(SystemExit):
        Task("anything")()
    assert raised == [signal.SIGUSR2]


@pytest.mark.parametrize("state", ["COMPLETING", "CANCELLED"])
def test_a_job_that_was_ended_meanwhile_is_not_queued_again(ends, handled, monkeypatch, state):
    handled(no_handler)
    monkeypatch.setattr(task, "asked", lambda *_, **__: f"{state}\n")
    code, kept = ends(NOTICE)
    assert (code, kept.ending) == (140, Ending.INTERRUPTED)
    assert kept.message == f"{NOTICE.message}; not put into the queue again from here: it is {state} there"


@pytest.mark.parametrize(
    ("error", "told"),
    [
        (UncompletedJobError("Job not requeued because: timed-out too many times."), "timed-out too many times"),
        (subprocess.CalledProcessError(1, ["scontrol"]), "it refuses (Command '['scontrol']' returned"),
        (FileNotFoundError(2, "No such file or directory"), "it refuses ("),
    ],
)
def test_a_job_that_cannot_be_queued_again_is_interrupted_and_says_why(ends, handled, error, told):
    def handle(_):
        raise error

    handled(handle)
    code, kept = ends(NOTICE)
    assert (code, kept.ending) == (140, Ending.INTERRUPTED)
    assert told in kept.message


def test_where_squeue_gives_no_answer_the_job_comes_again_all_the_same(ends, handled, monkeypatch):
    def silent(*_, **__):
        raise QueueError("squeue has given no answer for 10 s")

    monkeypatch.setattr(task, "asked", silent)
    handled(lambda _: None)
    assert "submitit's handler is gone" in ends(NOTICE)[1].message


def as_a_job(words):
    """A job's process, as submitit starts it on a node."""
    folder, programs = words
    os.environ.update(JOB, PATH=f"{programs}:{os.environ['PATH']}", PROGRAMS=programs)
    process_job(folder)
    return 0


def program(path: Path, script: str) -> None:
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(path.stat().st_mode | stat.S_IXUSR)


def test_a_notice_in_the_middle_of_a_training_queues_the_job_again_at_a_step(tmp_path):
    long = ["schedule.length=20 steps", "runtime.log_every_steps=1", "head.dropout=0.3"]
    programs = tmp_path / "programs"
    programs.mkdir()
    program(programs / "scontrol", 'echo "$@" >> $PROGRAMS/asked')
    program(programs / "squeue", "echo RUNNING")
    configuration = tiniest(tmp_path / "outputs", *long)
    job = FrozenJob(configuration.run_id, "a job", [configuration])
    delayed = DelayedSubmission(Task(str(job.freeze())))
    delayed.set_timeout(1, 3)
    delayed.dump(tmp_path / "7_0_submitted.pkl")
    words = [str(tmp_path), str(programs)]

    first = Forked(as_a_job, words, tmp_path / "first")
    first.wait_until(lambda: read_journal(job.run.journal_path).points)
    first.send_signal(signal.SIGUSR2)
    assert first.wait() == 255, first.text
    assert (programs / "asked").read_text() == "requeue 7_0\n"
    status = job.run.read_status()
    assert status.state is RunState.INTERRUPTED
    assert status.message.startswith(f"stopped by SIGUSR2 at step {status.step} of 20")
    assert job.run.checkpoints.newest_step() == status.step
    assert DelayedSubmission.load(tmp_path / "7_0_submitted.pkl")._timeout_countdown == 2

    second = Forked(as_a_job, words, tmp_path / "second")
    assert second.wait() == 0, second.text
    assert Result.read(job.folder.result_path).ending is Ending.DONE
    straight = tiniest(tmp_path / "straight", *long)
    undisturbed = FrozenJob(straight.run_id, "a job", [straight])
    assert task.carried_out(undisturbed.freeze()).ending is Ending.DONE
    assert same_weights(final_weights(job.run), final_weights(undisturbed.run))
    (record,) = job.run.records()
    assert record.provenance["starts"]["after"] == {"SIGUSR2": 1}
    assert record.provenance["starts"]["jobs"] == ["7_0"]


def test_a_requeued_task_is_the_same_once_more():
    assert Task("job.json").__submitit_checkpoint__().function.job_path == "job.json"
    assert Task("job.json").checkpoint().function.job_path == "job.json"
