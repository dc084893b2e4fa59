import os

import pytest

from repro.sweep.clusters.slurm import task
from repro.sweep.clusters.slurm.task import Task


@pytest.mark.parametrize("code", [0, 1, 143])
def test_a_task_ends_with_the_true_exit_code(code, monkeypatch):
    told, ended = [], []
    monkeypatch.setattr(task, "main", lambda path: told.append(str(path)) or code)
    monkeypatch.setattr(os, "_exit", ended.append)
    Task("/outputs/sweep/a/job.json")()
    assert told == ["/outputs/sweep/a/job.json"]
    assert ended == ([code] if code else [])


def test_a_requeued_task_is_the_same_once_more():
    assert Task("job.json").__submitit_checkpoint__().function.job_path == "job.json"
    assert Task("job.json").checkpoint().function.job_path == "job.json"
