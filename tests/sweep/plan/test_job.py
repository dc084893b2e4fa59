import pytest

from repro.config.configuration import Configuration
from repro.experiments.measurement import Kind
from repro.store.status import RunState
from repro.sweep.plan.job import Job, JobState, Observed, Wanted
from tests.sweep.fakes import want


def test_a_state_is_settled_or_open_or_waits_for_somebody():
    settled = {state for state in JobState if state.is_settled}
    open_states = {state for state in JobState if state.is_open}
    assert settled == {JobState.DONE, JobState.RECORDED, JobState.NOT_NEEDED}
    assert open_states == {JobState.TO_DO, JobState.TO_EVALUATE, JobState.UNKNOWN, JobState.STALE}
    waiting = {JobState.RUNNING, JobState.QUEUED, JobState.FAILED, JobState.BLOCKED}
    assert set(JobState) - settled - open_states == waiting


@pytest.mark.parametrize(
    ("seen", "failed"),
    [
        (Observed(), False),
        (Observed(RunState.RUNNING, "training"), False),
        (Observed(RunState.INTERRUPTED, "stopped by SIGINT"), False),
        (Observed(RunState.FAILED), True),
        (Observed(RunState.FINISHED), False),
        (Observed(RunState.FINISHED, "the second evaluation has no images"), True),
    ],
)
def test_a_finished_run_with_a_message_has_failed_at_a_further_evaluation(seen, failed):
    assert seen.has_failed is failed


def test_only_a_cell_that_is_run_needs_a_training():
    assert [kind for kind in Kind if want("a", kind=kind).needs_training] == [Kind.RUN]


def test_a_cell_is_named_with_the_reading():
    measurement = want("a").measurement
    assert str(Wanted(measurement)) == "mine/table1: a @ mIoU"
    assert str(Wanted(measurement, "width: narrow")) == "mine/table1: a @ mIoU (width: narrow)"


def test_the_title_of_a_job_counts_what_it_serves():
    configuration = Configuration({"seed": 3}, {})
    assert Job("a" * 16, configuration).title == f"{'a' * 16}, seed 3"
    assert Job("a" * 16, configuration, cells=("one",)).title == "one, seed 3"
    assert Job("a" * 16, configuration, cells=("one", "two", "three")).title == "one and 2 more, seed 3"
