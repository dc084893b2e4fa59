"""Bringing MLflow level while something fails: whatever dies when, the next try adds what is missing and no more."""

import sqlite3
import subprocess
import sys
import textwrap
import time
from pathlib import Path
from typing import Any

import pytest

from repro.store.outputs import Outputs
from repro.store.run_folder import RunFolder
from repro.track import MLflowMirror, TrackingError, take_snapshot
from tests.example_mlflow import ONCE, Seen
from tests.example_runs import MATRIX, example_record, example_run
from tests.places import REPOSITORY


@pytest.fixture
def folder(outputs: Path) -> RunFolder:
    return example_run(outputs / "runs")


class Flaky:
    """MLflow's client, dying at the n-th writing call: before it takes effect, or after, so that the answer is lost."""

    def __init__(self, client: Any, calls: int, after: bool, sent: list[tuple[str, int]]) -> None:
        self._client, self._calls, self._after, self._sent = client, calls, after, sent

    def __getattr__(self, name: str) -> Any:
        method = getattr(self._client, name)
        if name.startswith(("get_", "search_")):
            return method

        def call(*arguments: Any, **named: Any) -> Any:
            self._calls -= 1
            if self._calls < 0 and not self._after:
                raise ConnectionError("gone before")
            result = method(*arguments, **named)
            self._sent.extend((metric.key, metric.step) for metric in named.get("metrics", ()))
            if self._calls < 0:
                raise ConnectionError("gone after")
            return result

        return call


@pytest.mark.parametrize("after", [False, True])
def test_whatever_call_dies_nothing_is_sent_twice(
    folder: RunFolder, uri: str, outputs: Path, after: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The database would hide exact repetitions; so the calls themselves are counted."""
    monkeypatch.setattr("repro.track.mirror.POINTS_PER_BATCH", 15)
    sent: list[tuple[str, int]] = []
    failures = 0
    for attempt in range(40):
        mirror = MLflowMirror(uri, "repro", Outputs(outputs))
        mirror.open()
        mirror._client = Flaky(mirror._client, attempt, after, sent)  # type: ignore[assignment]
        try:
            mirror.bring_level(take_snapshot(folder))
            break
        except TrackingError:
            failures += 1
    else:
        pytest.fail("never level")
    assert failures >= 5
    assert len(sent) == len(set(sent)) == len(ONCE)
    seen = Seen(uri)
    assert len(seen.runs) == 1
    assert seen.points(folder.run_id) == ONCE
    assert seen.run(folder.run_id).info.status == "FINISHED"
    assert not MLflowMirror(uri, "repro", Outputs(outputs)).bring_level(take_snapshot(folder))


def test_a_failure_in_one_mirror_is_made_good_by_the_same_mirror(
    folder: RunFolder, mirror: MLflowMirror, uri: str
) -> None:
    sent: list[tuple[str, int]] = []
    mirror.open()
    client = mirror._client
    mirror._client = Flaky(client, 2, True, sent)  # type: ignore[assignment]
    with pytest.raises(TrackingError):
        mirror.bring_level(take_snapshot(folder))
    mirror._client = client
    assert mirror.bring_level(take_snapshot(folder))
    assert Seen(uri).points(folder.run_id) == ONCE


def test_a_locked_database_is_a_sentence_and_soon(
    folder: RunFolder, mirror: MLflowMirror, outputs: Path, uri: str
) -> None:
    mirror.bring_level(take_snapshot(folder))
    folder.write_record(example_record(folder.run_id, "dd00000000000000"), MATRIX)
    connection = sqlite3.connect(outputs / "mlflow.db", isolation_level=None)
    connection.execute("BEGIN EXCLUSIVE")
    start = time.monotonic()
    for fresh in (mirror, MLflowMirror(uri, "repro", Outputs(outputs), patience_seconds=0.2)):
        with pytest.raises(
            TrackingError, match=r"mlflow\.db cannot be used now \(OperationalError: database is locked\)"
        ):
            fresh.bring_level(take_snapshot(folder))
    assert time.monotonic() - start < 5
    connection.execute("ROLLBACK")
    connection.close()
    assert mirror.bring_level(take_snapshot(folder))


def test_a_run_created_twice_by_a_lost_answer_becomes_one(folder: RunFolder, mirror: MLflowMirror, uri: str) -> None:
    mirror.bring_level(take_snapshot(folder))
    seen = Seen(uri)
    twin = seen.client.create_run(seen.runs[0].info.experiment_id, 1, {"repro.run_id": folder.run_id})
    folder.write_record(example_record(folder.run_id, "dd00000000000000"), MATRIX)
    mirror._shown = None
    mirror.bring_level(take_snapshot(folder))
    assert [run.info.run_id for run in Seen(uri).runs] != [twin.info.run_id]
    assert len(Seen(uri).runs) == 1


def test_a_cancelled_mirror_writes_nothing_more(folder: RunFolder, mirror: MLflowMirror, uri: str) -> None:
    mirror.open()
    mirror.cancel()
    with pytest.raises(TrackingError, match="given up"):
        mirror.bring_level(take_snapshot(folder))
    assert Seen(uri).runs == []


@pytest.mark.slow
def test_killed_at_any_moment_of_a_sync_the_next_one_completes_it(outputs: Path, uri: str) -> None:
    program = """
        import os, signal, sys, time
        from pathlib import Path
        from repro.store.outputs import Outputs
        from repro.store.run_folder import RunFolder
        from repro.track import MLflowMirror, mirror, take_snapshot
        mirror.POINTS_PER_BATCH = 20
        outputs = Outputs(Path(sys.argv[1]))
        mirror = MLflowMirror(sys.argv[2], "repro", outputs)
        mirror.load()
        for delay in (0.0, 0.3, 0.1, 0.6):
            told, tell = os.pipe()
            child = os.fork()
            if child == 0:
                mirror.open()
                os.write(tell, b"open ")
                mirror.bring_level(take_snapshot(outputs.run("00000000000000aa")))
                os.write(tell, b"level")
                os._exit(0)
            os.close(tell)
            opened = os.read(told, 5)
            time.sleep(delay)
            os.kill(child, signal.SIGKILL)
            os.waitpid(child, 0)
            print((opened + os.read(told, 5)).decode(), flush=True)
    """
    folder = example_run(outputs / "runs", steps=1000)
    command = [sys.executable, "-c", textwrap.dedent(program), str(outputs), uri]
    done = subprocess.run(command, cwd=REPOSITORY, capture_output=True, text=True, check=True)
    moments = done.stdout.splitlines()
    assert len(moments) == 4
    assert all(moment.startswith("open ") for moment in moments)
    assert "open " in moments, "at least one was killed before it was level"
    MLflowMirror(uri, "repro", Outputs(outputs)).bring_level(take_snapshot(folder))
    points = Seen(uri).points(folder.run_id)
    assert set(points.values()) == {1}
    assert len(points) == 2 * 1000 + 4
    assert len(Seen(uri).runs) == 1
