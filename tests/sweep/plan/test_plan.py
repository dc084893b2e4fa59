import copy
import time
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from repro.config.configuration import Configuration
from repro.experiments.chain import Chain
from repro.experiments.measurement import Kind, Measurement
from repro.store.status import RunState
from repro.sweep.plan.job import JobState, Observed, Queued, QueueState
from repro.sweep.plan.plan import distinct_jobs, make_plan
from tests.sweep.fakes import FakeChain, FakeMeasurement, want


def plan_of(wanted, observed=None, recorded=(), seeds=(0,)):
    return make_plan(wanted, seeds, distinct_jobs(wanted, seeds), observed or {}, recorded)


def states(plan):
    return {run_id: job.state for run_id, job in plan.jobs.items()}


def test_equal_trainings_are_one_job_that_serves_all_their_cells():
    plan = plan_of([want("a"), want("b", "a"), want("c", "a", protocol="flip"), want("d")])
    assert list(plan.jobs) == ["a#0", "d#0"]
    job = plan.jobs["a#0"]
    assert list(job.evaluations) == ["a#0@whole", "a#0@flip"]
    assert job.evaluations["a#0@flip"].protocol == "flip"
    assert [cell.partition(" @")[0] for cell in job.cells] == ["mine/table1: a", "mine/table1: b", "mine/table1: c"]
    assert plan.trainings_per_cell == 4


def test_rows_share_the_stage_that_they_start_from():
    plan = plan_of([want("x", "coco", "aug", "x"), want("y", "coco", "aug", "y")], seeds=(0, 1))
    assert list(plan.jobs) == [
        "coco#0", "coco>aug#0", "coco>aug>x#0", "coco#1", "coco>aug#1", "coco>aug>x#1", "coco>aug>y#0", "coco>aug>y#1"
    ]  # fmt: skip
    assert plan.jobs["coco>aug>y#1"].upstream == "coco>aug#1"
    assert not plan.jobs["coco#0"].evaluations
    assert plan.trainings_per_cell == 12


@pytest.mark.parametrize(
    ("seen", "state", "reason"),
    [
        (Observed(), JobState.TO_DO, ""),
        (Observed(RunState.RUNNING, held=True, message="training"), JobState.RUNNING, "training"),
        (Observed(RunState.RUNNING, held=True, message="training", step=7), JobState.RUNNING, "training, step 7"),
        (Observed(RunState.RUNNING, step=7), JobState.TO_DO, "goes on from step 7"),
        (Observed(RunState.INTERRUPTED, step=7), JobState.TO_DO, "goes on from step 7"),
        (Observed(RunState.FAILED, message="the loss is nan"), JobState.FAILED, "the loss is nan"),
        (Observed(RunState.FAILED, message="of old", held=True), JobState.RUNNING, "of old"),
        (Observed(RunState.FINISHED, weights=True), JobState.TO_EVALUATE, ""),
        (Observed(RunState.FINISHED, weights=True, evaluations=frozenset({"a#0@whole"})), JobState.DONE, ""),
        (Observed(RunState.RUNNING, held=True, evaluations=frozenset({"a#0@whole"})), JobState.DONE, ""),
    ],
)
def test_the_state_of_a_training_follows_from_its_folder(seen, state, reason):
    job = plan_of([want("a")], {"a#0": seen}).jobs["a#0"]
    assert (job.state, job.reason) == (state, reason)


def test_what_the_list_of_records_holds_is_not_done_again():
    wanted = [want("a"), want("b", "a", protocol="flip")]
    plan = plan_of(wanted, recorded={"a#0@whole"})
    assert states(plan) == {"a#0": JobState.TO_DO}
    assert plan.jobs["a#0"].missing == ("a#0@flip",)
    assert [plan.state(item, 0) for item in wanted] == [JobState.RECORDED, JobState.TO_DO]
    assert states(plan_of(wanted, recorded={"a#0@whole", "a#0@flip"})) == {"a#0": JobState.RECORDED}


CHAIN = [want("x", "first", "second", "x"), want("y", "first", "y")]


def test_a_failed_stage_blocks_everything_behind_it_and_nothing_else():
    plan = plan_of(CHAIN, {"first>second#0": Observed(RunState.FAILED, message="the disk is full")})
    assert states(plan) == {
        "first#0": JobState.TO_DO,
        "first>second#0": JobState.FAILED,
        "first>second>x#0": JobState.BLOCKED,
        "first>y#0": JobState.TO_DO,
    }
    plan = plan_of(CHAIN, {"first#0": Observed(RunState.FAILED, message="the disk is full")})
    assert states(plan)["first>second>x#0"] == states(plan)["first>y#0"] == JobState.BLOCKED
    assert plan.jobs["first>second>x#0"].reason == "run first#0 failed: the disk is full"


