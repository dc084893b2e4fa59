import sqlite3
import subprocess
import sys
import textwrap
import time
from pathlib import Path
from typing import Any

import pytest
import yaml

from repro.store.journal import Journal, read_journal
from repro.store.run_folder import RunFolder
from repro.track import MLflowMirror, TrackingError, take_snapshot
from tests.example_mlflow import Seen
from tests.example_runs import CONFIG, MATRIX, example_record, example_run, write_points
from tests.places import REPOSITORY

pytestmark = pytest.mark.filterwarnings("ignore:.*noload.*:DeprecationWarning")  # sqlalchemy about MLflow's models

ONCE = {(key, step): 1 for step in range(1, 41) for key in ("loss", "learning_rate")} | {
    (f"whole/{key}", 40): 1
    for key in ("miou_percent", "pixel_accuracy_percent", "iou_percent/background", "iou_percent/disc")
}


@pytest.fixture
def folder(outputs: Path) -> RunFolder:
    return example_run(outputs / "runs")


def test_a_finished_run_is_shown_whole(folder: RunFolder, mirror: MLflowMirror, uri: str, outputs: Path) -> None:
    assert mirror.bring_level(take_snapshot(folder))
    seen = Seen(uri)
    run = seen.run(folder.run_id)
    assert run.info.status == "FINISHED"
    assert run.info.run_name == "vortex-shapes-seed3"
    assert run.info.start_time == read_journal(folder.journal_path).started_ms
    assert run.info.start_time <= run.info.end_time
    assert run.data.params["head.rates"] == "[1, 3, 9]"
    assert run.data.tags["repro.head"] == "vortex"
    assert seen.points(folder.run_id) == ONCE
    history = seen.client.get_metric_history(run.info.run_id, "loss")
    journal = [(point.time_ms, point.step, point.metrics["loss"]) for point in read_journal(folder.journal_path).points]
    assert sorted((metric.timestamp, metric.step, metric.value) for metric in history) == sorted(journal)
    assert seen.artifacts(folder.run_id) == {
        "config.yaml",
        "evaluations/00000000000000ee.json",
        "evaluations/00000000000000ee.npz",
    }
    assert (outputs / "mlartifacts" / "repro" / run.info.run_id / "artifacts" / "config.yaml").is_file()


def test_sending_again_adds_nothing(folder: RunFolder, mirror: MLflowMirror, uri: str, outputs: Path) -> None:
    mirror.bring_level(take_snapshot(folder))
    assert not mirror.bring_level(take_snapshot(folder))
    assert not MLflowMirror(uri, "repro", outputs).bring_level(take_snapshot(folder))
    seen = Seen(uri)
    assert len(seen.runs) == 1
    assert seen.points(folder.run_id) == ONCE


def test_a_later_evaluation_is_added_to_the_same_run(folder: RunFolder, mirror: MLflowMirror, uri: str) -> None:
    mirror.bring_level(take_snapshot(folder))
    folder.write_record(example_record(folder.run_id, "dd00000000000000", created="2027-01-01T00:00:00+00:00"), MATRIX)
    assert mirror.bring_level(take_snapshot(folder))
    seen = Seen(uri)
    assert seen.points(folder.run_id) == ONCE | {
        (key.replace("whole/", "whole.dd000000/"), step): 1 for key, step in ONCE if key.startswith("whole/")
    }
    assert "evaluations/dd00000000000000.json" in seen.artifacts(folder.run_id)


def test_a_run_keeps_its_place_through_kill_and_resume(outputs: Path, mirror: MLflowMirror, uri: str) -> None:
    folder = example_run(outputs / "runs", steps=40, checkpoint=30, state="RUNNING")
    statuses = []
    for state in ("RUNNING", "INTERRUPTED", "RUNNING", "FINISHED"):
        if state == "FINISHED":
            with Journal(folder.journal_path) as journal:
                journal.event("resumed", step=30)
                write_points(journal, 31, 40)
            folder.write_record(example_record(folder.run_id), MATRIX)
        mirror.bring_level(take_snapshot(folder, state=state))
        statuses.append(Seen(uri).run(folder.run_id).info.status)
        if state != "FINISHED":
            assert Seen(uri).points(folder.run_id) == {place: 1 for place in ONCE if place[1] <= 30}
    assert statuses == ["RUNNING", "KILLED", "RUNNING", "FINISHED"]
    assert Seen(uri).points(folder.run_id) == ONCE
    assert len(Seen(uri).runs) == 1


def test_the_reason_of_a_failure_goes_once_it_is_overcome(outputs: Path, mirror: MLflowMirror, uri: str) -> None:
    folder = example_run(outputs / "runs", state="FAILED")
    folder.write_status("FAILED", message="the disk is full")
    mirror.bring_level(take_snapshot(folder))
    assert Seen(uri).run(folder.run_id).data.tags["repro.message"] == "the disk is full"
    folder.write_status("FINISHED")
    mirror.bring_level(take_snapshot(folder))
    tags = Seen(uri).run(folder.run_id).data.tags
    assert "repro.message" not in tags
    assert tags["repro.state"] == "FINISHED"


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
        mirror = MLflowMirror(uri, "repro", outputs)
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
    assert not MLflowMirror(uri, "repro", outputs).bring_level(take_snapshot(folder))


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
    for fresh in (mirror, MLflowMirror(uri, "repro", outputs, patience_seconds=0.2)):
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


