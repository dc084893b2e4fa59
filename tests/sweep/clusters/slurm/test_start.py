import pytest
from submitit.helpers import DelayedSubmission

from repro.errors import ConfigError
from repro.sweep.clusters.jobs import Ending, Result
from repro.sweep.clusters.slurm import start
from repro.sweep.clusters.slurm.submissions import Answer, Submission

RUNS = ("a" * 16, "b" * 16)


@pytest.fixture
def submission(tmp_path, monkeypatch):
    made = Submission("mine.1a2b3c.0", str(tmp_path), RUNS, str(tmp_path / "snapshot"), str(tmp_path / "logs"), 90, 2)
    made.write()
    (tmp_path / "logs").mkdir()
    for name, value in {"SUBMITIT_EXECUTOR": "slurm", "SLURM_JOB_ID": "19", "SLURM_ARRAY_JOB_ID": "17",
                        "SLURM_ARRAY_TASK_ID": "1", "SUBMITIT_FOLDER": ""}.items():  # fmt: skip
        monkeypatch.setenv(name, value)
    return made


@pytest.fixture
def started(monkeypatch):
    """The folders that submitit was started with."""
    folders = []
    monkeypatch.setattr("submitit.core.submission.process_job", folders.append)
    monkeypatch.setattr(start.Snapshot, "check", lambda self: None)
    return folders


def test_a_job_hands_its_place_over_where_the_submitter_could_not(submission, started, tmp_path):
    assert start.main(submission.file) == 0
    assert started == [str(tmp_path / "logs")]
    delayed = DelayedSubmission.load(tmp_path / "logs" / "17_1_submitted.pkl")
    assert delayed.function.job_path == str(submission.job(1).job_path)
    assert (delayed._timeout_min, delayed._timeout_countdown) == (90, 2)
    assert [file.name for file in (tmp_path / "logs").iterdir()] == ["17_1_submitted.pkl"]


def test_what_the_submitter_or_a_requeue_has_left_stays(submission, started, tmp_path):
    (tmp_path / "logs" / "17_1_submitted.pkl").write_text("kept")
    assert start.main(submission.file) == 0
    assert (tmp_path / "logs" / "17_1_submitted.pkl").read_text() == "kept"


def test_a_submission_that_was_given_up_ends_at_once(submission, started, capsys):
    submission.answered(Answer.GIVEN_UP)
    assert start.main(submission.file) == 2
    assert "was given up, since SLURM did not show it" in capsys.readouterr().err
    assert started == []
    assert not submission.job(1).result_path.exists()  # which is of the job that took its place


def test_other_code_than_the_snapshots_is_refused(submission, started, monkeypatch, capsys):
    def refuse(self):
        raise ConfigError("this job runs the code in /elsewhere")

    monkeypatch.setattr(start.Snapshot, "check", refuse)
    assert start.main(submission.file) == 2
    assert capsys.readouterr().err == "error: this job runs the code in /elsewhere.\n"
    assert Result.read(submission.job(1).result_path).ending is Ending.FAILED
    assert started == []


def test_a_damaged_submission_is_a_sentence(submission, started, capsys):
    submission.file.write_text("{}")
    assert start.main(submission.file) == 2
    assert "is no submission of a sweep" in capsys.readouterr().err
