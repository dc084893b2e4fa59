"""What a probe job finds, asked in this process and as the file that a node runs."""

import fcntl
import json
import os
import subprocess
import sys
from http.server import BaseHTTPRequestHandler, HTTPServer
from threading import Thread

import pytest

from repro.sweep.doctor import probe
from repro.sweep.doctor.probe import ANSWER, HELD, QUESTIONS, answer, unreachable


@pytest.fixture
def folder(tmp_path):
    (tmp_path / HELD).write_bytes(b"")
    return tmp_path


def test_a_lock_that_is_held_elsewhere_is_seen(folder):
    questions = {"tracking": None, "folders": [str(folder), str(folder / "gone")]}
    with (folder / HELD).open("rb") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        told = answer(folder, questions)
    assert told["lock"] == "held"
    assert told["absent"] == [str(folder / "gone")]
    assert told["no_package"] is told["no_torch"] is told["no_tracking"] is None
    assert answer(folder, questions)["lock"] == "free"


def test_a_lock_file_that_cannot_be_opened_is_told(tmp_path):
    assert answer(tmp_path, {"tracking": None, "folders": []})["lock"] == "No such file or directory"


def test_the_file_runs_by_itself(folder):
    (folder / QUESTIONS).write_text(json.dumps({"tracking": "http://127.0.0.1:9", "folders": []}))
    blind = "import sys; sys.modules['torch'] = None; import runpy; sys.argv[1:] = [sys.argv[2]]; runpy.run_path"
    code = f"{blind}({probe.__file__!r}, run_name='__main__')"
    command = [sys.executable, "-I", "-c", code, "probe", str(folder)]
    subprocess.run(command, check=True, cwd=folder, env={**os.environ, "SLURMD_NODENAME": "node7"}, timeout=60)
    told = json.loads((folder / ANSWER).read_text())
    assert told["node"] == "node7"
    assert "refused" in told["no_tracking"]
    assert told["no_torch"].startswith("torch cannot be imported")
    assert not (folder / f"{ANSWER}.partial").exists()


@pytest.mark.parametrize("code", [200, 401])
def test_a_server_that_asks_for_a_password_is_reached(code):
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self):
            self.send_response(code if self.path == "/health" else 404)
            self.end_headers()

        def log_message(self, *_):
            """Says nothing."""

    with HTTPServer(("127.0.0.1", 0), Handler) as server:
        Thread(target=server.handle_request, daemon=True).start()
        assert unreachable(f"http://127.0.0.1:{server.server_port}/") is None
    assert "refused" in unreachable(f"http://127.0.0.1:{server.server_port}")
    assert "unknown url type" in unreachable("nonsense")