def test_a_run_deleted_in_mlflow_is_brought_back_when_asked(folder: RunFolder, uri: str, outputs: Path) -> None:
    MLflowMirror(uri, "repro", outputs).bring_level(take_snapshot(folder))
    seen = Seen(uri)
    seen.client.delete_run(seen.runs[0].info.run_id)
    assert MLflowMirror(uri, "repro", outputs).bring_level(take_snapshot(folder))
    assert Seen(uri).points(folder.run_id) == ONCE


def test_a_deleted_experiment_is_explained(folder: RunFolder, uri: str, outputs: Path) -> None:
    MLflowMirror(uri, "repro", outputs).open()
    client = Seen(uri).client
    client.delete_experiment(client.get_experiment_by_name("repro").experiment_id)
    with pytest.raises(TrackingError, match="has been deleted; restore it"):
        MLflowMirror(uri, "repro", outputs).bring_level(take_snapshot(folder))


def test_many_params_and_points_go_in_batches(outputs: Path, mirror: MLflowMirror, uri: str) -> None:
    extra = {f"extra.{index}": "x" * index for index in range(260)}
    folder = example_run(outputs / "runs", steps=1200)
    folder.config_path.write_text(yaml.safe_dump(CONFIG | extra))
    assert mirror.bring_level(take_snapshot(folder))
    run = Seen(uri).run(folder.run_id)
    assert extra.items() <= run.data.params.items()
    points = Seen(uri).points(folder.run_id)
    assert set(points.values()) == {1}
    assert len(points) == 2 * 1200 + 4


def test_a_fresh_database_survives_leftovers_of_a_killed_creation(tmp_path: Path) -> None:
    (tmp_path / "mlflow.db").touch()
    leftover = tmp_path / ".mlflow.db.123.partial"
    leftover.write_bytes(b"half a database")
    mirror = MLflowMirror(f"sqlite:///{tmp_path / 'mlflow.db'}", "repro", tmp_path)
    folder = example_run(tmp_path / "runs")
    assert mirror.bring_level(take_snapshot(folder))
    assert not leftover.exists()


def test_without_mlflow_it_says_what_to_do(tmp_path: Path) -> None:
    program = """
        import sys
        from pathlib import Path
        sys.modules["mlflow"] = None
        from repro.track import MLflowMirror, TrackingError
        try:
            MLflowMirror("sqlite:///x.db", "repro", Path(".")).open()
        except TrackingError as error:
            print(error)
    """
    done = subprocess.run([sys.executable, "-c", textwrap.dedent(program)], capture_output=True, text=True, check=True)
    assert "MLflow cannot be imported" in done.stdout
    assert "tracking=none" in done.stdout


@pytest.mark.slow
def test_processes_that_start_together_on_no_database_all_come_through(tmp_path: Path) -> None:
    program = """
        import sys
        from pathlib import Path
        from repro.track import MLflowMirror, take_snapshot
        from tests.example_runs import example_run
        outputs = Path(sys.argv[1])
        folder = example_run(outputs / "runs", sys.argv[2])
        mirror = MLflowMirror(f"sqlite:///{outputs / 'mlflow.db'}", "repro", outputs, patience_seconds=60)
        assert mirror.bring_level(take_snapshot(folder))
    """
    names = [f"{index:016x}" for index in range(4)]
    command = [sys.executable, "-c", textwrap.dedent(program), str(tmp_path)]
    processes = [subprocess.Popen([*command, name], cwd=REPOSITORY) for name in names]
    assert [process.wait() for process in processes] == [0] * len(names)
    seen = Seen(f"sqlite:///{tmp_path / 'mlflow.db'}")
    assert len(seen.runs) == len(names)
    for name in names:
        assert seen.points(name) == ONCE


@pytest.mark.slow
def test_killed_at_any_moment_of_a_sync_the_next_one_completes_it(tmp_path: Path) -> None:
    program = """
        import sys, time
        from pathlib import Path
        from repro.store import RunFolder
        from repro.track import MLflowMirror, mirror, take_snapshot
        mlflow_tracker.POINTS_PER_BATCH = 20
        outputs = Path(sys.argv[1])
        mirror = MLflowMirror(f"sqlite:///{outputs / 'mlflow.db'}", "repro", outputs)
        mirror.open()
        print("open", flush=True)
        mirror.bring_level(take_snapshot(RunFolder(outputs / "runs", "00000000000000aa")))
        print("level", flush=True)
    """
    folder = example_run(tmp_path / "runs", steps=1000)
    killed = 0
    for delay in (0.0, 0.3, 0.1, 0.6):
        process = subprocess.Popen(
            [sys.executable, "-c", textwrap.dedent(program), str(tmp_path)], stdout=subprocess.PIPE, text=True
        )
        assert process.stdout is not None
        assert process.stdout.readline() == "open\n"
        time.sleep(delay)
        process.kill()
        killed += "level" not in process.communicate()[0]
    assert killed >= 1
    uri = f"sqlite:///{tmp_path / 'mlflow.db'}"
    MLflowMirror(uri, "repro", tmp_path).bring_level(take_snapshot(folder))
    points = Seen(uri).points(folder.run_id)
    assert set(points.values()) == {1}
    assert len(points) == 2 * 1000 + 4
    assert len(Seen(uri).runs) == 1
