"""A ready MLflow database for tests, and a look into one."""

import shutil
import tempfile
from collections import Counter
from functools import cache
from pathlib import Path
from typing import Any

from repro.store.outputs import Outputs
from repro.track import MLflowMirror


@cache
def _template() -> Path:
    folder = Path(tempfile.mkdtemp(prefix="repro-mlflow-"))
    MLflowMirror(f"sqlite:///{folder / 'mlflow.db'}", "another", Outputs(folder)).open()
    return folder / "mlflow.db"


def place_database(outputs: Path) -> str:
    """Puts a database without runs into a folder and returns its address; MLflow takes seconds to make a new one."""
    outputs.mkdir(parents=True, exist_ok=True)
    shutil.copy(_template(), outputs / "mlflow.db")
    return f"sqlite:///{outputs / 'mlflow.db'}"


class Seen:
    """What MLflow shows of an experiment, read by its own client."""

    def __init__(self, uri: str, experiment: str = "repro") -> None:
        from mlflow import MlflowClient

        self.client = MlflowClient(tracking_uri=uri, registry_uri=uri)
        found = self.client.get_experiment_by_name(experiment)
        self.runs: list[Any] = list(self.client.search_runs([found.experiment_id])) if found else []

    def run(self, run_id: str) -> Any:
        (run,) = [run for run in self.runs if run.data.tags.get("repro.run_id") == run_id]
        return run

    def points(self, run_id: str) -> Counter[tuple[str, int]]:
        """How often each (metric, step) is there."""
        run = self.run(run_id)
        histories = [self.client.get_metric_history(run.info.run_id, key) for key in run.data.metrics]
        return Counter((metric.key, metric.step) for history in histories for metric in history)

    def artifacts(self, run_id: str, folder: str | None = None) -> set[str]:
        found: set[str] = set()
        for item in self.client.list_artifacts(self.run(run_id).info.run_id, folder):
            found |= self.artifacts(run_id, item.path) if item.is_dir else {item.path}
        return found
