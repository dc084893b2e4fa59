import json
import os

import pytest

from repro.store import lock
from repro.store.lock import FolderLock, LockedError
from repro.store.outputs import Outputs
from repro.sweep.clusters.jobs import FrozenJob
from repro.sweep.clusters.slurm import submit
from repro.sweep.clusters.slurm.queue import QueueError
from repro.sweep.clusters.slurm.settings import SlurmSettings
from repro.sweep.clusters.slurm.submissions import Answer, Submission, awaited
from repro.sweep.clusters.slurm.submit import Submitter
from tests.tiny_runs import tiniest

TIMEOUTS = 7


@pytest.fixture(autouse=True)
def at_once(monkeypatch):
    monkeypatch.setattr(submit, "PAUSES_SECONDS", (0.0, 0.01))


def jobs_of(outputs, *names, upstream=None):
    return [FrozenJob(name * 16, f"job {name}", [tiniest(outputs)], upstream and upstream * 16) for name in names]


def submitted(outputs, jobs, **settings):
    given = SlurmSettings(gpus_per_node=0, **settings)
    return Submitter(Outputs(outputs), given, "mine", TIMEOUTS, [], lambda _: None).submit(jobs)


def submissions(outputs):
    return [Submission.read(file) for file in sorted(Outputs(outputs).submissions_path.glob("*.json"))]


def test_jobs_are_announced_frozen_and_handed_over(tmp_path, slurm):
    done = submitted(tmp_path, jobs_of(tmp_path, "a", "b"), cpus_per_process=3)
    assert done.ids == {"a" * 16: "101_0", "b" * 16: "101_1"}
    assert (done.left, done.reasons) == ([], [])
    [found] = submissions(tmp_path)
    assert found.timeouts == TIMEOUTS
    assert (found.answer, found.job_id, found.runs) == (Answer.ACCEPTED, "101", ("a" * 16, "b" * 16))
    frozen = json.loads(found.job(1).job_path.read_text())
    assert frozen["run_id"] == "b" * 16
    assert frozen["configurations"][0]["runtime"]["threads"] == 3 or tiniest(tmp_path).leaves["runtime.threads"]


def test_submitting_again_adds_nothing(tmp_path, slurm):
    jobs = jobs_of(tmp_path, "a", "b")
    submitted(tmp_path, jobs)
    again = submitted(tmp_path, jobs)
    assert again.ids == {}
    assert len(slurm.queued()) == 2
    assert submitted(tmp_path, [*jobs, *jobs_of(tmp_path, "c")]).ids == {"c" * 16: "102"}


def test_a_submission_that_sbatch_is_silent_about_is_looked_for(tmp_path, slurm):
    slurm.tell("silent")
    done = submitted(tmp_path, jobs_of(tmp_path, "a", "b"))
    assert done.ids == {"a" * 16: "101_0", "b" * 16: "101_1"}
    assert [item.answer for item in submissions(tmp_path)] == [Answer.ACCEPTED]


def test_a_refusal_is_told_and_what_waits_for_it_is_left(tmp_path, slurm):
    slurm.tell("refuses", "sbatch: error: Batch job submission failed: Invalid qos specification\n")
    done = submitted(tmp_path, [*jobs_of(tmp_path, "a"), *jobs_of(tmp_path, "b", upstream="a")])
    assert (done.ids, done.left) == ({}, ["a" * 16, "b" * 16])
    assert len(done.reasons) == 1
    assert "Invalid qos specification" in done.reasons[0]
    assert [item.answer for item in submissions(tmp_path)] == [Answer.GIVEN_UP]
    (slurm.folder / "refuses").unlink()
    assert len(submitted(tmp_path, jobs_of(tmp_path, "a")).ids) == 1


@pytest.mark.parametrize("arrived", [True, False])
def test_a_submitter_killed_before_the_answer_doubles_nothing(tmp_path, slurm, arrived):
    slurm.tell("kills")
    jobs = jobs_of(tmp_path, "a", "b")
    child = os.fork()
    if child == 0:
        submitted(tmp_path, jobs)
        os._exit(0)
    assert os.waitpid(child, 0)[1] == 9
    (slurm.folder / "kills").unlink()
    [left] = awaited(Outputs(tmp_path))
    if not arrived:
        slurm.queue()
    again = submitted(tmp_path, jobs)
    assert len(slurm.queued()) == 2
    assert len(again.ids) == (0 if arrived else 2)
    assert Submission.read(left.file).answer is (Answer.ACCEPTED if arrived else Answer.GIVEN_UP)
    assert list(awaited(Outputs(tmp_path))) == []


