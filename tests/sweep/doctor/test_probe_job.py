"""The probe job: how it is handed in, what becomes of it, and what a node's answer means."""

import json
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from repro.provenance import versions
from repro.sweep.clusters.slurm.queue import QueueError
from repro.sweep.clusters.slurm.settings import SlurmSettings
from repro.sweep.doctor import probe_job
from repro.sweep.doctor.probe import ANSWER, Answer
from repro.sweep.doctor.probe_job import Asked, ask_a_node, findings, options, other_hosts, script
from tests.sweep.doctor.recorded import told

GPU = SlurmSettings()
NOTHING = {"tracking": None, "folders": []}


def node(**values: object) -> Answer:
    answer = Answer(
        clock=105.0, host="node7.lab", node="node7", python="3.12.1", executable="/venv/bin/python", lock="held",
        no_package=None, no_torch=None, torch=versions()["torch"], gpus=["A100"], visible_gpus="0", driver="550.54",
        no_tracking=None, absent=[],
    )  # fmt: skip
    return answer | values  # type: ignore[return-value]


def of(answer: Answer, settings: SlurmSettings = GPU, **questions: object) -> dict[str, str]:
    return told(findings(Asked(answer, 100.0, 110.0), settings, "login", {**NOTHING, **questions}))


def test_a_node_on_which_all_is_well():
    assert of(node()) == {
        "probe": "fine a job answered from node7 (node7.lab), 10 s after it was submitted",
        "python": f"fine 3.12.1 on node7 (node7.lab) imports torch {versions()['torch']} (/venv/bin/python)",
        "GPUs": "fine node7 (node7.lab) gives A100 (driver 550.54; CUDA_VISIBLE_DEVICES is 0)",
        "locks": "fine flock reaches from this host to node7 (node7.lab)",
        "clock": "fine of node7 (node7.lab) agrees with this host's within the time that the job took",
    }


@pytest.mark.parametrize(
    ("values", "subject", "begin"),
    [
        (
            {"no_package": "repro cannot be imported"},
            "python",
            "BLOCKS on node7 (node7.lab) /venv/bin/python starts, but",
        ),
        ({"no_torch": "torch cannot be imported (x)", "torch": None}, "python", "BLOCKS on node7"),
        ({"torch": "1.0"}, "python", "mind torch is 1.0 on node7"),
        ({"gpus": [], "driver": None}, "GPUs", "BLOCKS SLURM gave GPUs on node7"),
        ({"gpus": []}, "GPUs", "BLOCKS node7 (node7.lab) has driver 550.54, and torch"),
        ({"lock": "free"}, "locks", "mind flock does not reach from this host to node7"),
        ({"lock": "Function not implemented"}, "locks", "mind flock fails (Function not implemented)"),
        ({"host": "login"}, "locks", "fine flock holds between this process and a job; node7 is this host"),
        ({"absent": ["/data/voc"]}, "folders", "BLOCKS node7 (node7.lab) does not see /data/voc"),
        ({"clock": 140.0}, "clock", "mind of node7 (node7.lab) is 30 s ahead of this host's"),
        ({"clock": 90.0}, "clock", "mind of node7 (node7.lab) is 10 s behind this host's"),
        ({"clock": 1000.0}, "clock", "BLOCKS of node7 (node7.lab) is 890 s ahead of"),
    ],
)
def test_what_bites(values, subject, begin):
    assert of(node(**values))[subject].startswith(begin)


def test_gpus_count_only_where_they_are_asked_for():
    assert "GPUs" not in of(node(gpus=[], driver=None), SlurmSettings(gpus_per_node=0))


def test_tracking_on_the_node():
    assert of(node(), tracking="http://t")["tracking"] == "fine http://t answers on node7 (node7.lab) too"
    assert of(node(no_tracking="no route"), tracking="http://t")["tracking"].startswith(
        "mind http://t does not answer on"
    )


def test_the_job_asks_for_what_jobs_of_the_sweep_get():
    settings = SlurmSettings(
        partition="low", account="lab", memory_gib=1.5, extra=("--exclude=node3", "#SBATCH --hold")
    )
    given = options(settings)
    assert given[:4] == ["--partition=low", "--account=lab", "--mem=1536M", "--gpus-per-node=1"]
    assert {"--time=5", "--no-requeue", "--exclude=node3", "--hold"} <= set(given)
    assert "--time=2" in options(replace(settings, limit_hours=2 / 60))


def test_the_script_loads_what_jobs_load(tmp_path):
    text = script(SlurmSettings(setup=("module load cuda",), python="apptainer exec x python"), tmp_path)
    assert text.splitlines()[:2] == ["#!/bin/bash", "module load cuda"]
    assert f"apptainer exec x python {tmp_path}/probe.py {tmp_path}" in text
    assert sys.executable in script(SlurmSettings(), tmp_path)


class FakeSlurm:
    """Commands of SLURM: sbatch does what it is given, squeue tells a state."""

    def __init__(self, monkeypatch, does, state: str) -> None:
        self.does, self.state, self.said = does, state, []
        monkeypatch.setattr(probe_job, "asked", self.asked)
        monkeypatch.setattr(probe_job.time, "sleep", lambda _: None)

    def asked(self, *command: str) -> str:
        self.said.append(command[0])
        if command[0] == "sbatch":
            self.does(Path(command[-1]).parent)
            return "7;cluster\n"
        return f"{self.state}\n"


def test_an_answer_ends_it_and_nothing_is_left(monkeypatch, tmp_path):
    slurm = FakeSlurm(monkeypatch, lambda folder: (folder / ANSWER).write_text(json.dumps(node())), "RUNNING None")
    asked = ask_a_node(SlurmSettings(), tmp_path / "outputs", NOTHING)
    assert asked.answer == node()
    assert asked.began <= asked.ended
    assert slurm.said == ["sbatch"]
    assert list((tmp_path / "outputs").iterdir()) == []


def test_a_job_that_stays_in_the_queue_is_cancelled(monkeypatch, tmp_path):
    slurm = FakeSlurm(monkeypatch, lambda _: None, "PENDING Priority")
    with pytest.raises(QueueError, match="no answer within 0 s, and is PENDING Priority; it was cancelled"):
        ask_a_node(SlurmSettings(), tmp_path, NOTHING, patience=0)
    assert slurm.said == ["sbatch", "squeue", "scancel"]
    assert list(tmp_path.iterdir()) == []


def test_a_job_that_fails_says_its_last_line(monkeypatch, tmp_path):
    def fail(folder: Path) -> None:
        (folder / "out").write_text("module: not found\npython: No such file\n")

    FakeSlurm(monkeypatch, fail, "FAILED NonZeroExitCode")
    with pytest.raises(QueueError, match="ended without an answer; its last line: python: No such file"):
        ask_a_node(SlurmSettings(), tmp_path, NOTHING)
    FakeSlurm(monkeypatch, lambda _: None, "FAILED None")
    with pytest.raises(QueueError, match="has nothing of it: does its node see that folder"):
        ask_a_node(SlurmSettings(), tmp_path, NOTHING)


def test_hosts_are_compared_without_their_domain():
    assert other_hosts(["login", "login.lab", "node7.lab", "localhost"], "login.cluster") == ["node7.lab"]
