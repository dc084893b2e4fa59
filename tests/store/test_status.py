"""The state of a run on disk: what it keeps from one write to the next, and what counts as damage."""

import json
import os
import socket
from pathlib import Path
from typing import Any

import pytest

from repro.errors import DamagedError, StoreError
from repro.store.files import DIGEST
from repro.store.status import RunState, Status, read_status, write_status


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "run" / "status.json"


def status_in(path: Path) -> Status:
    status = read_status(path)
    assert status is not None
    return status


def _change(path: Path, **changes: Any) -> None:
    """Writes other values, as a status from before digests has them."""
    content = json.loads(path.read_text()) | changes
    del content[DIGEST]
    path.write_text(json.dumps(content))


def test_no_file_is_no_status(path: Path) -> None:
    assert read_status(path) is None


def test_a_status_keeps_earlier_times_and_the_step(path: Path) -> None:
    for state in RunState:
        write_status(path, state, step=7 if state is RunState.RUNNING else None)
    write_status(path, RunState.FAILED, message="the loss is nan", extra={"reason": {"step": 7}})
    status = status_in(path)
    assert (status.state, status.step, status.message) == (RunState.FAILED, 7, "the loss is nan")
    assert status.extra == {"reason": {"step": 7}}
    assert (status.host, status.pid) == (socket.gethostname(), os.getpid())
    assert set(status.times) == set(RunState)
    assert status.times["CREATED"] <= status.times["RUNNING"] <= status.times["FAILED"] <= status.updated


def test_a_message_is_of_one_write_only_and_further_values_stay(path: Path) -> None:
    write_status(path, RunState.FAILED, step=3, message="the disk is full", extra={"place": "here", "other": 1})
    write_status(path, RunState.RUNNING, extra={"other": 2})
    status = status_in(path)
    assert (status.message, status.extra, status.step) == ("", {"place": "here", "other": 2}, 3)


def test_staying_in_a_state_does_not_enter_it_anew(path: Path) -> None:
    write_status(path, RunState.RUNNING)
    _change(path, times={"RUNNING": "2020-01-01T00:00:00+00:00"})
    write_status(path, RunState.RUNNING, message="evaluating")
    assert status_in(path).times == {"RUNNING": "2020-01-01T00:00:00+00:00"}
    write_status(path, RunState.FAILED)
    write_status(path, RunState.RUNNING)
    assert status_in(path).times["RUNNING"] > "2020-01-02"


@pytest.mark.parametrize(
    "content",
    ["", '{"state": "RUNN', "[]", '{"state": "RUNNING"}', '{"unknown": 1}',
     '{"state": "RUNNING", "updated": "x", "times": [], "host": "h", "pid": 1}',
     '{"state": "RUNNING", "updated": "x", "times": {}, "host": "h", "pid": 1, "extra": []}'],
)  # fmt: skip
def test_a_damaged_status_is_named_and_mended_by_the_next_write(path: Path, content: str) -> None:
    path.parent.mkdir()
    path.write_text(content)
    with pytest.raises(StoreError, match=r"status\.json"):
        read_status(path)
    write_status(path, RunState.FINISHED)
    assert status_in(path).state is RunState.FINISHED


@pytest.mark.parametrize("step", ["1", "3"])
def test_a_changed_digit_is_damage(path: Path, step: str) -> None:
    write_status(path, RunState.RUNNING, step=2)
    path.write_text(path.read_text().replace('"step": 2', f'"step": {step}'))
    with pytest.raises(DamagedError, match="not what its digest was taken of"):
        read_status(path)


def test_a_foreign_state_is_damage(path: Path) -> None:
    write_status(path, RunState.RUNNING)
    _change(path, state="DONE")
    with pytest.raises(StoreError, match="names no state of CREATED, RUNNING, FINISHED, FAILED, INTERRUPTED: 'DONE'"):
        read_status(path)


def test_a_run_that_was_created_or_runs_has_not_ended() -> None:
    assert {state for state in RunState if not state.has_ended} == {RunState.CREATED, RunState.RUNNING}
