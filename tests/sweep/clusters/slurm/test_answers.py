"""The readers of SLURM's answers, on what real clusters printed and on forms of other sites."""

import pytest

from repro.sweep.clusters.slurm.answers import (
    AccountingLimits,
    Node,
    leading_number,
    minutes,
    read_associations,
    read_controller,
    read_nodes,
    read_partitions,
    read_qos,
)
from tests.sweep.doctor.recorded import recorded


def test_the_controller():
    controller = read_controller(recorded("accounting_config"))
    assert controller.text("SLURM_VERSION") == "22.05.8"
    assert controller.has_accounting
    assert controller.number("KillWait") == 10
    assert controller.number("MaxArraySize") == 1001
    assert controller.option("AuthInfo", "cred_expire") == 120
    assert controller.words("AccountingStorageEnforce") == ("associations", "limits", "qos")
    assert controller.text("RequeueExit") is None
    assert controller.option("SchedulerParameters", "absent") is None
    assert not read_controller(recorded("two_nodes_config")).has_accounting


def test_partitions():
    found = {partition.name: partition for partition in read_partitions(recorded("two_nodes_partitions"))}
    assert list(found) == ["gpu", "low", "short"]
    assert [partition.is_default for partition in found.values()] == [True, False, False]
    assert [partition.limit_minutes for partition in found.values()] == [None, None, 2]
    assert found["low"].number("GraceTime") == 20
    assert found["low"].text("PreemptMode") == "REQUEUE"
    assert found["gpu"].allows("AllowAccounts", "lab")
    assert found["gpu"].text("QoS") is None


def test_a_value_with_spaces_ends_before_the_next_name():
    node = read_nodes(recorded("two_nodes_nodes"))[1]
    assert node.name == "node2"
    assert node.text("OS").startswith("Linux ")
    assert node.text("OS").endswith("PREEMPT_DYNAMIC @0")
    assert node.partitions == ("gpu", "low", "short")
    assert node.number("RealMemory") == 21694
    assert node.gpus == {"gpu": 2}
    assert node.is_usable


@pytest.mark.parametrize(
    ("gres", "gpus"),
    [
        ("(null)", {}),
        ("gpu:4", {"gpu": 4}),
        ("gpu:a100:4(S:0-1)", {"a100": 4}),
        ("gpu:a100:2(S:0,1),gpu:v100:1,nvme:1", {"a100": 2, "v100": 1}),
        ("gpu", {"gpu": 1}),
        ("shard:8", {}),
    ],
)
def test_gpus(gres, gpus):
    assert Node({"NodeName": "n", "Gres": gres}).gpus == gpus


@pytest.mark.parametrize(
    ("state", "usable"),
    [("IDLE", True), ("MIXED+PLANNED", True), ("IDLE+POWERED_DOWN", True), ("IDLE+DRAIN", False), ("DOWN*", False),
     ("IDLE*", False), ("ALLOCATED+MAINT+RESERVED", False), ("DOWN+NOT_RESPONDING", False)],
)  # fmt: skip
def test_states_of_nodes(state, usable):
    assert Node({"NodeName": "n", "State": state}).is_usable is usable


def test_limits_of_users_and_of_qualities():
    assert read_associations(recorded("accounting_associations")) == [
        AccountingLimits("lab", most_queued=50, qos=("high", "normal")),
        AccountingLimits("root", most_queued=50, qos=("high", "normal")),
    ]
    assert read_qos(recorded("accounting_qos")) == [
        AccountingLimits("normal", preempt_mode="requeue", grace_seconds=15),
        AccountingLimits("high", preempts=("normal",), preempt_mode="requeue"),
    ]
    assert read_associations("lab|gpu|10||1-12:00:00|normal\n") == [
        AccountingLimits("lab", "gpu", most_running=10, most_minutes=2160, qos=("normal",))
    ]
    assert read_associations("sacctmgr: a sentence\n") == []


@pytest.mark.parametrize(
    ("text", "expected"),
    [("5", 5), ("5:30", 5.5), ("1:00:00", 60), ("2-00:00:00", 2880), ("1-12", 2160), ("00:00:15", 0.25),
     ("UNLIMITED", None), ("INFINITE", None), ("NONE", None), ("", None), (None, None)],
)  # fmt: skip
def test_times(text, expected):
    assert minutes(text) == expected


def test_numbers_that_a_text_begins_with():
    assert leading_number("30 sec") == 30
    assert leading_number("UNLIMITED") is None
    assert leading_number(None) is None