def test_a_stage_is_needed_only_for_its_weights():
    finished = Observed(RunState.FINISHED, weights=True)
    bare = Observed(RunState.FINISHED)
    all_recorded = {"first>second>x#0@whole", "first>y#0@whole"}
    assert set(states(plan_of(CHAIN, recorded=all_recorded)).values()) == {JobState.NOT_NEEDED, JobState.RECORDED}
    assert states(plan_of(CHAIN, {"first#0": finished}))["first#0"] == JobState.DONE
    assert states(plan_of(CHAIN, {"first#0": bare}))["first#0"] == JobState.TO_DO
    evaluated = [want("f", "first"), want("y", "first", "y")]
    again = plan_of(evaluated, recorded={"first#0@whole"})
    assert again.jobs["first#0"].state == JobState.TO_DO
    assert "weights" in again.jobs["first#0"].reason
    only_to_measure = {"first>y#0": finished}
    assert states(plan_of([want("y", "first", "y")], only_to_measure)) == {
        "first#0": JobState.NOT_NEEDED,
        "first>y#0": JobState.TO_EVALUATE,
    }


def test_cells_that_need_no_training_make_no_job():
    assert not plan_of([want("a", kind=Kind.CITED), want("b", kind=Kind.STATIC)]).jobs


@st.composite
def situations(draw):
    """Cells with chains over few names, and something on disk and in the list of records for some of them."""
    names = st.sampled_from("abcd")
    chains = draw(st.lists(st.lists(names, min_size=1, max_size=3), min_size=1, max_size=6))
    protocols = st.sampled_from(["whole", "flip"])
    wanted = [want(str(place), *chain, protocol=draw(protocols)) for place, chain in enumerate(chains)]
    seeds = draw(st.lists(st.integers(0, 3), min_size=1, max_size=3, unique=True))
    jobs = distinct_jobs(wanted, seeds)
    observed, recorded = {}, set()
    for run_id, job in jobs.items():
        evaluations = (
            st.frozensets(st.sampled_from(sorted(job.evaluations))) if job.evaluations else st.just(frozenset())
        )
        if draw(st.booleans()):
            observed[run_id] = Observed(
                draw(st.sampled_from([None, *RunState])),
                "why", draw(st.none() | st.integers(0, 9)), draw(st.booleans()), draw(st.booleans()), draw(evaluations),
            )  # fmt: skip
        recorded |= draw(evaluations)
    return wanted, seeds, observed, frozenset(recorded)


@given(situations())
def test_a_plan_is_pure_whole_and_in_order(situation):
    wanted, seeds, observed, recorded = situation
    before = copy.deepcopy(situation)
    plan = plan_of(wanted, observed, recorded, seeds)
    assert situation == before
    assert plan_of(wanted, observed, recorded, seeds) == plan
    order = list(plan.jobs)
    chains = [item.measurement.chain for item in wanted]
    assert set(order) == {run.run_id for chain in chains for seed in seeds for run in chain.configurations(seed)}
    assert len(order) <= plan.trainings_per_cell
    for job in plan.jobs.values():
        assert job.state in JobState
        assert job.upstream is None or order.index(job.upstream) < order.index(job.run_id)
        assert set(job.missing).isdisjoint(job.recorded)
        if job.state == JobState.BLOCKED:
            assert plan.jobs[job.upstream].state in (JobState.BLOCKED, JobState.FAILED)
    for item in wanted:
        for seed in seeds:
            evaluation = item.measurement.evaluation_id(seed)
            there = (
                evaluation in recorded
                or evaluation in observed.get(item.measurement.run_id(seed), Observed()).evaluations
            )
            assert (plan.state(item, seed) in (JobState.DONE, JobState.RECORDED)) == there


@given(situations(), st.randoms(use_true_random=False))
def test_a_lost_record_concerns_its_own_run_only(situation, random):
    wanted, seeds, *_ = situation
    complete = {
        run_id: Observed(RunState.FINISHED, weights=True, evaluations=frozenset(job.evaluations))
        for run_id, job in distinct_jobs(wanted, seeds).items()
    }
    lost = random.choice([item.measurement for item in wanted])
    seed = random.choice(seeds)
    run, evaluation = lost.run_id(seed), lost.evaluation_id(seed)
    complete[run] = Observed(RunState.FINISHED, weights=True, evaluations=complete[run].evaluations - {evaluation})
    plan = plan_of(wanted, complete, seeds=seeds)
    assert {run_id for run_id, job in plan.jobs.items() if job.state != JobState.DONE} == {run}
    assert plan.jobs[run].state == JobState.TO_EVALUATE
    assert plan.jobs[run].missing == (evaluation,)


def test_the_fake_has_what_the_plan_asks_of_a_measurement():
    own = ("label", "names", "protocol", "kind", "reason", "chain")
    assert all(hasattr(Measurement, name) for name in dir(FakeMeasurement) if name[0] != "_" and name not in own)
    assert all(hasattr(Chain, name) for name in dir(FakeChain) if name[0] != "_" and name not in ("names", "protocol"))
    assert {"run_id", "evaluation_id", "seed"} <= set(dir(Configuration))


