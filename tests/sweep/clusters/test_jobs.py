import json
import subprocess
import sys

import pytest

from repro.config.compose import compose
from repro.engine.stop import Interrupted
from repro.errors import ConfigError, ReproError, StoreError
from repro.store.lock import LockedError
from repro.sweep.clusters import worker
from repro.sweep.clusters.jobs import (
    DONE,
    ELSEWHERE,
    FAILED,
    INTERRUPTED,
    Attempt,
    FrozenJob,
    Result,
    carry_out,
    describe,
)
from tests.tiny import TINY


@pytest.fixture
def job(tmp_path):
    configs = [compose([*TINY, f"outputs={tmp_path}", f"evaluation.flip={flip}"]) for flip in ("false", "true")]
    return FrozenJob("a" * 16, "a job", configs, None)


def test_a_job_survives_its_file(job):
    path = job.freeze()
    assert FrozenJob.read(path) == job
    job.result_path.write_text("{}")
    job.freeze()
    assert not job.result_path.exists()


@pytest.mark.parametrize("text", ["", "[]", '{"title": "half', '{"colour": 1}'])
def test_a_damaged_job_file_is_a_sentence(tmp_path, text, capsys):
    path = tmp_path / "job.json"
    path.write_text(text)
    with pytest.raises(StoreError):
        FrozenJob.read(path)
    assert worker.main(path) == 1
    assert str(path) in capsys.readouterr().err


def test_an_attempt_keeps_errors_and_lets_the_end_of_the_process_pass():
    with Attempt() as attempt:
        raise KeyError("head")
    assert attempt.sentence == "KeyError: 'head'"
    assert "Traceback" in attempt.trace
    with Attempt() as attempt:
        raise ConfigError("head is no head")
    assert attempt.sentence == "head is no head"
    with Attempt() as attempt:
        raise MemoryError
    assert attempt.sentence == "MemoryError"
    with Attempt() as attempt:
        pass
    assert attempt.error is None
    for end in (KeyboardInterrupt, SystemExit):
        with pytest.raises(end), Attempt():
            raise end


@pytest.mark.parametrize(
    ("error", "state", "code"),
    [
        (ConfigError("no"), FAILED, 1),
        (RuntimeError("out of memory"), FAILED, 1),
        (Interrupted(15, "at step 3"), INTERRUPTED, 143),
        (LockedError("held by pid 1"), ELSEWHERE, 1),
    ],
)
def test_what_ends_a_job_is_told_apart(job, monkeypatch, error, state, code):
    asked, said = [], []

    def run(config):
        asked.append(config)
        raise error

    monkeypatch.setattr("repro.run.run", run)
    result = carry_out(job, said.append)
    assert (result.state, result.exit_code) == (state, code)
    assert len(asked) == 1
    assert bool(said) == (not isinstance(error, ReproError))
    assert describe(result).startswith(state)


def test_a_failed_evaluation_of_a_trained_network_stops_no_other(job, monkeypatch):
    asked = []
    job.run_path.mkdir(parents=True)
    (job.run_path / "weights.pt").touch()

    def run(config):
        asked.append(config)
        raise ConfigError("no")

    monkeypatch.setattr("repro.run.run", run)
    assert carry_out(job, print).state == FAILED
    assert len(asked) == 2


@pytest.mark.slow
def test_a_worker_carries_out_the_frozen_file_and_never_composes(job, tmp_path):
    path = job.freeze()
    code = (
        "import sys; from pathlib import Path; import repro.config.compose as compose\n"
        "def fail(*_, **__): raise AssertionError('composed')\n"
        "compose._compose = compose.compose = compose.compose_unchecked = fail\n"
        "from repro.sweep.clusters.worker import main; sys.exit(main(Path(sys.argv[1])))"
    )
    done = subprocess.run([sys.executable, "-c", code, str(path)], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    result = Result(**json.loads(job.result_path.read_text()))
    assert result.state == DONE
    assert describe(result).startswith("done in ")
    (folder,) = (tmp_path / "runs").iterdir()
    assert len(list((folder / "evaluations").glob("*.json"))) == 2


def test_a_job_that_begins_needs_the_weights_of_its_upstream(job):
    later = FrozenJob("b" * 16, "later", job.configs, upstream=job.run_id)
    assert not job.lacks_upstream()
    assert later.lacks_upstream()
    later.run_path.mkdir(parents=True)
    (later.run_path / "weights.pt").touch()
    assert not later.lacks_upstream()
