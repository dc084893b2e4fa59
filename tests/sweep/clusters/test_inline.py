import os
import signal

import pytest

from repro.engine.stop import Interrupted
from repro.errors import ConfigError
from repro.sweep.clusters.inline import run_inline
from repro.sweep.clusters.jobs import Ending, FrozenJob
from tests.tiny_runs import tiniest


@pytest.fixture
def carried_out(monkeypatch):
    """Replaces runs by what a test wants of them; the ids of those that were begun."""

    def replace(does):
        begun = []

        def run(configuration, **_):
            begun.append(configuration.seed)
            does(configuration.seed)

        monkeypatch.setattr("repro.run.lifecycle.run", run)
        return begun

    return replace


def jobs_of(outputs, *upstream):
    """A job for each name of what it starts from; the seed tells them apart."""
    return [
        FrozenJob(letter * 16, f"job {letter}", [tiniest(outputs, f"seed={seed}")], source and source * 16)
        for seed, (letter, source) in enumerate(zip("abcd", upstream, strict=False))
    ]


def fail(_):
    raise ConfigError("no")


def test_one_failing_job_stops_no_other_but_what_starts_from_it(tmp_path, carried_out):
    begun, said = carried_out(fail), []
    results = run_inline(jobs_of(tmp_path, None, "a", None), said.append)
    assert begun == [0, 2]
    assert [result.ending for result in results.values()] == [Ending.FAILED, Ending.BLOCKED, Ending.FAILED]
    assert said[0] == f"[1/3] job a, run {'a' * 16}"
    assert said[1] == "[1/3] failed: no"
    assert said[3] == f"[2/3] blocked: run {'a' * 16}, which it starts from, has no weights here"


def test_an_interrupted_job_is_the_last_one(tmp_path, carried_out):
    def interrupt(_):
        raise Interrupted(signal.SIGTERM, "at step 3")

    begun, said = carried_out(interrupt), []
    results = run_inline(jobs_of(tmp_path, None, None), said.append)
    assert begun == [0]
    assert [(result.ending, result.exit_code) for result in results.values()] == [(Ending.INTERRUPTED, 143)]


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_after_a_signal_nothing_more_is_begun(tmp_path, carried_out, number):
    before = signal.getsignal(number)

    def end(_):
        os.kill(os.getpid(), number)
        raise ConfigError("no")

    begun = carried_out(end)
    results = run_inline(jobs_of(tmp_path, None, None), print)
    assert begun == [0]
    assert len(results) == 1
    assert signal.getsignal(number) == before
