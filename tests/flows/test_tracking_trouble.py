"""A real run while MLflow is locked or gone: it ends well, and `repro.track` repairs the gap without duplicates."""

import os
import socket
import sqlite3
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

import pytest

from tests.example_mlflow import Seen, place_database
from tests.tiny import TINY

pytestmark = [pytest.mark.slow, pytest.mark.filterwarnings("ignore:.*noload.*:DeprecationWarning")]
RUN = [leaf for leaf in TINY if not leaf.startswith("tracking")]


def repro(module: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", module, *arguments],
        capture_output=True, text=True, check=False, timeout=300, env={**os.environ, "OMP_NUM_THREADS": "1"},
    )  # fmt: skip


def brought_level_twice_without_duplicates(outputs: Path, uri: str) -> None:
    where = [f"outputs={outputs}", f"tracking.uri={uri}"]
    first = repro("repro.track", *where)
    assert first.returncode == 0, first.stderr
    assert "1 brought level" in first.stdout
    second = repro("repro.track", *where)
    assert "1 level already" in second.stdout
    seen = Seen(uri)
    assert len(seen.runs) == 1
    (run_id,) = os.listdir(outputs / "runs")
    assert seen.run(run_id).info.status == "FINISHED"
    points = seen.points(run_id)
    assert {step for name, step in points if name == "loss"} == {2, 4, 6}
    assert set(points.values()) == {1}


def test_a_locked_database_does_not_stop_a_run(tmp_path):
    uri = place_database(tmp_path)
    holder = sqlite3.connect(tmp_path / "mlflow.db", isolation_level=None)
    holder.execute("BEGIN EXCLUSIVE")
    done = repro("repro", *RUN, f"outputs={tmp_path}", f"tracking.uri={uri}")
    holder.execute("ROLLBACK")
    holder.close()
    assert done.returncode == 0, done.stderr
    assert "repro.track" in done.stdout + done.stderr
    brought_level_twice_without_duplicates(tmp_path, uri)


def test_a_server_that_is_gone_does_not_stop_a_run(tmp_path):
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    uri = f"http://127.0.0.1:{port}"
    done = repro("repro", *RUN, f"outputs={tmp_path}", f"tracking.uri={uri}")
    assert done.returncode == 0, done.stderr
    assert "repro.track" in done.stdout + done.stderr
    database = place_database(tmp_path / "server")
    server = subprocess.Popen(
        [sys.executable, "-m", "mlflow", "server", "--host", "127.0.0.1", "--port", str(port), "--workers", "1",
         "--backend-store-uri", database, "--artifacts-destination", str(tmp_path / "server" / "artifacts")],
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True,
    )  # fmt: skip
    try:
        wait_for(f"{uri}/health")
        brought_level_twice_without_duplicates(tmp_path, uri)
    finally:
        os.killpg(server.pid, 9)
        server.wait()


def wait_for(address: str) -> None:
    deadline = time.monotonic() + 120
    while time.monotonic() < deadline:
        try:
            with urllib.request.urlopen(address, timeout=2):
                return
        except OSError:
            time.sleep(0.2)
    pytest.fail(f"{address} does not answer")
