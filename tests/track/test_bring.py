"""Run folders brought into MLflow, as often as asked: what is said, what is shown, what is left alone."""

import json
import os
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from repro.errors import ConfigError
from repro.store.journal import Journal
from repro.store.lock import FolderLock
from repro.store.outputs import Outputs
from repro.store.run_folder import RunFolder
from repro.store.status import RunState
from repro.track import MLflowMirror, TrackingError
from repro.track.bring import Tally, bring_in, bring_level
from repro.track.snapshot import Snapshot
from tests.example_mlflow import Seen, place_database
from tests.example_runs import MATRIX, example_record, example_run

pytestmark = pytest.mark.filterwarnings("ignore:.*noload.*:DeprecationWarning")  # sqlalchemy about MLflow's models

RUNS = [f"{index:016x}" for index in range(3)]


@pytest.fixture
def outputs(tmp_path: Path) -> Path:
    outputs = tmp_path / "outputs"
    place_database(outputs)
    for run_id in RUNS:
        example_run(outputs / "runs", run_id, steps=20)
    return outputs


def _total_points(seen: Seen) -> dict[str, int]:
    """Points of each run, after a check that none is there twice."""
    totals = {}
    for run in seen.runs:
        points = seen.points(run.data.tags["repro.run_id"])
        assert set(points.values()) <= {1}
        totals[run.data.tags["repro.run_id"]] = len(points)
    return totals


@contextmanager
def at_work(lock_path: Path, where: str) -> Iterator[None]:
    """A process that holds a run: one of this host, or, by its heartbeat alone, one of another."""
    if where == "here":
        with FolderLock(lock_path):
            yield
        return
    holder = {"host": "elsewhere", "pid": 77, "since": "2026-01-01T00:00:00+00:00", "purpose": "run"}
    lock_path.write_text(json.dumps(holder | {"brief": False, "token": "theirs"}))
    ended = threading.Event()

    def beat() -> None:
        while not ended.wait(0.1):
            os.utime(lock_path)

    heart = threading.Thread(target=beat)
    heart.start()
    try:
        yield
    finally:
        ended.set()
        heart.join()
        lock_path.write_text("")


