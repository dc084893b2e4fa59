"""The loop: what is journalled and kept, and that a restart changes nothing."""

import copy
import math
import signal

import pytest
import torch

from repro.engine.checkpoint import CheckpointFolder
from repro.engine.meter import Diverged
from repro.engine.stop import Interrupted
from repro.engine.train import Training, train
from repro.errors import ConfigError
from repro.store.checkpoints import CheckpointFiles
from tests.engine.learners import STEPS, batch, learner


class Notebook:
    """Keeps what it is told, and asks the training to stop at a step."""

    def __init__(self, stop_at=None):
        self.points, self.events, self.saves, self.step, self.stop_at = [], [], [], 0, stop_at

    def point(self, step, **metrics):
        self.points.append((step, metrics))

    def event(self, kind, **facts):
        self.events.append((kind, facts))

    def check(self):
        pass

    def saved(self, step):
        self.saves.append(step)

    def stop_requested(self):
        return self.stop_at is not None and self.step >= self.stop_at


@pytest.fixture
def files(tmp_path):
    return CheckpointFiles(tmp_path / "checkpoints")


def training(files, *overrides, stop_at=None, scores=None, seed=0, **changes):
    keeper = Notebook(stop_at)

    def batches(first):
        for step in range(first, STEPS):
            keeper.step = step + 1
            yield batch(step)

    remaining = iter(scores or [])
    values = {
        "learner": learner(*overrides, seed=seed),
        "steps_per_epoch": 3,
        "batches": batches,
        "validate": lambda: next(remaining),
        "checkpoints": CheckpointFolder(files),
        "keeper": keeper,
        **changes,
    }
    return Training(**values)


def weights(job):
    return copy.deepcopy(job.learner.state.model.state_dict())


def same(one, other):
    return all(torch.equal(one[name], other[name]) for name in one)


def test_a_training_takes_all_its_steps_and_logs_every_few(files):
    job = training(files)
    assert train(job)
    assert job.learner.state.step == STEPS
    assert [step for step, _ in job.keeper.points] == [2, 4, 6]
    metrics = job.keeper.points[0][1]
    assert metrics.keys() == {"loss", "learning_rate", "images_per_second"}
    assert metrics["learning_rate"] == pytest.approx(0.06 * (1 - 1 / STEPS) ** 0.9)
    ((kind, facts),) = job.keeper.events
    assert (kind, facts["step"]) == ("checkpoint", STEPS)
    assert facts["seconds"] >= 0
    assert job.keeper.saves == [STEPS]
    assert job.learner.state.wall_seconds > 0


@pytest.mark.parametrize("stop_at", [1, 3, 5])
@pytest.mark.parametrize("overrides", [(), ("schedule.replicas=3",), ("schedule.batch_norm.samples=2",)])
def test_a_training_that_was_stopped_goes_on_to_the_same_weights(files, tmp_path, stop_at, overrides):
    whole = training(CheckpointFiles(tmp_path / "whole"), *overrides)
    assert train(whole)
    first = training(files, *overrides, stop_at=stop_at)
    assert not train(first)
    assert first.keeper.saves == [stop_at]
    second = training(files, *overrides, seed=99)
    assert train(second)
    assert second.keeper.events[0] == ("resumed", {"step": stop_at})
    assert same(weights(second), weights(whole))


def test_asked_to_stop_at_the_last_step_it_is_done(files):
    assert train(training(files, stop_at=STEPS))


def test_what_is_done_is_not_done_again(files):
    train(training(files))
    again = training(files, batches=lambda first: pytest.fail("batches were asked for"))
    assert train(again)


def test_a_restart_without_a_checkpoint_is_told(files):
    job = training(files, restarted=True)
    train(job)
    assert job.keeper.events[0] == ("resumed", {"step": 0})


def test_checkpoints_are_written_as_often_as_asked(files):
    job = training(files, "runtime.checkpoint_seconds=0")
    train(job)
    assert job.keeper.saves == list(range(1, STEPS + 1))


def test_a_loss_that_is_no_number_ends_it_before_the_checkpoint(files):
    job = training(files, "runtime.checkpoint_seconds=0", "runtime.log_every_steps=100")
    model = job.learner.network

    def breaks_at_the_fourth(image):
        factor = math.nan if job.learner.state.step == 3 else 1.0
        return {"main": model(image)["main"] * factor}

    job.learner.network = breaks_at_the_fourth
    with pytest.raises(Diverged, match="between steps 3 and 4"):
        train(job)
    assert job.keeper.saves == [1, 2, 3]


