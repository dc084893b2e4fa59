"""The whole examination: with a SLURM that answers as recorded, without one, and of this host."""

import re

import pytest

from repro.sweep.clusters.slurm.queue import QueueError
from repro.sweep.command import main
from repro.sweep.doctor import doctor, probe_job
from repro.sweep.doctor.probe_job import Asked
from tests.sweep.doctor.recorded import two_nodes
from tests.sweep.doctor.test_probe_job import node

SMALL = ("action=doctor", "cluster=slurm", "cluster.limit_hours=1", "cluster.cpus_per_process=2")


@pytest.fixture
def here(monkeypatch, tmp_path):
    """A host whose SLURM has two nodes, all on the host itself."""
    monkeypatch.setattr(doctor, "look_at_site", two_nodes)
    monkeypatch.setattr(doctor.socket, "gethostname", lambda: "vm.lab")
    monkeypatch.delenv("SLURM_JOB_ID", raising=False)
    return f"outputs={tmp_path / 'outputs'}"


def said(capsys) -> str:
    return re.sub(r"\s+", " ", capsys.readouterr().out)


def test_nothing_blocks(here, capsys):
    assert main([*SMALL, here]) == 0
    text = said(capsys)
    assert "fine SLURM 22.05.8, cluster test, answers in 0.00 s." in text
    assert "mind sacct gives nothing" in text
    assert "submit=true asks a node too" in text
    assert "BLOCKS" not in text


def test_what_blocks_sets_the_exit_code(here, capsys):
    assert main([*SMALL, here, "cluster.partition=lowe"]) == 1
    text = said(capsys)
    assert "BLOCKS partition there is no partition lowe; did you mean low?" in text
    assert "1 of" in text
    assert "keep jobs from working" in text


def test_the_outputs_of_nodes_elsewhere_must_be_shared(here, capsys, monkeypatch):
    monkeypatch.setattr(doctor.socket, "gethostname", lambda: "login.lab")
    assert main([*SMALL, here]) == 1
    text = said(capsys)
    assert "BLOCKS outputs" in text
    assert "BLOCKS python" in text
    assert "cluster.python=... names one there" in text
    main([*SMALL, here, "cluster.python=python3"])
    assert "fine python jobs run python3" in said(capsys)


def test_a_probe_is_submitted_only_where_it_is_asked_for(here, capsys, monkeypatch):
    questions = []

    def ask(settings, root, asked):
        questions.append(asked)
        return Asked(node(), 100.0, 110.0)

    monkeypatch.setattr(probe_job, "ask_a_node", ask)
    assert main([*SMALL, here, "submit=true", "tracking.uri=http://127.0.0.1:9"]) == 0
    assert "fine probe a job answered from node7" in said(capsys)
    assert questions[0]["tracking"] == "http://127.0.0.1:9"

    def refuse(*_):
        raise QueueError("sbatch failed: invalid account")

    monkeypatch.setattr(probe_job, "ask_a_node", refuse)
    assert main([*SMALL, here, "submit=true"]) == 1
    assert "BLOCKS probe sbatch failed: invalid account." in said(capsys)


def test_without_slurm(capsys, monkeypatch, tmp_path):
    monkeypatch.setenv("PATH", "")
    assert main([*SMALL, f"outputs={tmp_path}"]) == 1
    assert "BLOCKS SLURM scontrol cannot be started here" in said(capsys)


def test_inside_a_job(here, capsys, monkeypatch):
    monkeypatch.setenv("SLURM_JOB_ID", "77")
    main([*SMALL, here])
    assert "mind shell this is inside job 77" in said(capsys)


def test_this_host(capsys, monkeypatch, tmp_path):
    monkeypatch.setenv("PATH", "")
    assert main(["action=doctor", "cluster=local", f"outputs={tmp_path}", "tracking=none"]) == 0
    text = said(capsys)
    assert "fine this host" in text
    assert "cores and" in text
    assert "fine tracking is switched off" in text
    assert "SLURM" not in text


def test_the_data_of_the_tables_chosen_must_be_there(capsys, tmp_path):
    words = ["action=doctor", "cluster=local", f"outputs={tmp_path}", "table=vortex/table1", "dataset.root=/nowhere"]
    assert main(words) == 1
    text = said(capsys)
    assert "BLOCKS data voc /nowhere is not there" in text
    assert "camvid" not in text
