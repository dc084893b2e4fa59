"""Runs while MLflow is locked or gone: they end well, and `repro.track` repairs the gap without duplicates."""

import os
import sqlite3
import time
from functools import partial
from pathlib import Path

import pytest

from repro.run.command import main as run
from repro.store.journal import Journal
from repro.store.outputs import Outputs
from repro.store.status import RunState
from repro.track import MLflowMirror, MLflowTracker, take_snapshot
from repro.track.command import main as track
from tests.example_mlflow import Seen, Server, place_database
from tests.example_runs import MATRIX, example_record, example_run, write_points
from tests.tiny import TINIEST

SHOWN = "00000000000000aa"
TRACKED = [*TINIEST, "tracking=mlflow"]


@pytest.fixture(autouse=True)
def soon_given_up(monkeypatch):
    """The end of a run waits seconds for MLflow instead of half a minute."""
    monkeypatch.setattr("repro.track.tracker.MLflowTracker", partial(MLflowTracker, finish_seconds=2))


def run_without_mlflow(outputs, uri, capsys, caplog):
    """Carries out a real run that cannot be shown; returns its id."""
    caplog.clear()
    before = set(os.listdir(outputs / "runs")) if (outputs / "runs").exists() else set()
    assert run([*TRACKED, f"outputs={outputs}", f"tracking.uri={uri}"]) == 0
    assert "fcn-shapes-seed0: mIoU" in capsys.readouterr().out
    assert "afterwards `python -m repro.track` fills the gap" in caplog.text
    (run_id,) = set(os.listdir(outputs / "runs")) - before
    assert "fills the gap" in Outputs(outputs).run(run_id).log_path.read_text()
    return run_id


def points_once_each(seen, run_id):
    points = seen.points(run_id)
    assert set(points.values()) == {1}
    return points


def test_a_locked_database_does_not_stop_a_run(tmp_path, capsys, caplog):
    uri = place_database(tmp_path)
    holder = sqlite3.connect(tmp_path / "mlflow.db", isolation_level=None)
    holder.execute("BEGIN EXCLUSIVE")
    run_id = run_without_mlflow(tmp_path, uri, capsys, caplog)
    holder.execute("ROLLBACK")
    holder.close()
    where = [f"outputs={tmp_path}", f"tracking.uri={uri}"]
    assert track(where) == 0
    assert "1 brought level" in capsys.readouterr().out
    assert track(where) == 0
    assert "1 level already" in capsys.readouterr().out
    seen = Seen(uri)
    assert len(seen.runs) == 1
    assert seen.run(run_id).info.status == "FINISHED"
    assert {step for name, step in points_once_each(seen, run_id) if name == "loss"} == {2, 4, 6}


def until_shown(uri: str, run_id: str, step: int) -> None:
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        seen = Seen(uri)
        if seen.runs and max((found for _, found in seen.points(run_id)), default=0) == step:
            return
        time.sleep(0.2)
    pytest.fail("the live run was not shown")


@pytest.mark.real
def test_a_server_killed_during_a_run_and_started_again(tmp_path: Path, capsys, caplog):
    """A run ends well while its server dies, another one while it is dead; one command then closes both gaps."""
    server = Server(tmp_path)
    server.start()
    try:
        _a_server_killed_during_a_run_and_started_again(server, tmp_path / "outputs", capsys, caplog)
    finally:
        server.kill()


def _a_server_killed_during_a_run_and_started_again(server, outputs, capsys, caplog):
    folder = example_run(outputs / "runs", SHOWN, steps=0, checkpoint=0, state=RunState.RUNNING)
    mirror = MLflowMirror(server.uri, "repro", Outputs(outputs))
    tracker = MLflowTracker(mirror, retry_seconds=0.5, finish_seconds=3)
    with folder.lock(), Journal(folder.journal_path) as journal:
        tracker.start(folder)
        for first in range(1, 60, 10):
            write_points(journal, first, first + 9)
            journal.event("checkpoint", step=first + 9)
            tracker.sync(first + 9)
            if first == 21:
                until_shown(server.uri, folder.run_id, first + 9)
                server.kill()
        folder.write_record(example_record(folder.run_id, steps=60), MATRIX)
        folder.write_status(RunState.FINISHED, step=60)
        start = time.monotonic()
        assert not tracker.finish(RunState.FINISHED)
        assert time.monotonic() - start < 5
    assert [record.levelname for record in caplog.records] == ["WARNING", "WARNING"]
    other = run_without_mlflow(outputs, server.uri, capsys, caplog)
    command = [f"outputs={outputs}", f"tracking.uri={server.uri}"]
    assert track(command) == 2
    assert "cannot be used now" in capsys.readouterr().err
    server.start()
    assert track(command) == 0
    assert f"{server.uri}: 2 brought level; look at them: {server.uri}" in capsys.readouterr().out
    assert track(command) == 0
    assert "2 level already" in capsys.readouterr().out
    seen = Seen(server.uri)
    assert len(seen.runs) == 2
    assert len(points_once_each(seen, SHOWN)) == 2 * 60 + 4
    assert {step for name, step in points_once_each(seen, other) if name == "loss"} == {2, 4, 6}
    for run_id in (SHOWN, other):
        assert seen.run(run_id).info.status == "FINISHED"
    assert "evaluations/00000000000000ee.json" in seen.artifacts(SHOWN)
    assert not (outputs / "mlartifacts").exists(), "a server keeps the artifacts itself"
    assert not MLflowMirror(server.uri, "repro", Outputs(outputs)).bring_level(take_snapshot(folder))
