import os
import socket
import subprocess
import sys
import time

import pytest

from repro.config.configuration import Configuration
from repro.store.holder import STALE_SECONDS, living_holder
from repro.store.journal import Journal
from repro.store.outputs import Outputs
from repro.store.status import RunState
from repro.sweep.plan.job import Job, JobState, Observed, Queued, QueueState
from repro.sweep.plan.observe import observe
from repro.sweep.plan.plan import make_plan
from tests.example_runs import example_run

RUN, EVALUATION = "00000000000000aa", "00000000000000ee"
NOTHING = Configuration({"seed": 0}, {})


@pytest.fixture
def outputs(tmp_path):
    return Outputs(tmp_path)


def jobs(evaluation=EVALUATION):
    return {RUN: Job(RUN, NOTHING, evaluations={evaluation: NOTHING})}


def state(outputs, evaluation=EVALUATION):
    wanted = jobs(evaluation)
    return make_plan([], [0], wanted, observe(outputs, wanted), ()).jobs[RUN].state


def test_nothing_on_disk_is_nothing_seen(outputs):
    assert observe(outputs, jobs()) == {}
    assert not list(outputs.root.iterdir())


def test_whole_records_are_seen_and_damaged_ones_are_not(outputs):
    folder = example_run(outputs.runs_path)
    seen = observe(outputs, jobs())[RUN]
    assert (seen.state, seen.step, seen.held, seen.weights) == (RunState.FINISHED, None, False, False)
    assert seen.evaluations == {EVALUATION}
    assert observe(outputs, jobs("1" * 16))[RUN].evaluations == frozenset()
    folder.record_path(EVALUATION).with_suffix(".npz").write_bytes(b"torn")
    assert observe(outputs, jobs())[RUN].evaluations == frozenset()
    folder.weights_path.touch()
    assert observe(outputs, jobs())[RUN].weights


def test_a_run_whose_process_was_killed_is_to_be_done(outputs):
    folder = example_run(outputs.runs_path, state=RunState.RUNNING)
    code = (
        "import sys, time; from pathlib import Path; from repro.store.run_folder import RunFolder\n"
        "with RunFolder(Path(sys.argv[1]), sys.argv[2]).lock():\n"
        "    print('held', flush=True); time.sleep(60)"
    )
    command = [sys.executable, "-c", code, str(outputs.runs_path), RUN]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout.readline() == "held\n"
        assert state(outputs) is JobState.RUNNING
        holder = living_holder(folder.lock_path)
        assert (holder.pid, holder.host, holder.purpose) == (process.pid, socket.gethostname(), "run")
        process.kill()
    assert folder.lock_path.stat().st_size > 0
    assert state(outputs) is JobState.TO_DO
    folder.checkpoints.path.mkdir()
    for step in (2, 10, 9):
        folder.checkpoints.file(step).touch()
    assert observe(outputs, jobs())[RUN].step == 10
    folder.status_path.write_text("{torn")
    assert state(outputs) is JobState.TO_DO


def test_a_run_that_is_held_tells_its_newest_step(outputs):
    folder = example_run(outputs.runs_path, state=RunState.RUNNING, steps=7, checkpoint=4)
    with folder.lock(), Journal(folder.journal_path) as journal:
        journal.point(8, loss=0.5)
        seen = observe(outputs, jobs())[RUN]
    assert (seen.held, seen.step) == (True, 8)
    assert observe(outputs, jobs())[RUN].step is None  # there is no checkpoint to go on from


def test_of_a_run_on_another_host_a_look_cannot_tell_whether_it_lives(outputs, monkeypatch):
    folder = outputs.run(RUN)
    with monkeypatch.context() as patch:
        patch.setattr("socket.gethostname", lambda: "elsewhere")
        lock = folder.lock()
    for age in (0, STALE_SECONDS + 5):
        os.utime(folder.lock_path, (time.time() - age,) * 2)
        seen = observe(outputs, jobs())[RUN]
        assert (seen.held, "host elsewhere" in seen.elsewhere) == (False, True)
        assert state(outputs) is JobState.UNKNOWN
    lock.release()
    assert observe(outputs, jobs())[RUN].elsewhere == ""


def test_looking_takes_no_lock(outputs):
    folder = outputs.run(RUN)
    with folder.lock():
        assert observe(outputs, jobs())[RUN].held
        assert living_holder(folder.lock_path).pid == os.getpid()
    assert not observe(outputs, jobs())[RUN].held
    with folder.lock():
        pass


def test_what_the_queue_says_is_seen_with_or_without_a_folder(outputs):
    queued = {RUN: Queued("17_3", QueueState.RUNNING)}
    assert observe(outputs, jobs(), queued) == {RUN: Observed(queued=queued[RUN])}
    folder = example_run(outputs.runs_path)
    with Journal(folder.journal_path) as journal:
        journal.point(12, loss=0.5)
    assert observe(outputs, jobs(), queued)[RUN].queued == queued[RUN]
    assert observe(outputs, jobs(), queued)[RUN].step == 12  # the node's own lock is not to be seen from here
