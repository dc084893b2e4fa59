"""Ctrl-C, SIGTERM and `action=cancel` on a real sweep in another process: consistent, and the same command goes on."""

import os
import signal
import subprocess
import sys
import time

import pytest

from repro.store.run_folder import run_folders
from repro.sweep.plan.plan import DONE, TO_DO
from tests.one_second_paper import row, sweep, words, write_table
from tests.sweep.planning import plan_for, states_by_row

pytestmark = pytest.mark.slow
ROWS = [row("long", "schedule.length=150 steps"), row("next", "head.width=32")]
KEPT = ["runtime.checkpoint_seconds=1000", "runtime.log_every_steps=1"]


def start(folder, outputs, *more):
    return subprocess.Popen(
        [sys.executable, "-m", "repro.sweep", *words(folder, outputs, "submit=true", *more, run=KEPT)],
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, env={**os.environ, "OMP_NUM_THREADS": "1"},
    )  # fmt: skip


def wait_for_steps(outputs, process):
    deadline = time.monotonic() + 120
    while not any(b'"loss"' in run.journal_path.read_bytes()
                  for run in run_folders(outputs / "runs") if run.journal_path.exists()):  # fmt: skip
        assert process.poll() is None, process.communicate()[0]
        assert time.monotonic() < deadline
        time.sleep(0.02)


@pytest.mark.parametrize(
    ("how", "cluster", "code"),
    [
        (signal.SIGINT, "inline", 130),
        (signal.SIGINT, "local", 143),
        (signal.SIGTERM, "local", 143),
        ("cancel", "inline", 143),
        ("cancel", "local", 143),
    ],
)
def test_a_sweep_that_is_ended_goes_on_where_it_was(tmp_path, capsys, how, cluster, code):
    folder, outputs = write_table(tmp_path / "sweeps", ROWS), tmp_path / "outputs"
    process = start(folder, outputs, f"cluster={cluster}")
    wait_for_steps(outputs, process)
    if how == "cancel":
        assert sweep(folder, outputs, "action=cancel") == 0
        assert "asked the sweep of 2 runs" in capsys.readouterr().out
    else:
        process.send_signal(how)
    text, _ = process.communicate(timeout=120)
    assert process.returncode == code, text
    assert "interrupted: stopped by SIG" in text
    assert "the same command goes on" in text.splitlines()[-1]
    assert "Traceback" not in text
    (run,) = run_folders(outputs / "runs")
    assert run.read_status().state == "INTERRUPTED"
    plan = plan_for(folder, outputs)
    assert states_by_row(plan) == {"long": TO_DO, "next": TO_DO}
    reason = plan.jobs[run.run_id].reason
    assert reason.startswith("goes on from step ")
    assert f"at step {reason.split()[-1]} of 150" in text
    assert sweep(folder, outputs, "submit=true", f"cluster={cluster}") == 0
    assert states_by_row(plan_for(folder, outputs)) == {"long": DONE, "next": DONE}
    assert '"event": "resumed"' in run.journal_path.read_text().replace('":"', '": "')


def test_a_sweep_that_is_killed_goes_on(tmp_path):
    folder, outputs = write_table(tmp_path / "sweeps", ROWS), tmp_path / "outputs"
    process = start(folder, outputs)
    wait_for_steps(outputs, process)
    process.kill()
    process.communicate()
    assert states_by_row(plan_for(folder, outputs)) == {"long": TO_DO, "next": TO_DO}
    assert sweep(folder, outputs, "submit=true") == 0
