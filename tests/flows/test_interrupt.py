"""Ctrl-C, SIGTERM and `action=cancel` on a real sweep in another process: consistent, and the same command goes on."""

import signal

import pytest

from repro.store.journal import newest_step, read_journal
from repro.store.outputs import Outputs
from repro.store.status import RunState
from repro.sweep.command import main
from repro.sweep.plan.job import JobState
from tests.forked import Forked
from tests.one_second_paper import row, sweep, words, write_table
from tests.sweep.planning import plan_for, states_by_row

pytestmark = pytest.mark.real
STEPS = 250
ROWS = [row("long", f"schedule.length={STEPS} steps"), row("next", "head.width=32")]
KEPT = ["runtime.checkpoint_seconds=1000", "runtime.log_every_steps=1"]
TO_BE_DONE = {"long": JobState.TO_DO, "next": JobState.TO_DO}
ALL_DONE = {"long": JobState.DONE, "next": JobState.DONE}


@pytest.fixture
def folder(tmp_path):
    return write_table(tmp_path / "sweeps", ROWS)


@pytest.fixture
def outputs(tmp_path):
    return Outputs(tmp_path / "outputs")


@pytest.fixture
def started(folder, outputs):
    """Starts a sweep in a process of its own, and waits until it has taken some steps."""
    processes = []

    def start(*more):
        given = words(folder, outputs.root, "submit=true", *more, run=KEPT)
        process = Forked(main, given, folder.parent / "printed")
        processes.append(process)
        process.wait_until(lambda: any(newest_step(run.journal_path) for run in outputs.runs()))
        return process

    yield start
    for process in processes:
        process.kill()


@pytest.mark.parametrize(
    ("how", "cluster", "code"),
    [
        (signal.SIGINT, "inline", 130),
        (signal.SIGINT, "local", 143),
        (signal.SIGTERM, "local", 143),
        ("cancel", "inline", 143),
    ],
)
def test_a_sweep_that_is_ended_goes_on_where_it_was(folder, outputs, started, capsys, how, cluster, code):
    process = started(f"cluster={cluster}")
    if how == "cancel":
        assert sweep(folder, outputs.root, "action=cancel") == 0
        assert "asked the sweep of 2 runs" in capsys.readouterr().out
    else:
        process.send_signal(how)
    assert process.wait() == code, process.text
    text = process.text
    assert "interrupted: stopped by SIG" in text
    assert "the same command goes on" in text.splitlines()[-1]
    assert "Traceback" not in text
    (run,) = outputs.runs()
    assert run.read_status().state is RunState.INTERRUPTED
    plan = plan_for(folder, outputs.root)
    assert states_by_row(plan) == TO_BE_DONE
    reason = plan.jobs[run.run_id].reason
    assert reason.startswith("goes on from step ")
    assert f"at step {reason.split()[-1]} of {STEPS}" in text
    assert sweep(folder, outputs.root, "submit=true") == 0
    assert states_by_row(plan_for(folder, outputs.root)) == ALL_DONE
    assert [event.kind for event in read_journal(run.journal_path).events].count("resumed") == 1


def test_a_sweep_that_is_killed_goes_on(folder, outputs, started):
    process = started()
    process.send_signal(signal.SIGKILL)
    assert process.wait() == -signal.SIGKILL
    assert states_by_row(plan_for(folder, outputs.root)) == TO_BE_DONE
    assert sweep(folder, outputs.root, "submit=true") == 0
    assert states_by_row(plan_for(folder, outputs.root)) == ALL_DONE
