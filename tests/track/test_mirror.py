"""What MLflow shows of a run, and that bringing it level again and again adds nothing."""

from pathlib import Path

import pytest
import yaml

from repro.store.journal import Journal, read_journal
from repro.store.outputs import Outputs
from repro.store.run_folder import RunFolder
from repro.store.status import RunState
from repro.track import MLflowMirror, TrackingError, take_snapshot
from tests.example_mlflow import ONCE, Seen
from tests.example_runs import CONFIG, MATRIX, example_record, example_run, write_points

pytestmark = pytest.mark.filterwarnings("ignore:.*noload.*:DeprecationWarning")  # sqlalchemy about MLflow's models


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


@pytest.mark.parametrize("name", ["../../x", "/x", "a/../../../x", "team/x"])
def test_whatever_an_experiment_is_called_its_files_stay_among_the_artifacts(
    folder: RunFolder, uri: str, outputs: Path, name: str
) -> None:
    MLflowMirror(uri, name, Outputs(outputs)).bring_level(take_snapshot(folder))
    (shown,) = outputs.parent.rglob("artifacts/config.yaml")
    assert shown.resolve().is_relative_to(outputs / "mlartifacts")
    assert ".." not in shown.parts
    assert Seen(uri).client.get_experiment_by_name(name) is not None


def test_sending_again_adds_nothing(folder: RunFolder, mirror: MLflowMirror, uri: str, outputs: Path) -> None:
    mirror.bring_level(take_snapshot(folder))
    assert not mirror.bring_level(take_snapshot(folder))
    assert not MLflowMirror(uri, "repro", Outputs(outputs)).bring_level(take_snapshot(folder))
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
    folder = example_run(outputs / "runs", steps=40, checkpoint=30, state=RunState.RUNNING)
    statuses = []
    for state in (RunState.RUNNING, RunState.INTERRUPTED, RunState.RUNNING, RunState.FINISHED):
        if state is RunState.FINISHED:
            with Journal(folder.journal_path) as journal:
                journal.event("resumed", step=30)
                write_points(journal, 31, 40)
            folder.write_record(example_record(folder.run_id), MATRIX)
        mirror.bring_level(take_snapshot(folder, state=state))
        statuses.append(Seen(uri).run(folder.run_id).info.status)
        if state is not RunState.FINISHED:
            assert Seen(uri).points(folder.run_id) == {place: 1 for place in ONCE if place[1] <= 30}
    assert statuses == ["RUNNING", "KILLED", "RUNNING", "FINISHED"]
    assert Seen(uri).points(folder.run_id) == ONCE
    assert len(Seen(uri).runs) == 1


def test_the_reason_of_a_failure_goes_once_it_is_overcome(outputs: Path, mirror: MLflowMirror, uri: str) -> None:
    folder = example_run(outputs / "runs", state=RunState.FAILED)
    folder.write_status(RunState.FAILED, message="the disk is full")
    mirror.bring_level(take_snapshot(folder))
    assert Seen(uri).run(folder.run_id).data.tags["repro.message"] == "the disk is full"
    folder.write_status(RunState.FINISHED)
    mirror.bring_level(take_snapshot(folder))
    tags = Seen(uri).run(folder.run_id).data.tags
    assert "repro.message" not in tags
    assert tags["repro.state"] == "FINISHED"


def test_a_run_deleted_in_mlflow_is_brought_back_when_asked(folder: RunFolder, uri: str, outputs: Path) -> None:
    MLflowMirror(uri, "repro", Outputs(outputs)).bring_level(take_snapshot(folder))
    seen = Seen(uri)
    seen.client.delete_run(seen.runs[0].info.run_id)
    assert MLflowMirror(uri, "repro", Outputs(outputs)).bring_level(take_snapshot(folder))
    assert Seen(uri).points(folder.run_id) == ONCE


def test_a_deleted_experiment_is_explained(folder: RunFolder, uri: str, outputs: Path) -> None:
    MLflowMirror(uri, "repro", Outputs(outputs)).open()
    client = Seen(uri).client
    client.delete_experiment(client.get_experiment_by_name("repro").experiment_id)
    with pytest.raises(TrackingError, match="has been deleted; restore it"):
        MLflowMirror(uri, "repro", Outputs(outputs)).bring_level(take_snapshot(folder))


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
