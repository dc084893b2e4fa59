"""Where things lie below the outputs."""

import os
import socket
from pathlib import Path

import pytest

from repro.store.outputs import Outputs


@pytest.fixture
def outputs(tmp_path: Path) -> Outputs:
    return Outputs(tmp_path / "outputs")


def test_making_the_object_touches_nothing(outputs: Outputs) -> None:
    assert list(outputs.runs()) == []
    assert not outputs.run("aa").path.exists()
    assert not outputs.root.exists()


def test_runs_are_found_in_order(outputs: Outputs) -> None:
    for name in ("bb", "aa", ".hidden"):
        (outputs.runs_path / name).mkdir(parents=True)
    (outputs.runs_path / "file").touch()
    assert [folder.run_id for folder in outputs.runs()] == ["aa", "bb"]
    assert [folder.path for folder in outputs.runs()] == [outputs.run(name).path for name in ("aa", "bb")]


def test_a_root_given_as_text_is_a_folder_too(tmp_path: Path) -> None:
    assert Outputs(str(tmp_path)).run("aa").path == tmp_path / "runs" / "aa"  # type: ignore[arg-type]


def test_everything_lies_where_earlier_versions_left_it(outputs: Outputs) -> None:
    places = [
        outputs.run("aa").path, outputs.job("aa").job_path, outputs.database_path, outputs.artifacts_path,
        outputs.running_sweeps_path, outputs.own_sweep_lock_path(), outputs.submitting_lock_path,
        outputs.snapshots_path,
    ]  # fmt: skip
    assert [str(place.relative_to(outputs.root)) for place in places] == [
        "runs/aa", "sweep/aa/job.json", "mlflow.db", "mlartifacts",
        "sweep/running", f"sweep/running/{socket.gethostname()}-{os.getpid()}.lock",
        "sweep/submissions/lock", "snapshots",
    ]  # fmt: skip


def test_the_names_of_the_runs_are_read_in_one_look(tmp_path):
    outputs = Outputs(tmp_path)
    assert outputs.run_ids() == frozenset()
    for name in ("a", "b"):
        outputs.run(name).path.mkdir(parents=True)
    assert outputs.run_ids() == {"a", "b"}


def test_measured_runs_come_last_measured_first(outputs: Outputs) -> None:
    for number, name in enumerate(("bb", "aa", "cc")):
        folder = outputs.run(name)
        folder.evaluations_path.mkdir(parents=True)
        if name != "aa":
            folder.record_path("0123456789abcdef").write_text("{}")
        os.utime(folder.evaluations_path, (number, number))
    outputs.run("dd").path.mkdir()
    assert [folder.run_id for folder in outputs.measured_runs()] == ["cc", "bb"]
