import os
import signal
import subprocess
import sys

import pytest

from repro.store.outputs import Outputs
from repro.sweep.clusters.register import cancel, registered, running_sweeps
from repro.sweep.command import main

RUN = "00000000000000aa"


@pytest.fixture
def outputs(tmp_path):
    return Outputs(tmp_path)


@pytest.fixture
def signals(monkeypatch):
    sent = []
    monkeypatch.setattr("repro.sweep.clusters.register.os.kill", lambda pid, number: sent.append((pid, number)))
    return sent


def test_a_sweep_is_known_while_it_lasts(outputs):
    assert running_sweeps(outputs) == []
    with registered(outputs, [RUN], "the command"):
        (sweep,) = running_sweeps(outputs)
        assert sweep.runs == {RUN}
        assert (sweep.holder.pid, sweep.holder.purpose) == (os.getpid(), "the command")
    assert running_sweeps(outputs) == []
    assert list(outputs.running_sweeps_path.iterdir()) == []


def test_cancel_asks_the_sweep_and_leaves_its_runs_to_it(outputs, signals):
    with registered(outputs, [RUN], "the command"), outputs.run(RUN).lock():
        assert list(cancel(outputs, ["another"])) == []
        assert signals == []
        assert list(cancel(outputs, [RUN, "another"])) == [f"asked the sweep of 1 runs, pid {os.getpid()}, to end"]
        assert len(list(cancel(outputs, None))) == 1
    assert signals == [(os.getpid(), signal.SIGTERM)] * 2


def test_cancel_asks_a_run_that_no_sweep_cares_for(outputs, signals):
    with outputs.run(RUN).lock():
        assert list(cancel(outputs, [RUN])) == [f"asked run {RUN}, pid {os.getpid()}, to end"]
        assert len(list(cancel(outputs, None))) == 1
    assert list(cancel(outputs, None)) == []
    with outputs.run(RUN).lock("python -m repro.track", brief=True):
        assert list(cancel(outputs, None)) == []


def test_cancel_of_another_host_is_said_not_done(outputs, signals, monkeypatch):
    with monkeypatch.context() as patch:
        patch.setattr("socket.gethostname", lambda: "elsewhere")
        lock = outputs.run(RUN).lock()
    with lock:
        (line,) = cancel(outputs, [RUN])
    assert "on host elsewhere" in line
    assert signals == []


def test_a_killed_sweep_is_not_running(outputs):
    code = (
        "import sys, time; from pathlib import Path; from repro.store.outputs import Outputs\n"
        "from repro.sweep.clusters.register import registered\n"
        "with registered(Outputs(Path(sys.argv[1])), ['a'], 'x'):\n    print('on', flush=True); time.sleep(60)"
    )
    command = [sys.executable, "-c", code, str(outputs.root)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout.readline() == "on\n"
        assert [sweep.holder.pid for sweep in running_sweeps(outputs)] == [process.pid]
        process.kill()
    assert running_sweeps(outputs) == []


def test_nothing_to_cancel_is_no_mistake(tmp_path, capsys):
    assert main(["action=cancel", f"outputs={tmp_path}"]) == 0
    assert "nothing to cancel" in capsys.readouterr().out
