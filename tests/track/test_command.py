import contextlib
import os
import signal
import socket
import sqlite3
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from repro.store.journal import Journal
from repro.store.run_folder import RunFolder
from repro.track import MLflowMirror, MLflowTracker, take_snapshot
from repro.track import command as track
from tests.example_mlflow import Seen, place_database
from tests.example_runs import MATRIX, example_record, example_run, write_points

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


def test_twice_in_a_row_changes_nothing(outputs: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert track.main([f"outputs={outputs}"]) == 0
    assert "3 brought level; look at them: mlflow ui --backend-store-uri sqlite:///" in capsys.readouterr().out
    uri = f"sqlite:///{outputs / 'mlflow.db'}"
    first = _total_points(Seen(uri))
    assert first == dict.fromkeys(RUNS, 2 * 20 + 4)
    assert track.main([f"outputs={outputs}"]) == 0
    assert "3 level already" in capsys.readouterr().out
    assert _total_points(Seen(uri)) == first
    example_run(outputs / "runs", "ffffffffffffffff")
    assert track.main([f"outputs={outputs}"]) == 0
    assert "1 brought level, 3 level already" in capsys.readouterr().out


def test_a_broken_run_is_listed_and_the_others_are_done(outputs: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (outputs / "runs" / RUNS[1] / "evaluations" / "00000000000000ee.json").write_text('{"run_id": "')
    held = RunFolder(outputs / "runs", "aaaaaaaaaaaaaaaa")
    example_run(outputs / "runs", held.run_id, state="RUNNING")
    (outputs / "runs" / "bbbbbbbbbbbbbbbb").mkdir()
    with held.lock():
        assert track.main([f"outputs={outputs}"]) == 1
    told = capsys.readouterr()
    assert told.err.startswith(f"{RUNS[1]}: ")
    assert "00000000000000ee.json is damaged" in told.err
    assert "2 brought level, 1 still running, 1 without a configuration yet, 1 broken; mend" in told.out
    uri = f"sqlite:///{outputs / 'mlflow.db'}"
    assert sorted(_total_points(Seen(uri))) == [RUNS[0], RUNS[2]]
    assert not (outputs / "runs" / "bbbbbbbbbbbbbbbb" / "lock").exists()


def test_a_killed_run_is_shown_as_killed(outputs: Path) -> None:
    folder = example_run(outputs / "runs", "aaaaaaaaaaaaaaaa", steps=20, checkpoint=10, state="RUNNING")
    assert track.main([f"outputs={outputs}"]) == 0
    seen = Seen(f"sqlite:///{outputs / 'mlflow.db'}")
    assert seen.run(folder.run_id).info.status == "KILLED"
    assert {step for _, step in seen.points(folder.run_id)} == set(range(1, 11))
    status = folder.read_status()
    assert status is not None
    assert status.state == "RUNNING", "the run folder is read, not changed"


def test_a_locked_database_is_a_sentence(
    outputs: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(track, "PATIENCE_SECONDS", 0.5)
    assert track.main([f"outputs={outputs}"]) == 0
    example_run(outputs / "runs", "ffffffffffffffff")
    connection = sqlite3.connect(outputs / "mlflow.db", isolation_level=None)
    connection.execute("BEGIN EXCLUSIVE")
    assert track.main([f"outputs={outputs}"]) == 1
    assert "database is locked" in capsys.readouterr().err
    connection.execute("ROLLBACK")
    connection.close()
    assert track.main([f"outputs={outputs}"]) == 0
    assert "1 brought level, 3 level already" in capsys.readouterr().out


def test_no_runs_is_no_mistake(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert track.main([f"outputs={tmp_path}"]) == 0
    assert "no runs below" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("override", "words"),
    [
        ("tracking=none", "nowhere to bring the runs"),
        ("tracking.uri=/data/mlruns", "no longer writes to folders"),
        ("trackng.uri=x", "tracking.uri"),
        ("tracking.uri=http://127.0.0.1:9", "cannot be used now"),
    ],
)
def test_a_mistake_is_one_sentence(
    outputs: Path, capsys: pytest.CaptureFixture[str], override: str, words: str
) -> None:
    assert track.main([f"outputs={outputs}", override]) == 1
    told = capsys.readouterr().err
    assert told.startswith("error: ")
    assert words in told
    assert "Traceback" not in told


class Server:
    """A real `mlflow server` on a loopback port, to be killed and started again on the same database."""

    def __init__(self, folder: Path) -> None:
        with socket.create_server(("127.0.0.1", 0)) as probe:
            self.port = probe.getsockname()[1]
        self.uri = f"http://127.0.0.1:{self.port}"
        self._folder = folder
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        command = [sys.executable, "-m", "mlflow", "server", "--host", "127.0.0.1", "--port", str(self.port)]
        command += ["--backend-store-uri", f"sqlite:///{self._folder / 'server.db'}", "--workers", "1"]
        command += ["--artifacts-destination", str(self._folder / "artifacts")]
        with (self._folder / "server.log").open("ab") as log:
            self._process = subprocess.Popen(command, stdout=log, stderr=log, start_new_session=True)
        deadline = time.monotonic() + 120
        while time.monotonic() < deadline:
            with contextlib.suppress(OSError), urllib.request.urlopen(f"{self.uri}/health", timeout=2):
                return
            time.sleep(0.2)
        pytest.fail((self._folder / "server.log").read_text())

    def kill(self) -> None:
        if self._process is not None:
            os.killpg(self._process.pid, signal.SIGKILL)
            self._process.wait()
            self._process = None


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    server = Server(tmp_path)
    server.start()
    yield server
    server.kill()


@pytest.mark.slow
def test_a_server_killed_during_a_run_and_started_again(
    tmp_path: Path, server: Server, capsys: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    """The run ends well without it; one command then closes the gap; the next finds nothing to do."""
    outputs = tmp_path / "outputs"
    folder = example_run(outputs / "runs", RUNS[0], steps=0, checkpoint=0, state="RUNNING")
    mirror = MLflowMirror(server.uri, "repro", outputs)
    tracker = MLflowTracker(mirror, retry_seconds=0.5, finish_seconds=3)
    with folder.lock(), Journal(folder.journal_path) as journal:
        tracker.start(folder)
        for first in range(1, 60, 10):
            write_points(journal, first, first + 9)
            journal.event("checkpoint", step=first + 9)
            tracker.sync(first + 9)
            if first == 21:
                _until_level(server.uri, folder.run_id, first + 9)
                server.kill()
        folder.write_record(example_record(folder.run_id, steps=60), MATRIX)
        folder.write_status("FINISHED", step=60)
        start = time.monotonic()
        assert not tracker.finish("FINISHED")
        assert time.monotonic() - start < 5
    assert len(caplog.records) == 2
    capsys.readouterr()
    command = [f"outputs={outputs}", f"tracking.uri={server.uri}"]
    assert track.main(command) == 1
    assert "cannot be used now" in capsys.readouterr().err
    server.start()
    assert track.main(command) == 0
    assert f"{server.uri}: 1 brought level; look at them: {server.uri}" in capsys.readouterr().out
    assert track.main(command) == 0
    assert "1 level already" in capsys.readouterr().out
    seen = Seen(server.uri)
    assert _total_points(seen) == {RUNS[0]: 2 * 60 + 4}
    assert seen.run(RUNS[0]).info.status == "FINISHED"
    assert "evaluations/00000000000000ee.json" in seen.artifacts(RUNS[0])
    assert not (outputs / "mlartifacts").exists(), "a server keeps the artifacts itself"
    assert not MLflowMirror(server.uri, "repro", outputs).bring_level(take_snapshot(folder))


def _until_level(uri: str, run_id: str, step: int) -> None:
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        seen = Seen(uri)
        if seen.runs and max((found for _, found in seen.points(run_id)), default=0) == step:
            return
        time.sleep(0.2)
    pytest.fail("the live run was not shown")
