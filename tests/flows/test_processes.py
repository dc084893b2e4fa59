"""Several processes as a user starts them: by torchrun, in a step of SLURM, and from a local queue."""

import os
import subprocess
import sys

import pytest

from repro.store.outputs import Outputs
from tests.one_second_paper import row, sweep, write_table
from tests.places import REPOSITORY
from tests.tiny import TINIEST


def started(command, environment):
    given = {**os.environ, "PYTHONPATH": str(REPOSITORY), "OMP_NUM_THREADS": "1", **environment}
    return subprocess.Popen(command, env=given, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)


def processes_of(outputs):
    (folder,) = Outputs(outputs).runs()
    return [
        folder.read_record(found).provenance["training"]["layout"]["processes"] for found in folder.evaluation_ids()
    ]


@pytest.mark.real
def test_torchrun_starts_one_run_by_two_processes(tmp_path):
    launcher = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2"]
    process = started([*launcher, "-m", "repro", *TINIEST, f"outputs={tmp_path}"], {})
    text, _ = process.communicate(timeout=300)
    assert process.returncode == 0, text
    assert text.count("fcn-shapes-seed0: mIoU") == 1
    assert processes_of(tmp_path) == [2]


@pytest.mark.real
def test_the_tasks_of_a_step_are_one_run(tmp_path):
    step = {"SLURM_JOB_ID": "7", "SLURM_STEP_ID": "0", "SLURM_STEP_NUM_TASKS": "2", "SLURM_NTASKS": "8"}
    tasks = [
        started([sys.executable, "-m", "repro", *TINIEST, f"outputs={tmp_path}"], {**step, "SLURM_PROCID": str(number)})
        for number in range(2)
    ]
    texts = [task.communicate(timeout=300)[0] for task in tasks]
    assert [task.returncode for task in tasks] == [0, 0], texts
    assert ["mIoU" in text for text in texts] == [True, False]
    assert processes_of(tmp_path) == [2]


@pytest.mark.real
def test_a_job_of_a_local_queue_has_as_many_processes_as_asked_for(tmp_path, capsys):
    folder = write_table(tmp_path / "papers", [row("one", "head.width=16")])
    outputs = tmp_path / "outputs"
    words = ["cluster=local", "cluster.processes=2", "submit=true"]
    assert sweep(folder, outputs, *words) == 0, capsys.readouterr().out
    assert "2 processes of 1 thread" in capsys.readouterr().out
    assert processes_of(outputs) == [2]


def test_a_plan_refuses_what_cannot_be_shared(tmp_path, capsys):
    folder = write_table(tmp_path / "papers", [row("one", "head.width=16")])
    assert sweep(folder, tmp_path / "outputs", "cluster=local", "cluster.processes=3") == 1
    printed = capsys.readouterr()
    assert "3 processes cannot share schedule.batch_size=4 evenly" in printed.err
    assert "give 2 or 4." in printed.err
    assert "nothing is started before 1 of 1 trainings are mended" in printed.out


def test_a_sweep_is_one_process(tmp_path, monkeypatch, capsys):
    for name, value in {"RANK": "0", "WORLD_SIZE": "2", "MASTER_ADDR": "here", "MASTER_PORT": "1"}.items():
        monkeypatch.setenv(name, value)
    folder = write_table(tmp_path / "papers", [row("one", "head.width=16")])
    assert sweep(folder, tmp_path / "outputs") == 2
    assert "a sweep is one process" in capsys.readouterr().err
