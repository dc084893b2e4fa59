from pathlib import Path

import pytest

from repro.errors import StoreError
from repro.store.outputs import Outputs
from repro.sweep.clusters.slurm.queue import Entry
from repro.sweep.clusters.slurm.submissions import Answer, Submission, awaited, file_of, look_at_queue, queued_runs
from repro.sweep.plan.job import Queued, QueueState


def submission(outputs, name="mine.1a2b3c.0", runs=("a" * 16, "b" * 16), **more):
    return Submission(name, str(outputs), runs, "/snapshot", "/logs", 60, 2, **more)


def entry(job_id, name="mine.1a2b3c.0", state="PENDING", reason="Priority"):
    return Entry(job_id, name, state, "lab", "normal", reason)


def test_what_was_written_is_read(tmp_path):
    written = submission(tmp_path)
    written.write()
    assert Submission.read(file_of(Outputs(tmp_path), written.name)) == written
    accepted = written.answered(Answer.ACCEPTED, "17_1")
    assert accepted.job_id == "17"
    assert Submission.read(written.file) == accepted
    assert written.job(1).path == Outputs(tmp_path).job("b" * 16).path
    assert written.log_path("17_1") == Path("/logs/17_1_0_log.out")


def test_one_without_an_answer_is_found(tmp_path):
    first, second = submission(tmp_path), submission(tmp_path, "mine.4d5e6f.0")
    first.write()
    second.write()
    first.answered(Answer.ACCEPTED, "17")
    assert list(awaited(Outputs(tmp_path))) == [second]
    second.answered(Answer.GIVEN_UP)
    assert list(awaited(Outputs(tmp_path))) == []


def test_a_submitter_killed_between_two_files_leaves_nothing_behind(tmp_path):
    folder = Outputs(tmp_path).submissions_path
    accepted = submission(tmp_path, answer=Answer.ACCEPTED, job_id="17")
    accepted.write()
    for name in ("mine.1a2b3c.0", "mine.4d5e6f.0"):  # after the file, and before it
        (folder / f"{name}.awaited").touch()
    assert list(awaited(Outputs(tmp_path))) == []
    assert list(folder.glob("*.awaited")) == []


def test_a_job_in_the_queue_is_known_by_its_name_and_place(tmp_path):
    submission(tmp_path).write()
    seen = [entry("17_0"), entry("17_1", state="RUNNING", reason="None"), entry("99", name="somebody's")]
    assert queued_runs(Outputs(tmp_path), seen) == {
        "a" * 16: Queued("17_0", QueueState.PENDING, "Priority"),
        "b" * 16: Queued("17_1", QueueState.RUNNING, "None"),
    }
    submission(tmp_path).answered(Answer.GIVEN_UP)
    assert queued_runs(Outputs(tmp_path), seen) == {}


def test_a_damaged_file_is_a_sentence(tmp_path):
    written = submission(tmp_path)
    written.write()
    written.file.write_text('{"name": "mine"}')
    with pytest.raises(StoreError, match="is no submission of a sweep"):
        queued_runs(Outputs(tmp_path), [entry("17_0")])


def test_the_queue_is_asked_where_slurm_is_chosen_or_something_was_submitted(tmp_path, slurm):
    slurm.program("squeue", "exit 1")
    assert look_at_queue(Outputs(tmp_path), is_chosen=False) == ({}, "")
    assert look_at_queue(Outputs(tmp_path), is_chosen=True) == ({}, "squeue failed: exit code 1")
    submission(tmp_path).write()
    assert look_at_queue(Outputs(tmp_path), is_chosen=False)[1]
