"""What a cluster lets a user have, against what jobs ask for."""

from dataclasses import replace

import pytest

from repro.sweep.clusters.slurm.answers import AccountingLimits
from repro.sweep.clusters.slurm.settings import SlurmSettings
from repro.sweep.doctor import limits
from tests.sweep.doctor.recorded import changed, one_node, told, two_nodes

SMALL = SlurmSettings(limit_hours=1, cpus_per_process=2)


def on(check, site, settings=SMALL):
    return told(check(site, settings, site.partition(settings.partition)))


def test_no_accounting_is_told_with_what_takes_its_place():
    (sentence,) = told(limits.accounting(two_nodes())).values()
    assert sentence.startswith("mind gives nothing (no accounting is set up): how a run ended is read from its folder")
    assert "after 300 s" in sentence
    assert told(limits.accounting(one_node()))["sacct"].startswith("fine answers")


def test_the_recorded_sites_let_a_small_job_in():
    for site in (two_nodes(), one_node()):
        for check in (limits.access, limits.nodes, limits.time_limits, limits.queue_limits):
            assert not [sentence for sentence in on(check, site).values() if sentence.startswith("BLOCKS")]


def test_a_partition_that_is_down_or_not_for_this_account():
    site = changed(one_node(), partitions={"State": "DRAIN", "AllowAccounts": "physics", "AllowQos": "long"})
    found = on(limits.access, site, replace(SMALL, account="lab", qos="normal"))
    assert found["partition"].startswith("BLOCKS gpu is DRAIN")
    assert found["account"] == "BLOCKS partition gpu takes jobs of physics only; cluster.account=lab"
    assert found["qos"] == "BLOCKS partition gpu takes jobs of long only; cluster.qos=normal"


def test_accounts():
    assert on(limits.access, one_node())["account"].startswith("fine the default one is charged; cluster.account=...")
    wrong = on(limits.access, one_node(), replace(SMALL, account="labb"))
    assert wrong["account"] == "BLOCKS root has no account labb; there are lab, root"
    nobody = on(limits.access, replace(one_node(), associations=()))
    assert nobody["account"].startswith("BLOCKS root has none")
    assert on(limits.access, two_nodes()) == {}


def test_a_quality_of_service_that_the_user_may_not_have():
    found = on(limits.access, one_node(), replace(SMALL, qos="urgent"))
    assert found["qos"] == "BLOCKS root may not ask for urgent; there are high, normal"


def test_a_time_limit_beyond_what_is_allowed():
    found = on(limits.time_limits, two_nodes(), replace(SMALL, partition="short"))
    assert found["time"].startswith("BLOCKS partition short allows 2 min, and 1 h are asked for")
    assert "cluster.limit_hours=0.0333:" in found["time"]
    assert on(limits.time_limits, two_nodes())["time"].startswith("fine a job may ask for any; 1 h are asked for")
    of_qos = replace(one_node(), qos=(AccountingLimits("normal", most_minutes=30),))
    found = on(limits.time_limits, of_qos, replace(SMALL, qos="normal"))
    assert found["time"].startswith("BLOCKS qos normal allows 30 min")
    allowed = on(limits.time_limits, two_nodes(), replace(SMALL, partition="short", limit_hours=1 / 60))
    assert allowed["time"].startswith("fine partition short allows 2 min, and 1 min are asked for")


def test_how_many_jobs_may_be_queued():
    found = on(limits.queue_limits, one_node())
    assert "have indices below 1001, and the whole queue holds 10000 jobs" in found["arrays"]
    assert found["queue"].startswith("mind account lab lets root have 50 jobs in the queue")
    small = changed(two_nodes(), SchedulerParameters="max_array_tasks=100")
    assert "below 101," in on(limits.queue_limits, small)["arrays"]
    assert on(limits.queue_limits, changed(two_nodes(), MaxArraySize="0"))["arrays"].startswith(
        "BLOCKS are switched off"
    )
    running = replace(one_node(), associations=(AccountingLimits("lab", most_running=3),))
    assert on(limits.queue_limits, running)["queue"] == "fine account lab lets 3 of them run at a time"


def test_nodes_that_start_no_jobs():
    site = two_nodes()
    down = replace(
        site, nodes=(changed(site, nodes={"State": "DOWN*", "Reason": "Not responding"}).nodes[0], site.nodes[1])
    )
    assert on(limits.nodes, down)["nodes"] == ("mind 1 of 2 in partition gpu start no jobs, such as node1 (DOWN*: Not "
                                               "responding)")  # fmt: skip
    all_down = changed(site, nodes={"State": "DOWN*"})
    assert on(limits.nodes, all_down)["nodes"].startswith("BLOCKS none of partition gpu can start a job (node1 DOWN*")


@pytest.mark.parametrize(
    ("asked", "subject", "sentence"),
    [
        ({"nodes": 3}, "nodes", "BLOCKS a job asks for 3 and can have 2 at most; cluster.nodes=..."),
        ({"cpus_per_process": 8}, "cores", "BLOCKS a job asks for 8 per node, and no node of partition gpu has more "
         "than 2; cluster.cpus_per_process=2"),
        ({"memory_gib": 64}, "memory", "BLOCKS a job asks for 64 GiB, and no node of partition gpu has more than 21.2; "
         "cluster.memory_gib=21"),
        ({"gpus_per_node": 4}, "GPUs", "BLOCKS a job asks for 4 per node, and partition gpu has at most 2 per node; "
         "cluster.gpus_per_node=2"),
        ({"gpus_per_node": 0}, "GPUs", "mind partition gpu has up to 2 per node (gpu), and jobs would leave them idle; "
         "cluster.gpus_per_node=1"),
    ],
)  # fmt: skip
def test_more_than_a_node_has(asked, subject, sentence):
    assert on(limits.nodes, two_nodes(), replace(SMALL, **asked))[subject] == sentence


def test_a_partition_without_gpus_trains_on_the_cpu_where_none_is_asked_for():
    without = changed(two_nodes(), nodes={"Gres": "(null)"})
    assert on(limits.nodes, without)["GPUs"].endswith("has no GPU; cluster.gpus_per_node=0 trains on the CPU")
    assert "GPUs" not in on(limits.nodes, without, replace(SMALL, gpus_per_node=0))


def test_several_kinds_of_gpus_are_told():
    mixed = changed(two_nodes(), nodes={"Gres": "gpu:a100:2,gpu:v100:2"})
    assert "there are 2 kinds" in on(limits.nodes, mixed)["GPUs"]


def test_memory():
    counted = changed(two_nodes(), SelectTypeParameters="CR_CORE_MEMORY")
    assert on(limits.nodes, two_nodes())["memory"].startswith("mind is not counted by this SLURM")
    assert on(limits.nodes, counted)["memory"].startswith("mind a job that asks for none gets all of a node")
    assert on(limits.nodes, counted, replace(SMALL, memory_gib=8))["memory"].startswith("fine 8 GiB asked for")
    default = changed(counted, partitions={"DefMemPerNode": "4000"})
    assert on(limits.nodes, default)["memory"].startswith("fine 4000 MiB unless asked for")
