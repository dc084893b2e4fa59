import time

import pytest
import torch

from repro.engine.meter import Diverged, Meter
from repro.errors import ReproError
from tests.engine.learners import learner


def loss(value):
    return torch.tensor(value)


def test_the_loss_is_averaged_and_the_speed_is_that_since_the_last_figures():
    meter = Meter(learner())
    for value in (1.0, 2.0, 6.0):
        meter.take(loss(value), images=4)
    time.sleep(0.05)
    mean, speed = meter.figures()
    assert mean == 3.0
    assert 0 < speed < 12 / 0.05
    meter.take(loss(5.0), images=4)
    assert meter.figures()[0] == 5.0


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_a_loss_that_is_no_number_is_named_with_its_steps_and_what_may_help(value):
    one = learner()
    one.state.step = 10
    meter = Meter(one)
    meter.take(loss(1.0), images=4)
    one.state.step = 12
    meter.check_finite()
    meter.take(loss(value), images=4)
    one.state.step = 14
    with pytest.raises(Diverged, match=r"between steps 12 and 14; a smaller schedule\.learning_rate than 0\.06"):
        meter.figures()
    assert issubclass(Diverged, ReproError)


class Clock:
    """A clock that is set forward by hand."""

    def __init__(self):
        self.now = 100.0

    def __call__(self):
        return self.now


def test_a_checkpoint_is_due_once_its_seconds_have_passed():
    clock = Clock()
    meter = Meter(learner("runtime.checkpoint_seconds=60"), clock=clock)
    clock.now += 59
    assert not meter.checkpoint_due()
    clock.now += 1
    assert meter.checkpoint_due()
    with meter.checkpointing():
        clock.now += 0.5
    assert meter.checkpoint_took == 0.5
    clock.now += 59
    assert not meter.checkpoint_due(), "its seconds count from the end of the one before"
    clock.now += 1
    assert meter.checkpoint_due()


@pytest.mark.parametrize("took", [0.1, 1.2, 7.0, 45.0])
@pytest.mark.parametrize("known", [True, False])
def test_checkpoints_take_two_hundredths_of_the_time_at_most(took, known):
    clock = Clock()
    meter = Meter(learner("runtime.checkpoint_seconds=60"), checkpoint_took=took if known else 0.0, clock=clock)
    saving, checkpoints, first = 0.0, 0, None
    start = clock.now
    while checkpoints < 6:
        clock.now += 0.7  # a step
        if meter.checkpoint_due():
            with meter.checkpointing():
                clock.now += took
            checkpoints += 1
            if first is None and not known:  # what one costs is known only then
                first, start = clock.now, clock.now
                continue
            saving += took
    assert saving / (clock.now - start) <= 0.02
    assert (clock.now - start) / checkpoints < max(60, 50 * took) + took + 1, "and no seldomer than that"


def test_with_no_seconds_a_checkpoint_is_due_after_every_step():
    clock = Clock()
    meter = Meter(learner("runtime.checkpoint_seconds=0"), checkpoint_took=1000.0, clock=clock)
    assert meter.checkpoint_due()


def test_time_is_booked_once():
    one = learner()
    one.state.wall_seconds = 100.0
    meter = Meter(one)
    time.sleep(0.05)
    meter.book_time()
    booked = one.state.wall_seconds
    assert booked > 100.04
    meter.book_time()
    assert one.state.wall_seconds < booked + 0.04
    assert one.state.gpu_seconds == 0
