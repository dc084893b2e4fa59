"""Jobs whose batches cannot be shared are named before any starts."""

from repro.sweep.plan.job import Job
from repro.sweep.plan.processes import refused_processes
from tests.composed import composed


def test_a_batch_that_cannot_be_shared_is_refused_with_what_can():
    jobs = [Job("a" * 16, composed(f"schedule.batch_size={size}"), cells=(f"row of {size}",)) for size in (8, 6)]
    (sentence,) = refused_processes(jobs, 4)
    assert sentence.startswith("row of 6, seed 0: 4 processes cannot share schedule.batch_size=6 evenly")
    assert sentence.endswith("give 3 or 6")
    assert list(refused_processes(jobs, 1)) == []


def test_what_is_only_evaluated_has_no_batches():
    evaluated = Job("b" * 16, composed("schedule=none", "init=deeplabv3_resnet50", "schedule.batch_size=5"))
    assert list(refused_processes([evaluated], 2)) == []
