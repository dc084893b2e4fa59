"""The time that SLURM leaves a job: how often it may come again, and whether a checkpoint fits before the end."""

import pytest

from repro.errors import ConfigError
from repro.store.journal import Journal
from repro.store.outputs import Outputs
from repro.sweep.clusters.slurm import budget
from repro.sweep.clusters.slurm.budget import (
    WITHOUT_ESTIMATE,
    Notice,
    lines,
    longest_seconds,
    notice_lines,
    read_notice,
    slowest_checkpoint,
    timeouts,
)
from repro.sweep.clusters.slurm.queue import QueueError
from repro.sweep.clusters.slurm.settings import SlurmSettings
from repro.sweep.plan.estimate import Estimate, Pace

HOUR = 3600.0


def told(lines):
    """Lines as one text, however they are broken."""
    return " ".join(" ".join(lines).split())


CONFIG = """\
Configuration data as of 2026-11-30T22:00:00
KillWait                = 30 sec
PreemptMode             = REQUEUE
PreemptType             = preempt/partition_prio
"""
PARTITIONS = """\
PartitionName=gpu AllowGroups=ALL Default=YES PriorityTier=10 GraceTime=0 PreemptMode=OFF State=UP
PartitionName=low AllowGroups=ALL Default=NO PriorityTier=1 GraceTime=120 PreemptMode=REQUEUE State=UP
PartitionName=lower AllowGroups=ALL Default=NO PriorityTier=1 GraceTime=20 PreemptMode=REQUEUE State=UP
"""


@pytest.mark.parametrize(
    ("hours", "limit_hours", "planned"),
    [(0.1, 24, 0), (23.9, 24, 0), (24, 24, 1), (150, 24, 6), (100, 1, 103), (None, 24, WITHOUT_ESTIMATE)],
)
def test_a_run_may_come_again_as_often_as_its_hours_need_and_a_margin(hours, limit_hours, planned):
    seconds = None if hours is None else hours * HOUR
    found = timeouts(seconds, round(60 * limit_hours), notice_seconds=60, margin=5)
    assert (found.planned, found.allowed) == (planned, planned + 5)


def test_every_start_gets_on_by_what_neither_notice_nor_loading_takes():
    found = timeouts(HOUR, limit_minutes=10, notice_seconds=120, margin=0)
    useful = 600 - 120 - 60
    assert (found.allowed + 1) * useful >= HOUR > found.allowed * useful


def test_the_lines_say_limit_hours_margin_and_what_counts():
    text = told(timeouts(150 * HOUR, 1440, 120, 20).lines())
    assert text.startswith("requeues a run may come again 26 times after its limit of 24.0 hours")
    assert "6 for the 150.0 hours of the longest, and 20 more" in text
    assert "preemptions count among these, that come after 19.2 hours" in text
    short = told(timeouts(None, 5, 60, 2).lines())
    assert f"{WITHOUT_ESTIMATE} as it is not known how long the longest takes, and 2 more" in short
    assert "preemptions count among these, all of them" in short


@pytest.mark.parametrize(("limit", "from_seconds"), [(1440, 0.8 * 86_400), (30, 1200), (10, 0), (1, 0)])
def test_from_when_on_submitit_takes_a_notice_for_a_time_out(limit, from_seconds):
    assert timeouts(None, limit, 30, 0).counts_from_seconds == pytest.approx(from_seconds)


def test_a_notice_as_long_as_the_limit_is_refused():
    with pytest.raises(ConfigError, match=r"cluster\.signal_seconds=120 leaves nothing of a time limit of 2 min"):
        timeouts(None, 2, 120, 0)


def estimate(paces, seconds=1.0):
    return Estimate(1e12, seconds, paces, dict.fromkeys(paces, ""), 1e12, 0, 0, {})


def test_the_longest_run_is_the_largest_one_at_the_pace_of_where_it_runs():
    gpu, cpu = Pace(100, 1e-9, 1.1, 9, 1e12), Pace(10, 1e-8, 1.1, 9, 1e12)
    assert longest_seconds(estimate({"H200, bf16": gpu}), on_gpu=True) == 1100
    assert longest_seconds(estimate({"Xeon with 4 threads, fp32": cpu}), on_gpu=False) == 10_010
    assert longest_seconds(estimate({"Xeon with 4 threads, fp32": cpu}), on_gpu=True) is None, "of a login node"
    assert longest_seconds(estimate({"H200, bf16": gpu, "other": None}), on_gpu=True) is None
    assert longest_seconds(estimate({"H200, bf16": gpu}, seconds=None), on_gpu=True) is None
    assert longest_seconds(estimate({}), on_gpu=True) is None


@pytest.mark.parametrize(
    ("partition", "grace"), [(None, None), ("gpu", None), ("low", 120), ("low,lower", 20), ("nowhere", None)]
)
def test_what_slurm_leaves_is_read_from_its_configuration(partition, grace):
    assert read_notice(CONFIG, PARTITIONS, partition, 90) == Notice(90, grace, 30)


def test_without_preemption_there_is_no_grace():
    off = CONFIG.replace("preempt/partition_prio", "preempt/none")
    assert read_notice(off, PARTITIONS, "low", 90).grace is None


def test_a_checkpoint_that_fits_is_told_and_one_that_does_not_is_a_warning():
    notice = Notice(before_limit=120, grace=20, kill_wait=30)
    text = told(notice_lines(notice, 3.26))
    assert text.startswith(
        "notice SLURM leaves a job 2 min before the time limit, 50 s at a preemption, 30 s at a requeue"
    )
    assert text.endswith("a checkpoint takes up to 3.3 s here, and the end 6 s more")
    assert "warning: that does not fit at a requeue or scancel by hand: what" in told(notice_lines(notice, 40.0))
    assert "warning: that does not fit at a preemption and at a requeue or" in told(notice_lines(notice, 46.0))


def test_before_any_checkpoint_was_timed_that_is_said():
    text = told(notice_lines(Notice(120, None, 30), None))
    assert "SLURM leaves a job 2 min before the time limit, 30 s at a requeue" in text
    assert text.endswith("no checkpoint was timed here yet")


def test_a_plan_says_both_and_does_without_an_answer_of_slurm(tmp_path, monkeypatch):
    settings = SlurmSettings(partition="low", limit_hours=10)
    answers = {"config": CONFIG, "partition": PARTITIONS}
    monkeypatch.setattr(budget, "asked", lambda *words: answers[words[-1]])
    text = told(lines(settings, Outputs(tmp_path), None))
    assert f"a run may come again {WITHOUT_ESTIMATE + 20} times after its limit of 10.0 hours" in text
    assert "2 min at a preemption" in text

    def silent(*_):
        raise QueueError("scontrol cannot be started here")

    monkeypatch.setattr(budget, "asked", silent)
    assert told(lines(settings, Outputs(tmp_path), None)).endswith("notice not known: scontrol cannot be started here")


def test_the_slowest_checkpoint_of_the_newest_runs_is_found(tmp_path):
    outputs = Outputs(tmp_path)
    assert slowest_checkpoint(outputs) is None
    for run_id, seconds in (("a" * 16, 0.5), ("b" * 16, 7.25), ("c" * 16, None)):
        with Journal(outputs.run(run_id).journal_path) as journal:
            journal.event("checkpoint", step=3, **({"seconds": seconds} if seconds else {}))
            journal.event("evaluated")
    (outputs.runs_path / ("d" * 16)).mkdir()
    assert slowest_checkpoint(outputs) == 7.25
