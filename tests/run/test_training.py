"""The training of a run: what changes its weights and what must not, and what is kept of it."""

import math
import os
import signal

import pytest
import torch

from repro.build import build_dataset, build_model
from repro.engine.evaluate import evaluate
from repro.engine.step import training_step
from repro.engine.stop import Interrupted
from repro.errors import ConfigError
from repro.run.lifecycle import run
from repro.run.training import batches, check_hard_pixels, validation
from repro.store.journal import read_journal
from repro.store.status import RunState
from tests.tiny_runs import final_weights, folder_of, same_weights

CPU = torch.device("cpu")


def undisturbed(_):
    """No signal comes."""


def trained(configuration):
    return final_weights(run(configuration).folder)


@pytest.mark.parametrize(
    "extra",
    [[], ["validation.every=2 steps"], ["validation.every=1 epoch", "runtime.workers=1"]],
    ids=" ".join,
)
def test_who_looks_and_who_loads_does_not_change_the_weights(configure, tmp_path, extra):
    looked_at = trained(configure(*extra, outputs=tmp_path / "other"))
    assert same_weights(looked_at, trained(configure()))


def test_seeds_differ_and_one_seed_repeats(configure, tmp_path):
    one = run(configure("seed=1"))
    again = run(configure("seed=1", outputs=tmp_path / "again"))
    assert same_weights(final_weights(one.folder), final_weights(again.folder))
    assert one.record.confusion_sha256 == again.record.confusion_sha256
    assert not same_weights(final_weights(one.folder), trained(configure("seed=2")))


MINED = ["schedule.loss=ohem", "schedule.ohem.kept_pixels=100", "schedule.batch_norm.samples=2", "auxiliary=fcn"]


@pytest.mark.parametrize(
    ("stop_at", "extra"), [(1, []), (3, []), (5, []), (2, MINED), (4, [*MINED, "schedule.loss_average=image"])]
)
def test_a_stopped_run_goes_on_bit_for_bit(configure, tmp_path, monkeypatch, stop_at, extra):
    straight = trained(configure("head.dropout=0.5", *extra))
    configuration = configure("head.dropout=0.5", *extra, outputs=tmp_path / "stopped")

    def stopping_step(learner, image, label):
        result = training_step(learner, image, label)
        if learner.state.step + 1 == stop_at:
            os.kill(os.getpid(), signal.SIGTERM)
        return result

    with monkeypatch.context() as patch:
        patch.setattr("repro.engine.train.training_step", stopping_step)
        with pytest.raises(Interrupted, match=f"step {stop_at} of 6") as caught:
            run(configuration)
    assert caught.value.exit_code == 143
    folder = folder_of(configuration)
    assert folder.read_status().state is RunState.INTERRUPTED
    assert folder.checkpoints.newest_step() == stop_at
    assert same_weights(trained(configuration), straight)
    assert folder.read_status().state is RunState.FINISHED


def test_a_run_that_is_asked_to_end_during_a_validation_ends_there_and_chooses_as_if_it_had_not(
    configure, tmp_path, monkeypatch
):
    chosen = ["selection=best", "validation.every=2 steps", "schedule.learning_rate=0.2"]
    straight = run(configure(*chosen))
    configuration = configure(*chosen, outputs=tmp_path / "stopped")

    def stopping(*arguments, title, **named):
        if title == "validation":
            os.kill(os.getpid(), signal.SIGUSR2)
        return evaluate(*arguments, title=title, **named)

    with monkeypatch.context() as patch:
        patch.setattr("repro.run.training.evaluate", stopping)
        with pytest.raises(Interrupted, match="stopped by SIGUSR2 at step 2 of 6, after a checkpoint"):
            run(configuration)
    status = folder_of(configuration).read_status()
    assert (status.state, status.step) == (RunState.INTERRUPTED, 2)
    resumed = run(configuration)
    assert resumed.record.weights_sha256 == straight.record.weights_sha256
    points = [
        {point.step: point.metrics.get("validation_miou_percent") for point in read_journal(folder.journal_path).points}
        for folder in (straight.folder, resumed.folder)
    ]
    assert points[0] == points[1]


def test_a_run_that_is_asked_to_end_before_its_first_step_takes_none(configure, monkeypatch):
    def asked_to_end(self):
        os.kill(os.getpid(), signal.SIGUSR1)
        return False

    configuration = configure()
    with monkeypatch.context() as patch:
        patch.setattr("repro.run.held.HeldRun.restarted", property(asked_to_end))
        with pytest.raises(Interrupted, match="stopped by SIGUSR1 before its first step here"):
            run(configuration)
    assert folder_of(configuration).read_status().state is RunState.INTERRUPTED
    assert run(configuration).record.steps == 6


def test_the_status_carries_the_step_of_every_checkpoint(configure, monkeypatch):
    told = []
    monkeypatch.setattr("repro.run.held.HeldRun.event", lambda held, kind, **facts: told.append(
        (kind, facts.get("step"), held.folder.read_status().step)))  # fmt: skip
    run(configure("runtime.checkpoint_seconds=0"))
    checkpoints = [(step, before) for kind, step, before in told if kind == "checkpoint"]
    assert checkpoints == [(step, step - 1) for step in range(1, 7)]


