from dataclasses import replace

import pytest

from repro.errors import StoreError
from repro.store.jobs import JobFolder
from repro.sweep.clusters import worker
from repro.sweep.clusters.jobs import Ending, FrozenJob, Result
from tests.tiny_runs import tiniest


@pytest.fixture
def nothing_is_composed(monkeypatch):
    for place in ("repro.config.hydra.composed", "repro.config.compose.composed", "hydra.compose"):
        monkeypatch.setattr(place, lambda *_, **__: pytest.fail("composed"), raising=False)


def job_of(outputs, *overrides):
    configurations = [tiniest(outputs, *overrides, f"evaluation.flip={flip}") for flip in ("false", "true")]
    return FrozenJob(configurations[0].run_id, "a job", configurations)


def test_a_worker_carries_out_the_frozen_file_and_never_composes(tmp_path, request):
    job = job_of(tmp_path)
    path = job.freeze()
    request.getfixturevalue("nothing_is_composed")
    assert worker.main(path) == 0
    result = Result.read(job.folder.result_path)
    assert result.ending is Ending.DONE
    assert result.miou_percent is not None
    assert set(job.run.evaluation_ids()) == {item.evaluation_id for item in job.configurations}


def test_a_job_that_fails_leaves_its_sentence_and_a_failing_exit_code(tmp_path, capsys):
    job = job_of(tmp_path, "schedule.batch_size=64")
    assert worker.main(job.freeze()) == 1
    result = Result.read(job.folder.result_path)
    assert result.ending is Ending.FAILED
    assert "fewer than one batch" in result.message
    assert capsys.readouterr().err.splitlines()[-1] == f"failed: {result.message}"


@pytest.mark.parametrize("text", ["", "[]", '{"title": "half', '{"colour": 1}'])
def test_a_damaged_job_file_is_a_failed_job(tmp_path, text, capsys):
    folder = JobFolder(tmp_path)
    folder.job_path.write_text(text)
    assert worker.main(folder.job_path) == 1
    assert str(folder.job_path) in capsys.readouterr().err
    assert Result.read(folder.result_path).ending is Ending.FAILED


def test_a_result_of_an_earlier_start_does_not_stay(tmp_path, monkeypatch):
    job = job_of(tmp_path)
    path = job.freeze()
    Result(Ending.INTERRUPTED, "stopped", exit_code=140).write(job.folder.result_path)
    seen = []

    def carry_out(job, say, *, unattended):
        seen.append((job.folder.result_path.exists(), unattended))
        return Result(Ending.DONE)

    monkeypatch.setattr(worker, "carry_out", carry_out)
    assert worker.carried_out(path, unattended=True).ending is Ending.DONE
    assert seen == [(False, True)]


def test_a_job_whose_upstream_left_no_weights_is_blocked_and_fails(tmp_path, capsys):
    job = replace(job_of(tmp_path), upstream="a" * 16)
    assert worker.main(job.freeze()) == 1
    assert Result.read(job.folder.result_path).ending is Ending.BLOCKED
    assert "which it starts from, has no weights here" in capsys.readouterr().err
    assert not job.run.path.exists()


def test_a_result_that_the_disk_refuses_is_told_by_the_exit_code(tmp_path, monkeypatch, capsys):
    def refuse(*_):
        raise StoreError("the disk is full")

    job = job_of(tmp_path, "schedule.batch_size=64")
    path = job.freeze()
    monkeypatch.setattr(Result, "write", refuse)
    assert worker.main(path) == 1
    assert "warning: the result is not kept: the disk is full" in capsys.readouterr().err


def test_a_job_whose_code_was_edited_since_it_was_planned_is_refused(tmp_path, monkeypatch, capsys):
    monkeypatch.syspath_prepend(tmp_path)
    (tmp_path / "own_planned.py").write_text("from tests.tiny_network import Small\n")
    job = job_of(tmp_path / "outputs", "backbone._target_=own_planned.Small")
    path = job.freeze()
    (tmp_path / "own_planned.py").write_text("from tests.tiny_network import Small  # edited\n")
    assert worker.main(path) == 1
    assert f"run {job.run_id} was planned with code of your own" in capsys.readouterr().err
    assert not job.run.path.exists()
