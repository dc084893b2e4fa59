"""A run shown in MLflow while it goes on, and whatever happens to MLflow, the run does not notice."""

import logging
import socket
import sqlite3
import subprocess
import sys
import textwrap
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from repro.store.journal import Journal
from repro.store.outputs import Outputs
from repro.store.run_folder import RunFolder
from repro.store.status import RunState
from repro.track import MLflowMirror, MLflowTracker, take_snapshot
from tests.example_mlflow import Seen
from tests.example_runs import MATRIX, example_record, example_run, write_points
from tests.places import REPOSITORY

pytestmark = pytest.mark.filterwarnings("ignore:.*noload.*:DeprecationWarning")  # sqlalchemy about MLflow's models


@pytest.fixture
def folder(outputs: Path) -> RunFolder:
    """A run that has just begun."""
    return example_run(outputs / "runs", steps=0, checkpoint=0, state=RunState.RUNNING)


def _until(condition: Callable[[], bool], seconds: float = 20.0) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.02)


def _shown_steps(uri: str, run_id: str) -> set[int]:
    seen = Seen(uri)
    return {step for _, step in seen.points(run_id)} if seen.runs else set()


def _finish(folder: RunFolder) -> None:
    folder.write_record(example_record(folder.run_id, steps=30), MATRIX)
    folder.write_status(RunState.FINISHED, step=30)


@contextmanager
def _exclusive(database: Path) -> Iterator[None]:
    connection = sqlite3.connect(database, isolation_level=None)
    connection.execute("BEGIN EXCLUSIVE")
    try:
        yield
    finally:
        connection.execute("ROLLBACK")
        connection.close()


def test_a_run_is_shown_while_it_goes_on(folder: RunFolder, mirror: MLflowMirror, uri: str, outputs: Path) -> None:
    tracker = MLflowTracker(mirror)
    tracker.start(folder)
    with Journal(folder.journal_path) as journal:
        for first in (1, 11):
            write_points(journal, first, first + 9)
            journal.event("checkpoint", step=first + 9)
            tracker.sync(first + 9)
            _until(lambda: _shown_steps(uri, folder.run_id) == set(range(1, first + 10)))  # noqa: B023
        write_points(journal, 21, 30)
        run = Seen(uri).run(folder.run_id)
        assert run.info.status == "RUNNING"
        assert run.data.tags["repro.state"] == "RUNNING"
        _finish(folder)
        assert tracker.finish(RunState.FINISHED)
    assert Seen(uri).run(folder.run_id).info.status == "FINISHED"
    assert set(Seen(uri).points(folder.run_id).values()) == {1}
    assert _shown_steps(uri, folder.run_id) == set(range(1, 31))
    later = MLflowMirror(uri, "repro", Outputs(outputs))
    assert not later.bring_level(take_snapshot(folder)), "what the live run showed is all there is to show"


def test_a_killed_run_ends_killed_with_points_up_to_its_checkpoint(
    folder: RunFolder, mirror: MLflowMirror, uri: str
) -> None:
    tracker = MLflowTracker(mirror)
    tracker.start(folder)
    with Journal(folder.journal_path) as journal:
        write_points(journal, 1, 10)
        journal.event("checkpoint", step=8)
    folder.write_status(RunState.INTERRUPTED, step=8, message="SIGTERM")
    assert tracker.finish(RunState.INTERRUPTED)
    run = Seen(uri).run(folder.run_id)
    assert run.info.status == "KILLED"
    assert run.data.tags["repro.message"] == "SIGTERM"
    assert _shown_steps(uri, folder.run_id) == set(range(1, 9))


def test_a_database_locked_for_a_while_costs_one_warning(
    folder: RunFolder, mirror: MLflowMirror, uri: str, outputs: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "repro")
    tracker = MLflowTracker(mirror, retry_seconds=0.3, finish_seconds=20)
    with Journal(folder.journal_path) as journal:
        with _exclusive(outputs / "mlflow.db"):
            tracker.start(folder)
            longest = 0.0
            for step in range(1, 31):
                start = time.perf_counter()
                journal.point(step, loss=1 / step)
                tracker.sync(step)
                longest = max(longest, time.perf_counter() - start)
                time.sleep(0.05)
            assert longest < 0.2, "tracking must not hold training up"
        _until(lambda: "is level again" in caplog.text)
        _finish(folder)
        assert tracker.finish(RunState.FINISHED)
    assert sum(record.levelname == "WARNING" for record in caplog.records) == 1
    assert "locked" in caplog.text
    assert "python -m repro.track" in caplog.text
    points = Seen(uri).points(folder.run_id)
    assert {step for _, step in points} == set(range(1, 31))
    assert set(points.values()) == {1}


