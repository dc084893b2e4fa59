import os
from dataclasses import replace

import pytest

from repro.store.outputs import Outputs
from repro.store.status import RunState
from repro.sweep.clusters.jobs import Ending, Result
from repro.sweep.clusters.slurm.left import ends_by_accounting, handed_over, last_line, with_lost
from repro.sweep.clusters.slurm.queue import QueueError
from repro.sweep.clusters.slurm.submissions import Answer, Submission
from repro.sweep.plan.job import Observed, Queued, QueueState

RUNS = ("a" * 16, "b" * 16)


@pytest.fixture
def outputs(tmp_path):
    return Outputs(tmp_path)


@pytest.fixture(autouse=True)
def accounting(monkeypatch):
    """What sacct says; an exception is what happens where there is none."""
    said = {"text": QueueError("sacct failed: Slurm accounting storage is disabled")}

    def asked(*command, **_):
        said["command"] = command
        if isinstance(said["text"], Exception):
            raise said["text"]
        return said["text"]

    monkeypatch.setattr("repro.sweep.clusters.slurm.left.asked", asked)
    return said


def submission(outputs, runs=RUNS, name="table.1", job_id="17", **more):
    found = Submission(name, str(outputs.root), runs, "snapshot", str(outputs.submissions_path / name), 60, 2,
                       **more)  # fmt: skip
    found.write()
    return found.answered(Answer.ACCEPTED, job_id)


def logged(job, text="one\nlast words\n\n"):
    job.log_path.parent.mkdir(parents=True, exist_ok=True)
    job.log_path.write_text(text)


def test_a_run_belongs_to_the_job_that_it_was_handed_over_as_last(outputs):
    first = submission(outputs)
    submission(outputs, RUNS[1:], "table.2", "30")
    replace(first, name="table.3", answer=Answer.AWAITED).write()
    os.utime(first.file, ns=(1, 1))
    found = handed_over(outputs)
    assert {run_id: job.job_id for run_id, job in found.items()} == {RUNS[0]: "17_0", RUNS[1]: "30"}
    assert found[RUNS[1]].log_path.name == "30_0_log.out"
    assert handed_over(Outputs(outputs.root / "none")) == {}


def test_what_is_neither_queued_nor_ended_nor_held_is_lost(outputs):
    submission(outputs)
    handed = handed_over(outputs)
    assert with_lost({}, handed) == {}  # none has printed anything: they were cancelled before they started
    for job in handed.values():
        logged(job)
    found = with_lost({}, handed)
    log = handed[RUNS[0]].log_path
    assert found[RUNS[0]].lost == f"job 17_0 is gone from the queue; last words; log {log}"
    for seen in (Observed(queued=Queued("17_0", QueueState.RUNNING)), Observed(RunState.RUNNING, held=True),
                 Observed(RunState.INTERRUPTED), Observed(RunState.FAILED), Observed(RunState.FINISHED)):  # fmt: skip
        assert with_lost({RUNS[0]: seen}, handed)[RUNS[0]] == seen
    assert with_lost({RUNS[0]: Observed(RunState.RUNNING)}, handed)[RUNS[0]].lost


def test_accounting_adds_its_word_and_the_result_its_sentence(outputs, accounting):
    submission(outputs)
    handed = handed_over(outputs)
    for job in handed.values():
        logged(job)
    Result(Ending.FAILED, "the code is not that of the snapshot").write(handed[RUNS[1]].folder.result_path)
    accounting["text"] = "17_0|OUT_OF_MEMORY\n17_1|CANCELLED by 1000\n"
    found = with_lost({}, handed)
    assert "it needed more memory than it had (OUT_OF_MEMORY); last words" in found[RUNS[0]].lost
    assert "it was cancelled (CANCELLED); the code is not that of the snapshot" in found[RUNS[1]].lost
    assert accounting["command"][-1] == "--jobs=17_0,17_1"
    accounting["text"] = "17_0|REVOKED\n"
    assert "SLURM says REVOKED" in with_lost({}, handed)[RUNS[0]].lost


def test_without_lost_jobs_accounting_is_not_asked(accounting):
    assert ends_by_accounting([]) == {}
    assert "command" not in accounting


def test_the_last_line_of_a_log_is_the_last_that_says_something(tmp_path):
    (tmp_path / "log").write_bytes(b"x" * 9000 + b"\nthe \xff end  \n \n")
    assert last_line(tmp_path / "log") == "the � end"
    assert last_line(tmp_path / "none") == ""