def test_twice_in_a_row_changes_nothing(outputs: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert bring_level([f"outputs={outputs}"]) == 0
    assert "3 brought level; look at them: mlflow ui --backend-store-uri sqlite:///" in capsys.readouterr().out
    uri = f"sqlite:///{outputs / 'mlflow.db'}"
    first = _total_points(Seen(uri))
    assert first == dict.fromkeys(RUNS, 2 * 20 + 4)
    assert bring_level([f"outputs={outputs}"]) == 0
    assert "3 level already" in capsys.readouterr().out
    assert _total_points(Seen(uri)) == first
    example_run(outputs / "runs", "ffffffffffffffff")
    assert bring_level([f"outputs={outputs}"]) == 0
    assert "1 brought level, 3 level already" in capsys.readouterr().out


def test_a_broken_run_is_listed_and_the_others_are_done(outputs: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (outputs / "runs" / RUNS[1] / "evaluations" / "00000000000000ee.json").write_text('{"run_id": "')
    held = RunFolder(outputs / "runs", "aaaaaaaaaaaaaaaa")
    example_run(outputs / "runs", held.run_id, state=RunState.RUNNING)
    (outputs / "runs" / "bbbbbbbbbbbbbbbb").mkdir()
    with held.lock():
        assert bring_level([f"outputs={outputs}"]) == 1
    told = capsys.readouterr()
    assert told.err.startswith(f"{RUNS[1]}: ")
    assert "00000000000000ee.json is damaged" in told.err
    assert "2 brought level, 1 running and level, 1 without a configuration yet, 1 broken; mend" in told.out
    uri = f"sqlite:///{outputs / 'mlflow.db'}"
    assert sorted(_total_points(Seen(uri))) == [RUNS[0], RUNS[2], held.run_id]
    assert not (outputs / "runs" / "bbbbbbbbbbbbbbbb" / "lock").exists()


def test_a_killed_run_is_shown_as_killed(outputs: Path) -> None:
    folder = example_run(outputs / "runs", "aaaaaaaaaaaaaaaa", steps=20, checkpoint=10, state=RunState.RUNNING)
    assert bring_level([f"outputs={outputs}"]) == 0
    seen = Seen(f"sqlite:///{outputs / 'mlflow.db'}")
    assert seen.run(folder.run_id).info.status == "KILLED"
    assert {step for _, step in seen.points(folder.run_id)} == set(range(1, 11))
    status = folder.read_status()
    assert status is not None
    assert status.state is RunState.RUNNING, "the run folder is read, not changed"


@pytest.mark.parametrize("where", ["here", "elsewhere"])
def test_a_run_at_work_is_shown_as_far_as_its_checkpoint_and_then_to_its_end(
    outputs: Path, capsys: pytest.CaptureFixture[str], where: str
) -> None:
    folder = example_run(outputs / "runs", "aaaaaaaaaaaaaaaa", steps=20, checkpoint=10, state=RunState.RUNNING)
    uri = f"sqlite:///{outputs / 'mlflow.db'}"
    with at_work(folder.lock_path, where):
        for _ in range(2):
            assert bring_level([f"outputs={outputs}"]) == 0
            assert "1 running and level" in capsys.readouterr().out
            assert Seen(uri).run(folder.run_id).info.status == "RUNNING"
            assert set(Seen(uri).points(folder.run_id).values()) == {1}
            assert {step for _, step in Seen(uri).points(folder.run_id)} == set(range(1, 11))
        with Journal(folder.journal_path) as journal:
            journal.event("checkpoint", step=15)
        assert bring_level([f"outputs={outputs}"]) == 0
        assert {step for _, step in Seen(uri).points(folder.run_id)} == set(range(1, 16))
    folder.write_record(example_record(folder.run_id), MATRIX)
    folder.write_status(RunState.FINISHED, step=20)
    assert bring_level([f"outputs={outputs}"]) == 0
    assert Seen(uri).run(folder.run_id).info.status == "FINISHED"
    assert {step for _, step in Seen(uri).points(folder.run_id)} == {*range(1, 21), 40}
    assert set(Seen(uri).points(folder.run_id).values()) == {1}


def test_a_run_at_work_that_has_no_checkpoint_yet_is_left_to_its_own_process(outputs: Path) -> None:
    folder = RunFolder(outputs / "runs", "aaaaaaaaaaaaaaaa")
    example_run(outputs / "runs", folder.run_id, steps=0, state=RunState.RUNNING)
    folder.journal_path.unlink()
    with folder.lock():
        assert bring_in([folder], MLflowMirror(f"sqlite:///{outputs / 'mlflow.db'}", "repro", Outputs(outputs))).held


def test_a_run_that_ends_while_it_is_shown_is_shown_to_its_end(outputs: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = example_run(outputs / "runs", "aaaaaaaaaaaaaaaa", steps=20, state=RunState.RUNNING)
    lock = folder.lock()
    shown = MLflowMirror.bring_level

    def ending(mirror: MLflowMirror, snapshot: Snapshot) -> bool:
        lock.release()
        return shown(mirror, snapshot)

    monkeypatch.setattr(MLflowMirror, "bring_level", ending)
    tally = bring_in([folder], MLflowMirror(f"sqlite:///{outputs / 'mlflow.db'}", "repro", Outputs(outputs)))
    assert tally.sent == [folder.run_id]
    assert Seen(f"sqlite:///{outputs / 'mlflow.db'}").run(folder.run_id).info.status == "KILLED"


def test_a_locked_database_is_a_sentence(
    outputs: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("repro.track.bring.PATIENCE_SECONDS", 0.5)
    example_run(outputs / "runs", "ffffffffffffffff")
    connection = sqlite3.connect(outputs / "mlflow.db", isolation_level=None)
    connection.execute("BEGIN EXCLUSIVE")
    with pytest.raises(TrackingError, match="database is locked"):
        bring_level([f"outputs={outputs}"])
    connection.execute("ROLLBACK")
    connection.close()
    assert bring_level([f"outputs={outputs}"]) == 0
    assert "4 brought level" in capsys.readouterr().out


def test_no_runs_is_no_mistake(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert bring_level([f"outputs={tmp_path}"]) == 0
    assert "no runs below" in capsys.readouterr().out


def test_without_tracking_there_is_nowhere_to_bring_them(outputs: Path) -> None:
    with pytest.raises(ConfigError, match="nowhere to bring the runs"):
        bring_level([f"outputs={outputs}", "tracking=none"])


def test_a_tally_names_what_there_is() -> None:
    assert Tally().sentence() == "no runs"
    assert Tally(sent=["a", "b"], held=["c"], broken={"d": "why"}).sentence() == (
        "2 brought level, 1 running and without a checkpoint yet, 1 broken"
    )
