"""`action=doctor` on real clusters: what it says of three, and that it leaves nothing behind."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.slurm.cluster import Cluster
from tests.slurm.needs import need_slurm

pytestmark = pytest.mark.real

SMALL = ("cluster=slurm", "cluster.limit_hours=1", "cluster.cpus_per_process=1")


def doctor(cluster: Cluster, outputs: Path, *words: str) -> tuple[int, str]:
    """The exit code, and what was said in one line."""
    command = [sys.executable, "-m", "repro.sweep", "action=doctor", *SMALL, f"outputs={outputs}", *words]
    environment = {**os.environ, **cluster.environment}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=300, check=False)
    assert done.stderr == ""
    return done.returncode, re.sub(r"\s+", " ", done.stdout)


def test_two_nodes_without_accounting(cluster: Cluster, tmp_path: Path) -> None:
    code, said = doctor(cluster, tmp_path / "outputs", "cluster.gpus_per_node=0", "submit=true")
    assert "mind sacct gives nothing" in said
    assert "fine nodes 2 in partition gpu" in said
    assert "a requeued job starts after 20 s at the earliest" in said
    assert re.search(r"fine probe a job answered from node\d, \d+ s after it was submitted", said)
    assert re.search(r"fine python [\d.]+ on node\d imports torch", said)
    assert "fine locks flock holds between this process and a job" in said
    assert "fine clock" in said
    assert "BLOCKS" not in said
    assert code == 0
    assert list((tmp_path / "outputs").iterdir()) == []


def test_accounting_limits_and_gpus_without_a_driver(accounting_cluster: Cluster, tmp_path: Path) -> None:
    code, said = doctor(accounting_cluster, tmp_path / "outputs", "submit=true")
    assert "fine sacct answers" in said
    assert "mind queue account lab lets root have 50 jobs in the queue" in said
    assert "fine GPUs 1 of up to 2 per node (gpu) are asked for" in said
    assert re.search(r"BLOCKS GPUs SLURM gave GPUs on node1 \(CUDA_VISIBLE_DEVICES is \d\), but nvidia-smi finds", said)
    assert code == 1


def test_what_would_be_refused_is_told_before(cluster: Cluster, tmp_path: Path) -> None:
    code, said = doctor(cluster, tmp_path / "outputs", "cluster.partition=short", "cluster.gpus_per_node=2")
    assert "BLOCKS time partition short allows 2 min, and 1 h are asked for" in said
    assert "BLOCKS GPUs a job asks for 2 per node, and partition short has no GPU" in said
    assert code == 1
    assert not (tmp_path / "outputs").exists()


def test_a_controller_that_is_gone(tmp_path: Path) -> None:
    need_slurm(accounting=False)
    with Cluster() as cluster:
        cluster.kill_controller()
        code, said = doctor(cluster, tmp_path / "outputs")
    assert re.search(r"BLOCKS SLURM scontrol (failed|has given no answer)", said)
    assert code == 1
