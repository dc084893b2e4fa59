"""Run folders brought into MLflow, as often as asked: what is said, what is shown, what is left alone."""

import sqlite3
from pathlib import Path

import pytest

from repro.errors import ConfigError
from repro.store.run_folder import RunFolder
from repro.store.status import RunState
from repro.track import TrackingError
from repro.track.bring import Tally, bring_level
from tests.example_mlflow import Seen, place_database
from tests.example_runs import example_run

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
    assert "2 brought level, 1 still running, 1 without a configuration yet, 1 broken; mend" in told.out
    uri = f"sqlite:///{outputs / 'mlflow.db'}"
    assert sorted(_total_points(Seen(uri))) == [RUNS[0], RUNS[2]]
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
        "2 brought level, 1 still running, 1 broken"
    )