def test_a_validation_is_journalled_and_changes_no_weight(files, tmp_path):
    plain = training(CheckpointFiles(tmp_path / "plain"))
    train(plain)
    job = training(files, "validation.every=2 steps", scores=[10.0, 30.0, 20.0])
    train(job)
    scores = [(step, metrics["validation_miou_percent"]) for step, metrics in job.keeper.points if len(metrics) == 1]
    assert scores == [(2, 10.0), (4, 30.0), (6, 20.0)]
    assert same(weights(job), weights(plain))
    assert files.best_files() == []


@pytest.mark.parametrize(("every", "steps"), [("4 steps", [4, 6]), ("1 epochs", [3, 6])])
def test_where_the_best_weights_count_the_last_ones_are_scored_too(files, every, steps):
    job = training(files, f"validation.every={every}", "selection=best", scores=[30.0, 20.0])
    train(job)
    assert [step for step, metrics in job.keeper.points if len(metrics) == 1] == steps
    state = job.learner.state
    assert (state.best_step, state.best_miou_percent) == (steps[0], 30.0)
    assert [file.name for file in files.best_files()] == [f"best_{steps[0]:09d}.pt"]
    assert not same(job.checkpoints.load_best(state), weights(job))


def test_without_labels_nothing_can_be_chosen(files):
    job = training(files, "validation.every=2 steps", "selection=best", scores=[math.nan])
    with pytest.raises(ConfigError, match="selection=best needs labels, but the validation split has none"):
        train(job)


def test_a_score_that_only_informs_does_not_delay_the_end(files):
    job = training(files, "validation.every=2 steps", stop_at=2)
    assert not train(job)
    assert job.keeper.saves == [2]


class Ended:
    """A validation during which the training is asked to end, at one of its steps."""

    def __init__(self, at):
        self.at, self.job = at, None

    def __call__(self):
        if self.job.learner.state.step == self.at:
            self.job.keeper.stop_at = 0
            raise Interrupted(signal.SIGUSR2, "during a validation")
        return {2: 10.0, 4: 30.0, 6: 20.0}[self.job.learner.state.step]


CHOSEN = ("validation.every=2 steps", "selection=best")


@pytest.mark.parametrize("at", [2, 4, 6])
def test_a_validation_that_chooses_is_made_up_for_where_a_signal_came_meanwhile(files, tmp_path, at):
    whole = training(CheckpointFiles(tmp_path / "whole"), *CHOSEN, scores=[10.0, 30.0, 20.0])
    assert train(whole)
    ended = Ended(at)
    first = ended.job = training(files, *CHOSEN, validate=ended)
    assert not train(first)
    assert first.keeper.saves == [at]
    assert at not in [step for step, metrics in first.keeper.points if len(metrics) == 1]
    ended = Ended(at=None)
    second = ended.job = training(files, *CHOSEN, validate=ended, seed=99)
    assert train(second)
    assert (at, {"validation_miou_percent": {2: 10.0, 4: 30.0, 6: 20.0}[at]}) in second.keeper.points
    assert second.learner.state.best_step == 4
    assert same(weights(second), weights(whole))
    assert same(second.checkpoints.load_best(second.learner.state), whole.checkpoints.load_best(whole.learner.state))


def test_a_validation_that_is_ended_again_stays_to_be_made_up_for(files):
    for _ in range(2):
        ended = Ended(at=4)
        job = ended.job = training(files, *CHOSEN, validate=ended)
        assert not train(job)
        assert job.learner.state.validation_pending
    assert job.keeper.saves == [], "there is nothing new to keep"


def test_a_validation_that_only_informs_is_left_off_where_a_signal_came_meanwhile(files):
    ended = Ended(at=4)
    first = ended.job = training(files, "validation.every=2 steps", validate=ended)
    assert not train(first)
    second = training(files, "validation.every=2 steps", scores=[20.0])
    assert train(second)
    assert [step for step, metrics in second.keeper.points if len(metrics) == 1] == [6]


def test_what_an_earlier_checkpoint_took_puts_off_the_next(files):
    job = training(files, "runtime.checkpoint_seconds=0.000001", checkpoint_took=1000.0)
    train(job)
    assert job.keeper.saves == [STEPS]
