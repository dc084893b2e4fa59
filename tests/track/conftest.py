"""A ready MLflow database."""

from pathlib import Path

import pytest

from repro.store.outputs import Outputs
from repro.track import MLflowMirror
from tests.example_mlflow import place_database


@pytest.fixture
def outputs(tmp_path: Path) -> Path:
    """A folder of outputs with a database and no runs."""
    place_database(tmp_path / "outputs")
    return tmp_path / "outputs"


@pytest.fixture
def uri(outputs: Path) -> str:
    return f"sqlite:///{outputs / 'mlflow.db'}"


@pytest.fixture
def mirror(uri: str, outputs: Path) -> MLflowMirror:
    return MLflowMirror(uri, "repro", Outputs(outputs), patience_seconds=0.2)