def test_a_database_locked_to_the_end_does_not_hold_the_run_up(
    folder: RunFolder, mirror: MLflowMirror, uri: str, outputs: Path, caplog: pytest.LogCaptureFixture
) -> None:
    tracker = MLflowTracker(mirror, retry_seconds=0.3, finish_seconds=1.5)
    with _exclusive(outputs / "mlflow.db"):
        tracker.start(folder)
        _finish(folder)
        start = time.monotonic()
        assert not tracker.finish(RunState.FINISHED)
        assert time.monotonic() - start < 3
    assert [record.levelname for record in caplog.records] == ["WARNING", "WARNING"]  # the outage, and what is missing
    later = MLflowMirror(uri, "repro", Outputs(outputs))
    assert later.bring_level(take_snapshot(folder)), "later it is made good"
    assert Seen(uri).run(folder.run_id).info.status == "FINISHED"


@pytest.mark.parametrize("answers", [False, True], ids=["nobody listens", "nobody answers"])
def test_a_dead_server_does_not_hold_the_run_up(
    tmp_path: Path, answers: bool, caplog: pytest.LogCaptureFixture
) -> None:
    folder = example_run(tmp_path / "runs")
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
        if not answers:
            listener.close()
        mirror = MLflowMirror(f"http://127.0.0.1:{port}", "repro", Outputs(tmp_path))
        tracker = MLflowTracker(mirror, finish_seconds=2)
        tracker.start(folder)
        start = time.monotonic()
        for step in range(1000):
            tracker.sync(step)
        assert time.monotonic() - start < 0.5
        assert not tracker.finish(RunState.FINISHED)
        assert time.monotonic() - start < 4
    assert 1 <= len(caplog.records) <= 2
    assert f"127.0.0.1:{port}" in caplog.text


def test_a_process_ends_although_its_server_never_answers(tmp_path: Path) -> None:
    program = """
        import sys, time
        from pathlib import Path
        from repro.store.outputs import Outputs
        from repro.store.status import RunState
        from repro.track import MLflowMirror, MLflowTracker
        from tests.example_runs import example_run
        outputs = Path(sys.argv[1])
        tracker = MLflowTracker(MLflowMirror(sys.argv[2], "repro", Outputs(outputs)), finish_seconds=1)
        tracker.start(example_run(outputs / "runs"))
        start = time.monotonic()
        tracker.finish(RunState.FINISHED)
        print(time.monotonic() - start, flush=True)
    """
    with socket.create_server(("127.0.0.1", 0)) as listener:
        address = f"http://127.0.0.1:{listener.getsockname()[1]}"
        command = [sys.executable, "-c", textwrap.dedent(program), str(tmp_path), address]
        process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=REPOSITORY)
        assert process.stdout is not None
        assert float(process.stdout.readline()) < 3
        start = time.monotonic()
        process.communicate()
        assert time.monotonic() - start < 3, "the thread in flight must not keep the process alive"
        assert process.returncode == 0


def test_nothing_that_goes_wrong_reaches_the_run(
    folder: RunFolder, mirror: MLflowMirror, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def burst(*arguments: Any) -> None:
        raise RuntimeError("a fault of MLflow's own")

    monkeypatch.setattr(mirror, "load", burst)
    monkeypatch.setattr(mirror, "bring_level", burst)
    tracker = MLflowTracker(mirror, retry_seconds=0.05, finish_seconds=0.5)
    tracker.start(folder)
    tracker.sync(1)
    assert not tracker.finish(RunState.FINISHED)
    assert sum("a fault of MLflow's own" in record.getMessage() for record in caplog.records) == 1


def test_finishing_what_was_never_started_is_harmless(mirror: MLflowMirror) -> None:
    assert not MLflowTracker(mirror).finish(RunState.FAILED)
