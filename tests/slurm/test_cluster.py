"""The cluster of the tests itself: both flavours carry jobs out, and nothing is left of one."""

import time
from pathlib import Path

import pytest

from tests.slurm.cluster import Cluster, CommandFailed
from tests.slurm.daemons import NotInTime, free_ports
from tests.slurm.needs import need_slurm

pytestmark = pytest.mark.real


def test_an_array_ends_as_its_tasks_end(cluster: Cluster) -> None:
    job = cluster.submit("exit $SLURM_ARRAY_TASK_ID", "--array=0-3")
    expected = {f"{job}_0": "COMPLETED", f"{job}_1": "FAILED", f"{job}_2": "FAILED", f"{job}_3": "FAILED"}
    assert cluster.wait_for_end(job) == expected


def test_a_step_of_srun_reaches_both_nodes(cluster: Cluster, tmp_path: Path) -> None:
    script = "srun sh -c 'echo $SLURM_STEP_NUM_TASKS $SLURM_PROCID $SLURMD_NODENAME'"
    job = cluster.submit(script, "--nodes=2", "--ntasks=2", "--output=out.txt", folder=tmp_path)
    assert cluster.wait_for_end(job) == {job: "COMPLETED"}
    assert sorted((tmp_path / "out.txt").read_text().splitlines()) == ["2 0 node1", "2 1 node2"]


def test_without_accounting_sacct_fails(cluster: Cluster) -> None:
    with pytest.raises(CommandFailed, match="accounting storage is disabled"):
        cluster.run("sacct")


def test_a_requeued_job_starts_again_when_it_is_released(cluster: Cluster, tmp_path: Path) -> None:
    script = 'echo $SLURM_RESTART_COUNT >> starts; test -n "$SLURM_RESTART_COUNT" || sleep 60'
    job = cluster.submit(script, folder=tmp_path)
    cluster.wait_for(lambda: (tmp_path / "starts").exists(), 30, "the first start")
    cluster.run("scontrol", "requeue", job)
    cluster.wait_for(lambda: cluster.states(job) == {job: "PENDING"}, 30, "the requeue")
    cluster.release(job)
    assert cluster.wait_for_end(job) == {job: "COMPLETED"}
    assert (tmp_path / "starts").read_text() == "\n1\n"


def test_with_accounting_sacct_tells_and_limits_hold(accounting_cluster: Cluster, tmp_path: Path) -> None:
    cluster = accounting_cluster
    job = cluster.submit("srun echo $CUDA_VISIBLE_DEVICES; exit 3", "--gres=gpu:2", "--output=out.txt", folder=tmp_path)
    assert cluster.wait_for_end(job) == {job: "FAILED"}
    assert (tmp_path / "out.txt").read_text() == "0,1\n"
    asked = ("sacct", "--noheader", "--allocations", "--parsable2", f"--jobs={job}", "--format=state,exitcode")
    cluster.wait_for(lambda: cluster.run(*asked) == "FAILED|3:0\n", 30, "the state in the accounting")
    with pytest.raises(CommandFailed, match="AssocMaxSubmitJobLimit"):
        cluster.submit("true", "--array=0-60")


def test_a_preempted_job_gets_its_own_signal_and_is_requeued(tmp_path: Path) -> None:
    need_slurm(accounting=False)
    script = "trap 'echo noticed >> told' USR2; echo began >> told; while true; do sleep 0.1; done"
    with Cluster(user_signal=True, grace_seconds=2, kill_wait_seconds=1) as cluster:
        whole = "--cpus-per-task=2"
        low = cluster.submit(script, "--partition=low", "--signal=B:USR2@1", whole, folder=tmp_path)
        cluster.wait_for(lambda: (tmp_path / "told").exists(), 30, "the start")
        high = cluster.submit("true", "--partition=gpu", whole)
        assert cluster.wait_for_end(high) == {high: "COMPLETED"}
        assert cluster.states(low) == {low: "PENDING"}
    assert (tmp_path / "told").read_text() == "began\nnoticed\n"


def test_a_node_whose_daemon_was_killed_goes_down_and_its_process_goes_on(tmp_path: Path) -> None:
    need_slurm(accounting=False)
    with Cluster(nodes=2, node_timeout_seconds=5) as cluster:
        job = cluster.submit("while true; do date +%s%N > beat; sleep 0.1; done", "--nodelist=node1", folder=tmp_path)
        beat = tmp_path / "beat"
        cluster.wait_for(beat.exists, 30, "the start")
        cluster.kill_node("node1")
        cluster.wait_for(lambda: cluster.node_state("node1").startswith("down"), 60, "the loss of the node")
        cluster.wait_for(lambda: cluster.states(job) == {job: "PENDING"}, 30, "the requeue")
        before = beat.read_text()
        cluster.wait_for(lambda: beat.read_text() != before, 10, "a sign of life")
        cluster.start_node("node1")
        cluster.wait_for(lambda: cluster.node_state("node1").startswith("idle"), 60, "the node's return")


def test_nothing_is_left_even_after_a_failure(tmp_path: Path) -> None:
    need_slurm(accounting=False)
    with pytest.raises(NotInTime, match=r"the impossible: not within 0 s\n(.|\n)*sleep"), Cluster() as cluster:  # noqa: PT012
        cluster.submit(
            "trap '' TERM; while true; do date +%s%N > beat; sleep 0.1; done", "--job-name=sleep", folder=tmp_path
        )
        cluster.wait_for((tmp_path / "beat").exists, 30, "the start")
        cluster.wait_for(lambda: False, 0, "the impossible")
    assert not cluster.folder.exists()
    before = (tmp_path / "beat").read_text()
    time.sleep(0.5)
    assert (tmp_path / "beat").read_text() == before


def test_ports_differ() -> None:
    assert len(set(free_ports(map(str, range(100))).values())) == 100
