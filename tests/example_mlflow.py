"""A ready MLflow database for tests, MLflow's own server, and a look into what they show."""

import contextlib
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import textwrap
import time
import urllib.request
from collections import Counter
from functools import cache
from pathlib import Path
from typing import Any

from repro.store.outputs import Outputs
from repro.track import MLflowMirror

ONCE = {(key, step): 1 for step in range(1, 41) for key in ("loss", "learning_rate")} | {
    (f"whole/{key}", 40): 1
    for key in ("miou_percent", "pixel_accuracy_percent", "iou_percent/background", "iou_percent/disc")
}
"""How often each (metric, step) of an `example_run` is shown."""


@cache
def _template() -> Path:
    """A database without runs, made once for all processes of a test session."""
    session = os.environ.get("PYTEST_XDIST_TESTRUNUID", str(os.getpid()))
    folder = Path(tempfile.gettempdir()) / f"repro-mlflow-{session}"
    folder.mkdir(exist_ok=True)
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


class Server:
    """MLflow's own server on a loopback port, to be killed and started again on the same database."""

    PROGRAM = """
        import sys
        from mlflow.server import app
        from werkzeug.serving import make_server
        make_server("127.0.0.1", int(sys.argv[1]), app, threaded=True).serve_forever()
    """

    def __init__(self, folder: Path) -> None:
        with socket.create_server(("127.0.0.1", 0)) as probe:
            self.port = probe.getsockname()[1]
        self.uri = f"http://127.0.0.1:{self.port}"
        self._log = folder / "server.log"
        self._settings = {
            "_MLFLOW_SERVER_FILE_STORE": place_database(folder),
            "_MLFLOW_SERVER_ARTIFACT_ROOT": "mlflow-artifacts:/",
            "_MLFLOW_SERVER_ARTIFACT_DESTINATION": str(folder / "artifacts"),
            "_MLFLOW_SERVER_SERVE_ARTIFACTS": "true",
        }
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        command = [sys.executable, "-c", textwrap.dedent(self.PROGRAM), str(self.port)]
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(
                command, stdout=log, stderr=log, env=os.environ | self._settings, start_new_session=True
            )
        deadline = time.monotonic() + 120
        while time.monotonic() < deadline and self._process.poll() is None:
            with contextlib.suppress(OSError), urllib.request.urlopen(f"{self.uri}/health", timeout=2):
                return
            time.sleep(0.1)
        raise AssertionError(self._log.read_text())

    def kill(self) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None
