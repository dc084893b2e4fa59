"""A run folder that this process holds: what it is told goes to journal and tracker, and it ends when it must."""

import json
import logging
import os
import signal

import pytest

from repro.engine.stop import Interrupted, StopRequest
from repro.run.held import HeldRun, logged_to
from repro.run.lifecycle import run
from repro.store.journal import Journal, read_journal
from repro.store.lock import LockedError
from repro.store.outputs import Outputs


class Listener:
    """A tracker that remembers what it was told."""

    def __init__(self):
        self.told = []

    def start(self, folder):
        self.told.append(("start", folder.run_id))

    def sync(self, upto_step):
        self.told.append(("sync", upto_step))

    def finish(self, state):
        self.told.append(("finish", state))
        return True


@pytest.fixture
def listener():
    return Listener()


@pytest.fixture
def held(tmp_path, listener):
    outputs = Outputs(tmp_path)
    folder = outputs.run("aa")
    with StopRequest() as stop, folder.lock() as lock, Journal(folder.journal_path) as journal:
        yield HeldRun(outputs, folder, lock, journal, listener, stop)


def test_points_and_events_go_to_the_journal_and_saved_steps_to_the_tracker(held, listener):
    held.event("started", commit="c0ffee")
    held.point(3, loss=0.5)
    held.saved(3)
    view = read_journal(held.folder.journal_path)
    assert [(event.kind, event.fields) for event in view.events] == [("started", {"commit": "c0ffee"})]
    assert [(point.step, point.metrics) for point in view.points] == [(3, {"loss": 0.5})]
    assert listener.told == [("sync", 3)]


def test_undisturbed_it_goes_on(held):
    held.check()
    held.interrupt("before the first step")
    assert not held.stop_requested()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_is_a_wish_until_a_good_place_to_end(held, number):
    os.kill(os.getpid(), number)
    assert held.stop_requested()
    held.check()
    with pytest.raises(Interrupted, match=f"stopped by {number.name} in the middle") as caught:
        held.interrupt("in the middle")
    assert caught.value.exit_code == 128 + number


def test_a_folder_taken_over_by_another_host_is_left_alone(held):
    theirs = {"host": "elsewhere", "pid": 7, "since": "2026-01-01T00:00:00+00:00", "purpose": "run"}
    held.folder.lock_path.write_text(json.dumps(theirs | {"brief": False, "token": "theirs"}))
    for refuse in (held.check, lambda: held.interrupt("anywhere")):
        with pytest.raises(LockedError, match="taken over by pid 7 on host elsewhere"):
            refuse()


def test_a_second_start_is_a_restart(held):
    assert not held.restarted
    held.event("started")
    assert not held.restarted
    held.event("started")
    assert held.restarted


def test_a_restart_before_the_first_checkpoint_is_journalled(configure, break_off):
    configuration = configure("runtime.log_every_steps=1")
    break_off(configuration, at_step=3)
    outcome = run(configuration)
    assert outcome.record.provenance["restarts"] == 1
    view = read_journal(outcome.folder.journal_path)
    assert [event.fields["step"] for event in view.events if event.kind == "resumed"] == [0]
    assert [point.step for point in view.points] == [1, 2, 3, 4, 5, 6]


def test_a_copy_of_what_the_package_logs_goes_to_the_file_with_time_and_process(tmp_path):
    ours, theirs = logging.getLogger("repro.engine"), logging.getLogger("another")
    with logged_to(tmp_path / "run.log"):
        ours.warning("a step took long")
        theirs.warning("nothing of ours")
    ours.warning("too late")
    (line,) = (tmp_path / "run.log").read_text().splitlines()
    assert line.endswith(f" {os.getpid()} WARNING repro.engine: a step took long")


def test_the_file_is_let_go_of_also_when_the_work_fails(tmp_path):
    before = list(logging.getLogger("repro").handlers)
    with pytest.raises(ZeroDivisionError), logged_to(tmp_path / "run.log"):
        raise ZeroDivisionError
    assert logging.getLogger("repro").handlers == before
