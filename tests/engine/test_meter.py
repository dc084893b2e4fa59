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


def test_a_checkpoint_is_due_once_its_seconds_have_passed():
    assert not Meter(learner()).checkpoint_due()
    often = Meter(learner("runtime.checkpoint_seconds=0.02"))
    time.sleep(0.03)
    assert often.checkpoint_due()
    often.book_time()
    assert not often.checkpoint_due()


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
