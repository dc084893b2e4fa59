"""Records out of MLflow: all of them, only the unknown ones, and what is said of those that are gone."""

import shutil

import pytest

from repro.store.outputs import Outputs
from repro.store.record import Record
from repro.track import MLflowMirror, TrackingError, fetch_records, take_snapshot
from tests.example_runs import MATRIX, example_record, example_run

FIRST, SECOND = "00000000000000aa", "00000000000000bb"


@pytest.fixture
def shown(outputs, mirror):
    """Two runs in MLflow, the first one with two evaluations."""
    first, second = (example_run(outputs / "runs", run_id) for run_id in (FIRST, SECOND))
    first.write_record(example_record(FIRST, "00000000000000ff"), MATRIX)
    for folder in (first, second):
        mirror.bring_level(take_snapshot(folder))
    return outputs


def test_every_record_comes_back_as_it_was(shown, uri):
    records, problems = fetch_records(uri, ())
    assert not problems
    assert records == [
        example_record(FIRST, "00000000000000ee"),
        example_record(FIRST, "00000000000000ff"),
        example_record(SECOND, "00000000000000ee"),
    ]


def test_known_evaluations_are_not_fetched(shown, uri, monkeypatch):
    from mlflow import MlflowClient

    asked = []
    real = MlflowClient.download_artifacts

    def watched(self, run_id, path, folder):
        asked.append(path)
        return real(self, run_id, path, folder)

    monkeypatch.setattr(MlflowClient, "download_artifacts", watched)
    records, _ = fetch_records(uri, {"00000000000000ee"})
    assert [record.evaluation_id for record in records] == ["00000000000000ff"]
    assert asked == ["evaluations/00000000000000ff.json"]


def test_runs_of_any_experiment_on_several_pages(shown, outputs, uri, monkeypatch):
    monkeypatch.setattr("repro.track.fetch.RUNS_PER_PAGE", 1)
    third = example_run(outputs / "runs", "00000000000000cc")
    MLflowMirror(uri, "elsewhere", Outputs(outputs)).bring_level(take_snapshot(third))
    records, _ = fetch_records(uri, ())
    assert {record.run_id for record in records} == {FIRST, SECOND, third.run_id}


def test_a_run_whose_artifacts_are_gone_does_not_keep_the_others_out(shown, uri):
    (record,) = shown.glob(f"mlartifacts/repro/*/artifacts/evaluations/{'0' * 14}ff.json")
    record.write_text("{")
    records, problems = fetch_records(uri, ())
    assert [item.run_id for item in records] == [FIRST, SECOND]
    assert len(problems) == 1
    assert problems[0].startswith(f"the records of run {FIRST} at {uri} cannot be fetched: ")
    shutil.rmtree(record.parent.parent)
    assert [item.run_id for item in fetch_records(uri, ())[0]] == [SECOND]


def test_a_record_of_another_run_is_refused(shown, uri):
    (record,) = shown.glob(f"mlartifacts/repro/*/artifacts/evaluations/{'0' * 14}ff.json")
    text = record.read_text()
    record.write_text(example_record(SECOND, "00000000000000ff").to_json())
    assert isinstance(Record.from_json(text, "it"), Record)
    assert f"holds the record of evaluation 00000000000000ff of run {SECOND}" in fetch_records(uri, ())[1][0]


def test_no_database(tmp_path):
    with pytest.raises(TrackingError, match="there is no tracking database"):
        fetch_records(f"sqlite:///{tmp_path / 'none.db'}", ())
    assert not (tmp_path / "none.db").exists()


def test_something_else_than_a_database(tmp_path):
    (tmp_path / "some.db").write_text("no database, but a text of some length")
    with pytest.raises(TrackingError, match="is no tracking database"):
        fetch_records(f"sqlite:///{tmp_path / 'some.db'}", ())


def test_a_server_that_does_not_answer():
    with pytest.raises(TrackingError, match="cannot be read") as error:
        fetch_records("http://127.0.0.1:9", ())
    assert "\n" not in str(error.value)
