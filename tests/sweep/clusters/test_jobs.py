import dataclasses

import pytest

from repro.config.settings import Repeat
from repro.engine.stop import Interrupted
from repro.errors import ConfigError, ReproError, StoreError
from repro.store.lock import LockedError
from repro.sweep.clusters.jobs import Attempt, Ending, FrozenJob, Result, blocked, carry_out, describe, without_upstream
from tests.tiny_runs import tiniest


@pytest.fixture
def job(tmp_path):
    return FrozenJob("a" * 16, "a job", [tiniest(tmp_path, f"evaluation.flip={flip}") for flip in ("false", "true")])


def test_a_job_survives_its_file(job):
    path = job.freeze()
    again = FrozenJob.read(path)
    assert (again.run_id, again.title, again.upstream) == (job.run_id, job.title, None)
    assert [item.frozen() for item in again.configurations] == [item.frozen() for item in job.configurations]
    assert [item.evaluation_id for item in again.configurations] == [item.evaluation_id for item in job.configurations]
    job.folder.result_path.write_text("{}")
    job.freeze()
    assert not job.folder.result_path.exists()


@pytest.mark.parametrize("text", ["", "[]", '{"title": "half', '{"colour": 1}', '{"configurations": 3}'])
def test_a_damaged_job_file_is_a_sentence(tmp_path, text):
    path = tmp_path / "job.json"
    path.write_text(text)
    with pytest.raises(StoreError, match=str(path)):
        FrozenJob.read(path)


def test_a_result_survives_its_file_and_a_damaged_one_is_a_sentence(tmp_path):
    path = tmp_path / "result.json"
    for result in (
        Result(Ending.DONE, seconds=3.5, miou_percent=70.5),
        Result(Ending.INTERRUPTED, "at step 3", 1, None, 143),
    ):
        result.write(path)
        assert Result.read(path) == result
    for text in ("{}", '{"ending": "lost"}', '{"ending": "done", "colour": 1}', "[", ""):
        path.write_text(text)
        with pytest.raises(StoreError, match=str(path)):
            Result.read(path)


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
    ("error", "ending", "code"),
    [
        (ConfigError("no"), Ending.FAILED, 1),
        (RuntimeError("out of memory"), Ending.FAILED, 1),
        (Interrupted(15, "at step 3"), Ending.INTERRUPTED, 143),
        (LockedError("held by pid 1"), Ending.ELSEWHERE, 1),
    ],
)
def test_what_ends_a_job_is_told_apart(job, monkeypatch, error, ending, code):
    asked, said = [], []

    def run(configuration, **_):
        asked.append(configuration)
        raise error

    monkeypatch.setattr("repro.run.lifecycle.run", run)
    result = carry_out(job, said.append)
    assert (result.ending, result.exit_code) == (ending, code)
    assert len(asked) == 1
    assert bool(said) == (not isinstance(error, ReproError))
    assert describe(result).startswith(f"{ending}: ")


def test_a_failed_evaluation_of_a_trained_network_stops_no_other(job, monkeypatch):
    asked = []
    job.run.path.mkdir(parents=True)
    job.run.weights_path.touch()

    def run(configuration, **_):
        asked.append(configuration.evaluation_id)
        raise ConfigError("no")

    monkeypatch.setattr("repro.run.lifecycle.run", run)
    assert carry_out(job, print).ending is Ending.FAILED
    assert asked == [item.evaluation_id for item in job.configurations]


def test_a_job_that_begins_needs_the_weights_of_its_upstream(job):
    later = FrozenJob("b" * 16, "later", job.configurations, upstream=job.run_id)
    assert not job.lacks_upstream()
    assert later.lacks_upstream()
    result = without_upstream(later)
    assert (result.ending, result.exit_code) == (Ending.BLOCKED, 1)
    assert describe(result) == f"blocked: run {job.run_id}, which it starts from, has no weights here"
    later.run.path.mkdir(parents=True)
    later.run.weights_path.touch()
    assert not later.lacks_upstream()
    assert dataclasses.replace(later, anew=True).lacks_upstream()


def test_a_job_is_blocked_by_weights_that_are_not_there_or_not_whole(job):
    later = FrozenJob("b" * 16, "later", job.configurations, upstream=job.run_id)
    assert blocked(job) is None
    assert blocked(later) == without_upstream(later)
    job.run.path.mkdir(parents=True)
    job.run.weights_path.write_bytes(b"half")
    result = blocked(later)
    assert (result.ending, result.exit_code) == (Ending.BLOCKED, 1)
    assert str(job.run.weights_path) in result.message
    later.run.path.mkdir(parents=True)
    later.run.weights_path.touch()  # it starts from nothing any more
    assert blocked(later) is None


def test_a_result_is_a_line():
    assert describe(Result(Ending.DONE, seconds=59.6, miou_percent=70.04)) == "done in 60 s, mIoU 70.0 %"
    assert describe(Result(Ending.DONE, seconds=3)) == "done in 3 s"


@pytest.mark.parametrize("why", ["", "stale", "without weights"])
def test_what_is_stale_or_without_weights_is_trained_anew_once_for_all_its_evaluations(job, monkeypatch, why):
    asked = []

    def run(configuration, **_):
        asked.append(configuration)
        job.run.path.mkdir(parents=True, exist_ok=True)
        job.run.weights_path.touch()
        return Done

    class Done:
        class record:  # noqa: N801, as an attribute
            class scores:  # noqa: N801
                miou_percent = 1.0

    monkeypatch.setattr("repro.run.lifecycle.run", run)
    if why != "without weights":
        job.run.path.mkdir(parents=True)
        job.run.weights_path.touch()
    again = FrozenJob.read(dataclasses.replace(job, anew=why == "stale").freeze())
    assert carry_out(again, print).ending is Ending.DONE
    assert [item.settings.repeat for item in asked] == [Repeat.run if why else None, None]
