"""The processes of one job: what each is told, and that they end together."""

import signal
import time

import pytest

from repro.sweep.clusters import crew
from repro.sweep.clusters.crew import Crew
from tests.sweep.clusters.test_local import job_of, stub_worker  # noqa: F401


@pytest.fixture
def started(tmp_path, stub_worker):  # noqa: F811
    """Starts a crew whose processes do what some words of Python say."""
    crews = []

    def start(code, processes=2):
        starts = stub_worker(code)
        job = job_of(tmp_path)
        crews.append(Crew(job, job.freeze(), processes, 3, None))
        return crews[-1], [environment for _, environment in starts], job

    yield start
    for one in crews:
        one.kill()


def code_of(one, seconds=20.0):
    deadline = time.monotonic() + seconds
    while (code := one.poll()) is None:
        assert time.monotonic() < deadline
        time.sleep(0.02)
    return code


def test_each_process_is_told_its_place_and_where_to_meet(started, monkeypatch):
    monkeypatch.setenv("MASTER_PORT", "29500")
    one, environments, _ = started("pass")
    assert code_of(one) == 0
    assert [given["RANK"] for given in environments] == ["0", "1"]
    assert {given["WORLD_SIZE"] for given in environments} == {given["LOCAL_WORLD_SIZE"] for given in environments}
    assert len({given["REPRO_LAUNCH"] for given in environments}) == 1
    assert {given["OMP_NUM_THREADS"] for given in environments} == {"3"}
    assert not any("MASTER_PORT" in given for given in environments)


def test_one_process_is_told_no_place(started):
    one, environments, _ = started("pass", 1)
    assert code_of(one) == 0
    assert "RANK" not in environments[0]


def test_the_code_is_that_of_the_first_that_failed(started):
    one, _, job = started("import os, sys; print('said', flush=True); sys.exit(int(os.environ['RANK']) * 3)", 3)
    assert code_of(one) == 3
    assert job.folder.log_path.read_text() == "said\n" * 3


def test_what_waits_for_one_that_has_failed_is_killed_after_a_while(started, monkeypatch):
    monkeypatch.setattr(crew, "GRACE_SECONDS", 0.2)
    one, _, _ = started("import os, sys, time; os.environ['RANK'] == '1' and sys.exit(5); time.sleep(60)")
    assert code_of(one) == -signal.SIGKILL


def test_a_signal_reaches_all(started):
    one, _, _ = started("import time; time.sleep(60)")
    one.send_signal(signal.SIGTERM)
    assert code_of(one) == -signal.SIGTERM
