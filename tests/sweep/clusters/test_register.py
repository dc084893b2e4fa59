import os
import signal
import subprocess
import sys

import pytest

from repro.store.run_folder import RunFolder
from repro.sweep.clusters.register import cancel, registered, running_sweeps
from repro.sweep.command import main

RUN = "00000000000000aa"


@pytest.fixture
def signals(monkeypatch):
    sent = []
    monkeypatch.setattr("repro.sweep.register.os.kill", lambda pid, number: sent.append((pid, number)))
    return sent


def test_a_sweep_is_known_while_it_lasts(tmp_path):
    assert running_sweeps(tmp_path) == []
    with registered(tmp_path, [RUN], "the command"):
        (sweep,) = running_sweeps(tmp_path)
        assert sweep.runs == {RUN}
        assert (sweep.holder.pid, sweep.holder.purpose) == (os.getpid(), "the command")
    assert running_sweeps(tmp_path) == []
    assert list((tmp_path / "sweep" / "running").iterdir()) == []


def test_cancel_asks_the_sweep_and_leaves_its_runs_to_it(tmp_path, signals):
    with registered(tmp_path, [RUN], "the command"), RunFolder(tmp_path / "runs", RUN).lock():
        assert list(cancel(tmp_path, ["another"])) == []
        assert signals == []
        assert list(cancel(tmp_path, [RUN, "another"])) == [f"asked the sweep of 1 runs, pid {os.getpid()}, to end"]
        assert len(list(cancel(tmp_path, None))) == 1
    assert signals == [(os.getpid(), signal.SIGTERM)] * 2


def test_cancel_asks_a_run_that_no_sweep_cares_for(tmp_path, signals):
    with RunFolder(tmp_path / "runs", RUN).lock():
        assert list(cancel(tmp_path, [RUN])) == [f"asked run {RUN}, pid {os.getpid()}, to end"]
        assert len(list(cancel(tmp_path, None))) == 1
    assert list(cancel(tmp_path, None)) == []
    with RunFolder(tmp_path / "runs", RUN).lock("python -m repro.track", brief=True):
        assert list(cancel(tmp_path, None)) == []


def test_cancel_of_another_host_is_said_not_done(tmp_path, signals, monkeypatch):
    with monkeypatch.context() as patch:
        patch.setattr("socket.gethostname", lambda: "elsewhere")
        lock = RunFolder(tmp_path / "runs", RUN).lock()
    with lock:
        (line,) = cancel(tmp_path, [RUN])
    assert "on host elsewhere" in line
    assert signals == []


def test_a_killed_sweep_is_not_running(tmp_path):
    code = (
        "import sys, time; from pathlib import Path; from repro.sweep.register import registered\n"
        "with registered(Path(sys.argv[1]), ['a'], 'x'):\n    print('on', flush=True); time.sleep(60)"
    )
    with subprocess.Popen([sys.executable, "-c", code, str(tmp_path)], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout.readline() == "on\n"
        assert [sweep.holder.pid for sweep in running_sweeps(tmp_path)] == [process.pid]
        process.kill()
    assert running_sweeps(tmp_path) == []


def test_nothing_to_cancel_is_no_mistake(tmp_path, capsys):
    assert main(["action=cancel", f"outputs={tmp_path}"]) == 0
    assert "nothing to cancel" in capsys.readouterr().out