@pytest.mark.parametrize(
    ("start", "now", "state"),
    [("one", "one", JobState.DONE), ("one", "two", JobState.STALE), (None, "two", JobState.DONE),
     ("one", None, JobState.DONE)],
)  # fmt: skip
def test_what_started_from_weights_that_are_there_no_more_is_stale(start, now, state):
    before = Observed(RunState.FINISHED, weights=True, digest=now)
    after = Observed(RunState.FINISHED, weights=True, evaluations=frozenset({"coco>x#0@whole"}), start_digest=start)
    plan = plan_of([want("x", "coco", "x")], {"coco#0": before, "coco>x#0": after})
    job = plan.jobs["coco>x#0"]
    assert job.state is state
    if state is JobState.STALE:
        assert job.reason == "run coco#0, which it started from, has been trained anew since"
        assert job.missing == ("coco>x#0@whole",)
        assert job in plan.open_jobs


def test_what_started_from_what_is_stale_is_stale_itself():
    first = Observed(RunState.FINISHED, weights=True, digest="new")
    second = Observed(RunState.FINISHED, weights=True, digest="b", start_digest="old")
    third = Observed(RunState.FINISHED, weights=True, evaluations=frozenset({"a>b>x#0@whole"}), start_digest="b")
    plan = plan_of([want("x", "a", "b", "x")], {"a#0": first, "a>b#0": second, "a>b>x#0": third})
    assert [job.state for job in plan.jobs.values()] == [JobState.DONE, JobState.STALE, JobState.STALE]
    assert plan.jobs["a>b>x#0"].reason == "run a>b#0, which it started from, is stale itself"


def in_queue(state, reason="Priority"):
    return Queued("17_3", state, reason)


@pytest.mark.parametrize(
    ("seen", "state", "reason"),
    [
        (Observed(queued=in_queue(QueueState.PENDING)), JobState.QUEUED, "job 17_3: Priority"),
        (Observed(queued=in_queue(QueueState.RUNNING)), JobState.RUNNING, "job 17_3"),
        (Observed(RunState.RUNNING, elsewhere="by pid 7", step=5, queued=in_queue(QueueState.RUNNING)),
         JobState.RUNNING, "job 17_3, step 5"),
        (Observed(RunState.FAILED, message="of old", queued=in_queue(QueueState.PENDING)), JobState.QUEUED,
         "job 17_3: Priority"),
        (Observed(RunState.FINISHED, weights=True, queued=in_queue(QueueState.PENDING)), JobState.QUEUED,
         "job 17_3: Priority"),
        (Observed(RunState.FINISHED, weights=True, evaluations=frozenset({"a#0@whole"}),
                  queued=in_queue(QueueState.RUNNING)), JobState.DONE, ""),
    ],
)  # fmt: skip
def test_a_job_in_the_queue_is_not_open(seen, state, reason):
    plan = plan_of([want("a")], {"a#0": seen})
    assert (plan.jobs["a#0"].state, plan.jobs["a#0"].reason) == (state, reason)
    assert plan.open_jobs == []


def test_a_job_that_waits_for_ever_is_blocked_by_what_has_failed_and_else_to_do():
    wanted, never = [want("b", "a", "b")], in_queue(QueueState.BLOCKED, "DependencyNeverSatisfied")
    failed = Observed(RunState.FAILED, message="the loss is nan")
    blocked = plan_of(wanted, {"a#0": failed, "a>b#0": Observed(queued=never)}).jobs["a>b#0"]
    assert (blocked.state, blocked.reason) == (JobState.BLOCKED, "run a#0 failed: the loss is nan")
    done = Observed(RunState.FINISHED, weights=True)
    anew = plan_of(wanted, {"a#0": done, "a>b#0": Observed(queued=never)}).jobs["a>b#0"]
    assert anew.state is JobState.TO_DO
    assert anew.reason == "job 17_3 waits for one that failed, and makes room for another"


def test_what_waits_for_a_job_in_the_queue_is_open():
    plan = plan_of([want("b", "a", "b")], {"a#0": Observed(queued=in_queue(QueueState.PENDING))})
    assert states(plan) == {"a#0": JobState.QUEUED, "a>b#0": JobState.TO_DO}


def test_a_run_whose_job_has_left_the_queue_has_failed_unless_all_is_there():
    wanted = [want("a")]
    jobs = distinct_jobs(wanted, [0])
    (job,) = jobs.values()
    seen = Observed(RunState.RUNNING, elsewhere="by pid 3", step=7, lost="job 9 is gone from the queue")
    (found,) = make_plan(wanted, [0], jobs, {job.run_id: seen}, ()).jobs.values()
    assert (found.state, found.reason) == (JobState.FAILED, "job 9 is gone from the queue")
    whole = replace(seen, evaluations=frozenset(job.evaluations))
    (found,) = make_plan(wanted, [0], jobs, {job.run_id: whole}, ()).jobs.values()
    assert found.state is JobState.DONE


def test_what_waits_for_many_runs_is_found_in_little_time():
    wanted = [want(f"row {number}", "stage", f"own {number}") for number in range(3000)]
    jobs = distinct_jobs(wanted, [0])
    before = time.process_time()
    plan = make_plan(wanted, [0], jobs, {}, ())
    assert time.process_time() - before < 0.5
    assert len(plan.open_jobs) == 3001
