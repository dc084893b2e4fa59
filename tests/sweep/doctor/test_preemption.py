"""How jobs are preempted and ended, by what the controller says."""

import resource
from dataclasses import replace

from repro.sweep.clusters.slurm.settings import SlurmSettings
from repro.sweep.doctor.preemption import ending, preemption, shell_limits
from tests.sweep.doctor.recorded import changed, one_node, told, two_nodes

LOW = SlurmSettings(partition="low")


def on(site, settings=LOW) -> str:
    return told(preemption(site, settings, site.partition(settings.partition)))["preemption"]


def test_the_highest_partition_is_not_preempted_and_the_lower_one_is_told_by_the_signal_asked_for():
    assert on(two_nodes(), SlurmSettings()) == (
        "fine jobs in partition gpu, which has the highest tier, are not preempted"
    )
    assert on(two_nodes()) == (
        "mind jobs in partition low are requeued; they are told by USR2, 20 s before they are killed; a checkpoint "
        "that takes longer is lost, and the run goes back to the one before"
    )


def test_without_grace_the_wait_for_a_kill_is_all_there_is():
    site = changed(
        two_nodes(), SlurmctldParameters="enable_configless", KillWait="60 sec", partitions={"GraceTime": "0"}
    )
    assert on(site) == "fine jobs in partition low are requeued; they are told by TERM, 60 s before they are killed"


def test_jobs_that_are_cancelled_are_submitted_again_by_the_same_command():
    site = changed(two_nodes(), partitions={"PreemptMode": "CANCEL", "GraceTime": "120"})
    assert on(site) == ("mind jobs in partition low are cancelled; they are told by USR2, 120 s before they are "
                        "killed, and the same command of the sweep submits them again")  # fmt: skip
    assert on(two_nodes(), replace(LOW, requeue=False)).startswith("mind jobs in partition low are cancelled")


def test_stopped_jobs_show_no_progress():
    assert "stopped and go on later (PreemptMode SUSPEND,GANG)" in on(
        changed(two_nodes(), partitions={"PreemptMode": "SUSPEND,GANG"})
    )


def test_by_quality_of_service():
    assert on(one_node(), SlurmSettings(qos="high")) == "fine jobs of qos high are not preempted"
    assert on(one_node(), SlurmSettings()).startswith(
        "mind jobs of qos normal (by high) are requeued; they are told by TERM, 15 s before"
    )


def test_no_preemption():
    assert on(changed(two_nodes(), PreemptType="preempt/none")) == "fine there is none here"


def test_the_end_and_the_wait_after_it():
    assert told(ending(two_nodes(), LOW)) == {
        "time limit": "fine USR2 comes 120 s before the limit, TERM at it, the kill 10 s after that; a requeued job "
        "starts after 120 s at the earliest"
    }
    site = changed(two_nodes(), RequeueExit="1,75", RequeueExitHold="2", AuthInfo="socket=/run/munge,cred_expire=30")
    found = list(ending(site, LOW))
    assert "starts after 30 s" in found[0].sentence
    assert "ends with 1, 75 (RequeueExit)" in found[1].sentence
    assert "ends with 2 is requeued and held" in found[2].sentence


def test_limits_of_the_shell_that_jobs_inherit():
    limited = {"time of the processor": 3600, "address space": resource.RLIM_INFINITY}
    (found,) = shell_limits(two_nodes(), limited)
    assert found.sentence.startswith("the time of the processor is limited in this shell (ulimit: 3600)")
    assert list(shell_limits(changed(two_nodes(), PropagateResourceLimits="NONE"), limited)) == []
    assert list(shell_limits(two_nodes(), {})) == []