def test_accumulated_gradients_equal_the_whole_batch_where_batch_norm_is_frozen(configure):
    frozen = ["schedule.batch_norm.frozen=true", "head.dropout=0", "schedule.length=2 steps"]
    whole = run(configure(*frozen))
    split = run(configure(*frozen, "schedule.batch_norm.samples=2"))
    assert whole.folder.run_id != split.folder.run_id
    training = [outcome.record.provenance["training"]["batch_norm_samples"] for outcome in (whole, split)]
    assert training == [4, 2]
    one, other = final_weights(whole.folder), final_weights(split.folder)
    for name in one:
        torch.testing.assert_close(one[name], other[name], rtol=1e-2, atol=1e-4)


def test_selection_best_evaluates_the_best_validation(configure):
    outcome = run(configure("selection=best", "validation.every=1 steps", "schedule.learning_rate=0.2"))
    points = read_journal(outcome.folder.journal_path).points
    scores = {point.step: point.metrics["validation_miou_percent"] for point in points}
    assert list(scores) == [1, 2, 3, 4, 5, 6]
    assert max(scores.values()) > min(scores.values())
    assert outcome.record.scores.miou_percent == pytest.approx(max(scores.values()))
    assert scores[outcome.record.steps] == max(scores.values())


def test_the_test_split_does_not_choose_the_weights(configure):
    with pytest.raises(ConfigError, match="test split"):
        run(configure("selection=best", "validation.every=2 steps", "validation.split=test"))


def test_without_validations_their_split_is_not_opened(configure):
    configuration = configure("validation.split=nowhere")
    model, _ = build_model(configuration, num_classes=8)
    assert math.isnan(validation(configuration, model, CPU, undisturbed)())


VIEWS = [[], ["evaluation.pad_to=80"], ["evaluation.window=48", "evaluation.window_stride=16"],
         ["evaluation.window=48", "evaluation.average=logits"]]  # fmt: skip


@pytest.mark.parametrize("view", VIEWS, ids=" ".join)
@pytest.mark.parametrize("selection", ["last", "best"])
def test_the_last_validation_is_the_evaluation_where_that_is_of_one_view(configure, view, selection):
    outcome = run(configure("validation.every=6 steps", f"selection={selection}", *view))
    (point,) = [point for point in read_journal(outcome.folder.journal_path).points
                if "validation_miou_percent" in point.metrics]  # fmt: skip
    assert point.step == outcome.record.steps == 6
    assert point.metrics["validation_miou_percent"] == outcome.record.scores.miou_percent


@pytest.mark.parametrize("view", VIEWS, ids=" ".join)
def test_a_validation_is_of_one_scale_at_the_trained_stride_whatever_the_evaluation(configure, view):
    plain = configure("validation.every=1 epoch", *view)
    dressed = configure("validation.every=1 epoch", "evaluation.scales=[0.5,1.5]", "evaluation.flip=true",
                        "evaluation.output_stride=8", *view)  # fmt: skip
    model, _ = build_model(plain, num_classes=build_dataset(plain, "val").num_classes)
    scores = [validation(configuration, model.eval(), CPU, undisturbed)() for configuration in (plain, dressed)]
    assert scores[0] == scores[1]
    assert 0 <= scores[0] <= 100


def test_the_batches_go_on_where_a_resumed_training_stands(configure):
    configuration = configure()
    dataset = build_dataset(configuration, "train")
    whole = list(batches(dataset, configuration.settings, 0, 6, CPU))
    rest = list(batches(dataset, configuration.settings, 4, 6, CPU))
    assert [image.shape for image, _ in whole] == [(4, 3, 64, 64)] * 6
    for (image, label), (same_image, same_label) in zip(rest, whole[4:], strict=True):
        assert torch.equal(image, same_image)
        assert torch.equal(label, same_label)


@pytest.mark.parametrize(("crop", "pixels"), [("null", 64 * 64), ("33", 33 * 33)])
def test_a_mining_that_could_leave_no_pixel_out_is_refused(configure, crop, pixels):
    def check(kept):
        mined = ["schedule.loss=ohem", f"schedule.ohem.kept_pixels={kept}", f"schedule.augmentation.crop_size={crop}"]
        configuration = configure(*mined)
        check_hard_pixels(configuration.settings.schedule, build_dataset(configuration, "train"))

    check(pixels - 1)
    with pytest.raises(
        ConfigError, match=f"the loss sees {pixels} pixels of a training image, .* such as {round(0.14 * pixels)},"
    ):
        check(pixels)


def test_other_losses_need_no_hard_pixels(configure):
    configuration = configure("schedule.ohem.kept_pixels=1000000")
    check_hard_pixels(configuration.settings.schedule, build_dataset(configuration, "train"))


def test_oversampled_images_are_counted_in_the_journal(configure):
    outcome = run(configure("dataset.duplicate=[wire]", "dataset.duplicate_times=3"))
    (event,) = [item for item in read_journal(outcome.folder.journal_path).events if item.kind == "oversampled"]
    images, total, epoch = (event.fields[name] for name in ("images", "of", "epoch"))
    assert 0 < images <= total == 16
    assert epoch == total + 2 * images
    split = outcome.record.provenance["training"]["split"]
    assert (split["name"], split["images"]) == ("train", epoch)
