"""Who tracks a run, and where."""

import re
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from repro.config.settings import TrackingKind, TrackingSettings
from repro.errors import ConfigError
from repro.store.outputs import Outputs
from repro.track import MLflowTracker, NullTracker, make_tracker, tracking_uri
from repro.track.live import FINISH_SECONDS
from tests.places import REPOSITORY

MLFLOW = TrackingSettings(TrackingKind.mlflow, None, "repro")


@pytest.mark.parametrize(
    ("uri", "full"),
    [
        (None, "sqlite:////data/outputs/mlflow.db"),
        ("", "sqlite:////data/outputs/mlflow.db"),
        ("sqlite:////other/x.db", "sqlite:////other/x.db"),
        ("http://server:5000", "http://server:5000"),
        ("postgresql://user@server/db", "postgresql://user@server/db"),
    ],
)
def test_addresses_in_full(uri: str | None, full: str) -> None:
    assert tracking_uri(uri, Outputs(Path("/data/outputs"))) == full


def test_relative_paths_become_absolute(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert tracking_uri(None, Outputs(Path("outputs"))) == f"sqlite:///{tmp_path}/outputs/mlflow.db"
    assert tracking_uri("sqlite:///x.db", Outputs(Path("outputs"))) == f"sqlite:///{tmp_path}/x.db"


@pytest.mark.parametrize("uri", ["mlruns", "/data/mlruns", "file:///data/mlruns"])
def test_a_folder_is_refused_with_what_would_be_right(uri: str) -> None:
    with pytest.raises(ConfigError, match="no longer writes to folders; give a database"):
        tracking_uri(uri, Outputs(Path("outputs")))


@pytest.mark.parametrize(
    ("uri", "sentence"),
    [
        ("htp://server:5000", "has the scheme 'htp', which MLflow does not know; did you mean http?"),
        ("postgres://server/db", "did you mean postgresql?"),
        ("zzzz://server", "there are http, https, sqlite, postgresql, mysql, mssql, databricks"),
        ("http://", "names no place"),
    ],
)
def test_an_address_that_nobody_knows_is_refused(uri: str, sentence: str) -> None:
    with pytest.raises(ConfigError, match=re.escape(sentence)):
        tracking_uri(uri, Outputs(Path("outputs")))


@pytest.mark.parametrize("uri", ["https://server/a", "mysql+pymysql://u@server/db", "databricks://profile"])
def test_known_schemes_are_taken(uri: str) -> None:
    assert tracking_uri(uri, Outputs(Path("outputs"))) == uri


def test_a_runs_end_waits_for_seconds(tmp_path: Path) -> None:
    """A cluster that has asked to end kills half a minute later."""
    assert FINISH_SECONDS <= 5
    tracker = make_tracker(MLFLOW, Outputs(tmp_path))
    assert isinstance(tracker, MLflowTracker)
    assert tracker._finish_seconds == FINISH_SECONDS


def test_the_kind_chooses(tmp_path: Path) -> None:
    assert isinstance(make_tracker(MLFLOW, Outputs(tmp_path)), MLflowTracker)
    assert isinstance(make_tracker(replace(MLFLOW, kind=TrackingKind.none), Outputs(tmp_path)), NullTracker)
    with pytest.raises(ConfigError, match=r"tracking\.uri=mlruns is a folder"):
        make_tracker(replace(MLFLOW, uri="mlruns"), Outputs(tmp_path))


def test_inside_a_slurm_job_sqlite_is_left_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SLURM_JOB_ID", "1")
    assert isinstance(make_tracker(MLFLOW, Outputs(tmp_path)), NullTracker)
    assert isinstance(make_tracker(replace(MLFLOW, uri="http://server:5000"), Outputs(tmp_path)), MLflowTracker)


def test_tracking_nothing_needs_no_mlflow_and_loads_neither_it_nor_torch(tmp_path: Path) -> None:
    program = (
        "import sys\nsys.modules['mlflow'] = None\nfrom pathlib import Path\n"
        "from repro.config.settings import TrackingKind, TrackingSettings\nfrom repro.store.outputs import Outputs\n"
        "from repro.store.status import RunState\nfrom repro.track import make_tracker\n"
        "from tests.example_runs import example_run\n"
        "tracker = make_tracker(TrackingSettings(TrackingKind.none, None, 'repro'), Outputs(Path('.')))\n"
        "tracker.start(example_run(Path(sys.argv[1])))\ntracker.sync(3)\n"
        "assert tracker.finish(RunState.FINISHED)\n"
        "assert 'torch' not in sys.modules and 'sqlalchemy' not in sys.modules\n"
    )
    subprocess.run([sys.executable, "-c", program, str(tmp_path)], check=True, cwd=REPOSITORY)
