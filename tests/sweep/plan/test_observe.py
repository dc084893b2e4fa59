import os
import socket
import subprocess
import sys
import time

import pytest

from repro.errors import StoreError
from repro.store.lock import STALE_SECONDS, FolderLock
from repro.store.run_folder import RunFolder
from repro.store.runs_csv import recorded, runs_csv
from repro.sweep.plan.observe import living_holder, observe, recorded_evaluations
from repro.sweep.plan.plan import RUNNING, TO_DO, Job, make_plan
from tests.example_runs import example_record, example_run

RUN, EVALUATION = "00000000000000aa", "00000000000000ee"


def jobs(evaluation=EVALUATION):
    return {RUN: Job(RUN, 0, {}, evaluations={evaluation: {}})}


def state(tmp_path, evaluation=EVALUATION):
    wanted = jobs(evaluation)
    return make_plan([], [0], wanted, observe(tmp_path, wanted), ()).jobs[RUN].state


def test_nothing_on_disk_is_nothing_seen(tmp_path):
    assert observe(tmp_path, jobs()) == {}
    assert not list(tmp_path.iterdir())


def test_whole_records_are_seen_and_damaged_ones_are_not(tmp_path):
    folder = example_run(tmp_path / "runs")
    seen = observe(tmp_path, jobs())[RUN]
    assert (seen.state, seen.step, seen.held) == ("FINISHED", None, False)
    assert seen.evaluations == {EVALUATION}
    assert observe(tmp_path, jobs("1" * 16))[RUN].evaluations == frozenset()
    folder.record_path(EVALUATION).with_suffix(".npz").write_bytes(b"torn")
    assert observe(tmp_path, jobs())[RUN].evaluations == frozenset()


def test_a_run_whose_process_was_killed_is_to_be_done(tmp_path):
    folder = example_run(tmp_path / "runs", state="RUNNING")
    code = (
        "import sys, time; from pathlib import Path; from repro.store import RunFolder\n"
        "with RunFolder(Path(sys.argv[1]), sys.argv[2]).lock():\n"
        "    print('held', flush=True); time.sleep(60)"
    )
    command = [sys.executable, "-c", code, str(tmp_path / "runs"), RUN]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout.readline() == "held\n"
        assert state(tmp_path) == RUNNING
        holder = living_holder(folder.lock_path)
        assert (holder.pid, holder.host, holder.purpose) == (process.pid, socket.gethostname(), "run")
        process.kill()
    assert folder.lock_path.stat().st_size > 0
    assert state(tmp_path) == TO_DO
    folder.checkpoints_path.mkdir()
    for step in (2, 10, 9):
        (folder.checkpoints_path / f"step_{step:08}.pt").touch()
    assert observe(tmp_path, jobs())[RUN].step == 10
    folder.status_path.write_text("{torn")
    assert state(tmp_path) == TO_DO


def test_a_holder_on_another_host_lives_by_its_heartbeat(tmp_path, monkeypatch):
    path = tmp_path / "lock"
    with monkeypatch.context() as patch:
        patch.setattr("socket.gethostname", lambda: "elsewhere")
        lock = FolderLock(path, "run").acquire()
    assert living_holder(path).host == "elsewhere"
    old = time.time() - STALE_SECONDS - 5
    os.utime(path, (old, old))
    assert living_holder(path) is None
    lock.release()
    assert living_holder(path) is None


def test_looking_takes_no_lock(tmp_path):
    folder = RunFolder(tmp_path, RUN)
    with folder.lock():
        assert living_holder(folder.lock_path).pid == os.getpid()
    assert living_holder(folder.lock_path) is None
    with folder.lock():
        pass


def test_the_list_of_records_may_be_absent_but_not_of_another_form(tmp_path):
    assert recorded_evaluations(tmp_path) == frozenset()
    good = [recorded(example_record(RUN, f"{number:016x}")) for number in (1, 2)]
    text = runs_csv(good)
    (tmp_path / "runs.csv").write_text(text)
    assert recorded_evaluations(tmp_path) == {item.evaluation_id for item in good}
    (tmp_path / "runs.csv").write_text(text.replace("86.4", "x", 1))
    assert len(recorded_evaluations(tmp_path)) == 1  # the report refuses the other line, so it is to be made again
    for content in (b"run\n1\n", b"\xff\xfe"):
        (tmp_path / "runs.csv").write_bytes(content)
        with pytest.raises(StoreError, match=r"runs\.csv"):
            recorded_evaluations(tmp_path)