def test_nothing_is_given_up_while_the_queue_cannot_be_asked(tmp_path, slurm):
    slurm.tell("silent")
    count = slurm.folder / "asked"
    slurm.program("squeue", f"echo x >> {count}; [ $(wc -l < {count}) -gt 1 ] && exit 1; exit 0")
    with pytest.raises(QueueError, match="squeue failed"):
        submitted(tmp_path, jobs_of(tmp_path, "a"))
    assert [item.answer for item in submissions(tmp_path)] == [Answer.AWAITED]


def test_one_command_at_a_time_submits(tmp_path, slurm, monkeypatch):
    monkeypatch.setattr(lock, "BRIEF_WAIT_SECONDS", 0.1)
    held = FolderLock(Outputs(tmp_path).submitting_lock_path, "submit", brief=True)
    with held, pytest.raises(LockedError, match="submissions is held by pid"):
        submitted(tmp_path, jobs_of(tmp_path, "a"))
    assert len(submitted(tmp_path, jobs_of(tmp_path, "a")).ids) == 1


def test_stages_wait_for_one_another(tmp_path, slurm):
    first, second = (
        jobs_of(tmp_path, "a", "b"),
        [
            *jobs_of(tmp_path, "c", upstream="a"),
            *jobs_of(tmp_path, "d", upstream="b"),
        ],
    )
    submitted(tmp_path, [*first, *second])
    assert ["--dependency" in text for text in slurm.scripts()] == [False, True]
    assert "#SBATCH --dependency=aftercorr:101\n" in slurm.scripts()[1]
    later = jobs_of(tmp_path, "e", upstream="c")
    submitted(tmp_path, later)
    assert "#SBATCH --dependency=afterok:102_0\n" in slurm.scripts()[2]


def test_what_starts_from_a_run_that_is_nowhere_is_left(tmp_path, slurm):
    done = submitted(tmp_path, [*jobs_of(tmp_path, "b", upstream="a"), *jobs_of(tmp_path, "c", upstream="b")])
    assert (done.ids, done.left) == ({}, ["b" * 16, "c" * 16])
    assert "which it starts from, has no weights yet and is not in the queue" in done.reasons[0]
    weights = Outputs(tmp_path).run("a" * 16).weights_path
    weights.parent.mkdir(parents=True)
    weights.touch()
    assert len(submitted(tmp_path, jobs_of(tmp_path, "b", upstream="a")).ids) == 1


def test_a_job_that_waits_for_ever_makes_room_for_another(tmp_path, slurm):
    submitted(tmp_path, [*jobs_of(tmp_path, "a"), *jobs_of(tmp_path, "b", upstream="a")])
    [_, second] = slurm.queued()
    slurm.queue(second.replace("Priority", "DependencyNeverSatisfied"))
    done = submitted(tmp_path, [*jobs_of(tmp_path, "a"), *jobs_of(tmp_path, "b", upstream="a")])
    assert slurm.said("scancel") == ["102"]
    assert done.ids == {"a" * 16: "103", "b" * 16: "104"}


def test_what_does_not_fit_is_left_with_the_limit(tmp_path, slurm):
    slurm.program("scontrol", "echo 'MaxArraySize = 2'; echo 'MaxJobCount = 4'")
    done = submitted(tmp_path, jobs_of(tmp_path, *"abcde"))
    assert len(done.ids) == 3
    assert done.reasons == ["2 jobs of 5 left: the controller's MaxJobCount allows 3 in the queue, where 0 are"]
    assert [line.partition("|")[0] for line in slurm.queued()] == ["101_0", "101_1", "102"]


def test_a_job_around_leaves_no_trace(tmp_path, slurm, monkeypatch):
    monkeypatch.setenv("SLURM_JOB_ID", "7")
    monkeypatch.setenv("SBATCH_PARTITION", "wrong")
    monkeypatch.setenv("SLURM_CONF", "/etc/slurm.conf")
    submitted(tmp_path, jobs_of(tmp_path, "a"))
    told = slurm.said("sbatch.101.env")
    assert "SLURM_CONF=/etc/slurm.conf" in told
    assert not any(line.startswith(("SLURM_JOB_ID", "SBATCH_PARTITION")) for line in told)
    assert os.environ["SLURM_JOB_ID"] == "7"


def test_jobs_print_where_they_are_told(tmp_path, slurm):
    submitted(tmp_path / "outputs", jobs_of(tmp_path / "outputs", "a"), log_folder=tmp_path / "logs")
    [found] = submissions(tmp_path / "outputs")
    assert found.folder == str(tmp_path / "logs" / found.name)
