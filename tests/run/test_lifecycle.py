import json
import logging
import os
import signal
from pathlib import Path

import numpy as np
import pytest
import torch
import yaml
from PIL import Image

from repro.config import identity
from repro.config.compose import compose
from repro.engine import train as training_module
from repro.engine.stop import Interrupted
from repro.errors import ConfigError, DataError, ReproError, StoreError
from repro.metrics import miou_percent
from repro.run.lifecycle import run
from repro.store.journal import read_journal
from repro.store.run_folder import RunFolder
from tests.tiny import TINY


@pytest.fixture
def configure(tmp_path):
    return lambda *overrides: compose([*TINY, f"outputs={tmp_path / 'outputs'}", *overrides])


def final_weights(outcome):
    return torch.load(outcome.folder.path / "weights.pt", weights_only=True)["model"]


def same_weights(one, other):
    return one.keys() == other.keys() and all(torch.equal(one[name], other[name]) for name in one)


def test_a_run_leaves_record_matrix_journal_panels_and_frozen_config(configure):
    config = configure("evaluation.masks=true")
    outcome = run(config)
    record, folder = outcome.record, outcome.folder
    matrix = folder.read_confusion(record)
    assert matrix.sum() > 0.9 * 5 * 64 * 64
    assert record.scores.miou_percent == pytest.approx(miou_percent(matrix))
    assert record.names.head == "fcn"
    assert record.steps == 6
    assert record.provenance["training"]["batch_norm_samples"] == 4
    assert record.provenance["command"][:3] == ["python", "-m", "repro"]
    assert record.config == identity.science(config)
    assert folder.read_status().state == "FINISHED"
    assert identity.run_id(yaml.safe_load(folder.read_config())) == folder.run_id
    points = read_journal(folder.journal_path).points
    assert [point.step for point in points] == [2, 4, 6]
    assert {"loss", "learning_rate", "images_per_second"} <= points[-1].metrics.keys()
    pictures = folder.evaluations_path / record.evaluation_id
    with Image.open(pictures / "panels.png") as panels:
        assert panels.size == (64 * 4 + 12, 64)
    masks = sorted((pictures / "masks").iterdir())
    assert len(masks) == 5
    with Image.open(masks[0]) as mask:
        assert np.asarray(mask).max() < len(record.per_class_iou_percent)
    assert list(folder.checkpoints_path.iterdir()) == []


def test_what_is_done_is_not_done_again(configure, monkeypatch):
    first = run(configure())
    monkeypatch.setattr("repro.run.session.train", lambda job: pytest.fail("trained again"))
    again = run(configure())
    assert first.fresh
    assert not again.fresh
    assert again.record == first.record
    other_protocol = run(configure("evaluation.flip=true"))
    assert other_protocol.fresh
    assert other_protocol.folder.path == first.folder.path
    assert len(first.folder.records()) == 2


def test_a_lost_record_is_measured_again_without_training(configure, monkeypatch):
    first = run(configure())
    first.folder.record_path(first.record.evaluation_id).write_text('{"half": ')
    monkeypatch.setattr("repro.run.session.train", lambda job: pytest.fail("trained again"))
    assert run(configure()).record.scores == first.record.scores


@pytest.mark.parametrize("extra", [[], ["validation.every=2 steps"], ["validation.every=1 epoch", "runtime.workers=1"]])
def test_who_looks_and_who_loads_does_not_change_the_weights(configure, tmp_path, extra):
    plain = final_weights(run(configure()))
    looked_at = run(configure(*extra, f"outputs={tmp_path / 'other'}"))
    assert same_weights(final_weights(looked_at), plain)


def test_seeds_differ_and_one_seed_repeats(configure, tmp_path):
    one = run(configure("seed=1"))
    again = run(configure("seed=1", f"outputs={tmp_path / 'again'}"))
    other = run(configure("seed=2"))
    assert same_weights(final_weights(one), final_weights(again))
    assert one.record.confusion_sha256 == again.record.confusion_sha256
    assert not same_weights(final_weights(one), final_weights(other))


@pytest.mark.parametrize("stop_at", [1, 3, 5])
def test_a_stopped_run_goes_on_bit_for_bit(configure, tmp_path, monkeypatch, stop_at):
    straight = final_weights(run(configure("head.dropout=0.5")))
    step = training_module.training_step
    config = configure("head.dropout=0.5", f"outputs={tmp_path / 'stopped'}")

    def stopping_step(job, image, label):
        result = step(job, image, label)
        if job.state.step + 1 == stop_at:
            os.kill(os.getpid(), signal.SIGTERM)
        return result

    monkeypatch.setattr(training_module, "training_step", stopping_step)
    with pytest.raises(Interrupted, match=f"step {stop_at} of 6") as caught:
        run(config)
    assert caught.value.exit_code == 143
    folder = RunFolder(tmp_path / "stopped" / "runs", identity.run_id(config))
    assert folder.read_status().state == "INTERRUPTED"
    monkeypatch.setattr(training_module, "training_step", step)
    assert same_weights(final_weights(run(config)), straight)
    assert folder.read_status().state == "FINISHED"


def test_a_loss_that_is_no_number_stops_the_run_and_says_so(configure, monkeypatch):
    config = configure("schedule.learning_rate=1e30", "schedule.length=20 steps")
    with pytest.raises(training_module.Diverged, match="between steps"):
        run(config)
    folder = RunFolder(compose_root(config), identity.run_id(config))
    assert folder.read_status().state == "FAILED"
    assert "the loss is" in folder.read_status().message
    assert not (folder.path / "weights.pt").exists()
    assert [event.kind for event in read_journal(folder.journal_path).events][-1] == "failed"


def compose_root(config):
    return Path(config["outputs"]) / "runs"


def test_accumulated_gradients_equal_the_whole_batch_where_batch_norm_is_frozen(configure, tmp_path):
    frozen = ["schedule.batch_norm.frozen=true", "head.dropout=0", "schedule.length=2 steps"]
    whole = run(configure(*frozen))
    split = run(configure(*frozen, "schedule.batch_norm.samples=2"))
    assert whole.folder.run_id != split.folder.run_id
    one, other = final_weights(whole), final_weights(split)
    for name in one:
        torch.testing.assert_close(one[name], other[name], rtol=1e-2, atol=1e-4)


def test_selection_best_evaluates_the_best_validation(configure):
    outcome = run(configure("selection=best", "validation.every=2 steps", "schedule.learning_rate=0.1"))
    points = read_journal(outcome.folder.journal_path).points
    scores = {point.step: point.metrics["validation_miou_percent"] for point in points}
    assert outcome.record.scores.miou_percent == pytest.approx(max(scores.values()))
    assert scores[outcome.record.steps] == max(scores.values())


def test_the_evaluation_stride_does_not_stay(configure):
    assert run(configure("evaluation.output_stride=8")).fresh
    assert run(configure("evaluation.output_stride=16")).fresh


def test_two_processes_cannot_hold_one_run(configure):
    config = configure()
    folder = RunFolder(compose_root(config), identity.run_id(config))
    with folder.lock(), pytest.raises(StoreError, match="is held by pid"):
        run(config)


def test_an_edited_frozen_config_is_refused(configure):
    config = configure()
    outcome = run(config)
    text = outcome.folder.config_path.read_text()
    outcome.folder.config_path.write_text(text.replace("momentum: 0.9", "momentum: 0.8"))
    with pytest.raises(StoreError, match="was edited"):
        run(configure("evaluation.flip=true"))


def test_threads_are_frozen_with_the_run(configure):
    outcome = run(configure())
    assert yaml.safe_load(outcome.folder.read_config())["runtime"]["threads"] == 1


@pytest.mark.parametrize(
    ("overrides", "error", "sentence"),
    [
        (["head=aspp", "backbone.output_stride=32", "head.rates=[5,7]"], ReproError, "head"),
        (["backbone.multi_grid=[1,2,4]"], ReproError, "multi"),
        (["backbone.output_stride=5"], ReproError, "output"),
        (["backbone._target_=repro.nn.Nothing"], ConfigError, "cannot be imported"),
        (["head._target_=pathlib.Path"], ConfigError, "is no Module"),
        (["+head.colour=red"], ConfigError, "colour"),
        (["schedule.batch_size=32"], DataError, "fewer than one batch"),
        (["dataset.evaluation_split=dev"], DataError, "dev"),
        (["schedule.augmentation.scale_range=[2,1]", "schedule.augmentation.crop_size=32"], ReproError, "scale"),
        (["tracking.kind=wandb", "dataset.val_images=4"], ConfigError, "tracking.kind"),
    ],
)
def test_mistakes_that_only_building_finds_are_sentences(configure, overrides, error, sentence):
    with pytest.raises(error) as caught:
        run(configure(*overrides))
    assert sentence in str(caught.value)
    assert "\n" not in str(caught.value)


def test_the_run_log_holds_what_was_said(configure, caplog):
    outcome = run(configure())
    logging.getLogger("repro").info("afterwards")
    assert "afterwards" not in (outcome.folder.path / "run.log").read_text()
    assert json.loads(outcome.folder.status_path.read_text())["state"] == "FINISHED"


@pytest.mark.parametrize(
    "overrides",
    [
        ["precision=bf16"],
        pytest.param(
            ["precision=fp16", "schedule.length=2 steps", "runtime.log_every_steps=1"], marks=pytest.mark.slow
        ),
        ["determinism=strict"],
        ["auxiliary=fcn"],
    ],
)
def test_number_formats_determinism_and_auxiliary_loss_run(configure, overrides):
    try:
        outcome = run(configure(*overrides))
    finally:
        torch.use_deterministic_algorithms(False)
    losses = [point.metrics["loss"] for point in read_journal(outcome.folder.journal_path).points]
    assert losses[-1] < losses[0]
    assert all(tensor.dtype != torch.bfloat16 for tensor in final_weights(outcome).values())


@pytest.mark.slow
def test_a_compiled_network_trains_to_the_same_weights_within_rounding(configure, tmp_path):
    short = ["head.dropout=0", "schedule.length=2 steps"]  # a compiled network draws other dropout masks
    plain = final_weights(run(configure(*short)))
    compiled = final_weights(run(configure(*short, "runtime.compile=true", f"outputs={tmp_path / 'compiled'}")))
    for name, tensor in plain.items():
        torch.testing.assert_close(compiled[name], tensor, rtol=0.05, atol=0.01)


def break_off_at_step(step, config, monkeypatch):
    """Runs until the step is about to be taken, and breaks off there without a checkpoint."""
    take = training_module.training_step

    def taken(job, image, label):
        if job.state.step == step:
            raise KeyboardInterrupt
        return take(job, image, label)

    with monkeypatch.context() as patch:
        patch.setattr(training_module, "training_step", taken)
        with pytest.raises(KeyboardInterrupt):
            run(config)


def test_another_memory_format_on_resume_changes_no_more_than_rounding(configure, tmp_path, monkeypatch):
    straight = final_weights(run(configure()))
    stopped = ["runtime.checkpoint_seconds=0", f"outputs={tmp_path / 'stopped'}"]
    break_off_at_step(3, configure(*stopped), monkeypatch)
    resumed = final_weights(run(configure(*stopped, "runtime.channels_last=false")))
    for name, tensor in straight.items():
        torch.testing.assert_close(resumed[name], tensor, rtol=1e-3, atol=1e-4)


def test_a_bad_evaluation_is_found_before_the_training(configure, monkeypatch):
    monkeypatch.setattr("repro.run.session.train", lambda job: pytest.fail("trained first"))
    with pytest.raises(ConfigError, match=r"evaluation\.output_stride"):
        run(configure("evaluation.output_stride=12"))


def test_a_failed_second_evaluation_leaves_the_run_finished(configure):
    first = run(configure())
    with pytest.raises(ConfigError):
        run(configure("evaluation.output_stride=12"))
    assert first.folder.read_status().state == "FINISHED"
    assert not run(configure()).fresh


def test_pictures_asked_for_later_are_made_without_training(configure, monkeypatch):
    first = run(configure("evaluation.panels=0"))
    monkeypatch.setattr("repro.run.session.train", lambda job: pytest.fail("trained again"))
    again = run(configure("evaluation.masks=true"))
    assert again.record.confusion_sha256 == first.record.confusion_sha256
    assert len(list((first.folder.evaluations_path / first.record.evaluation_id / "masks").iterdir())) == 5
    assert not run(configure("evaluation.masks=true")).fresh


def test_a_process_that_lost_its_lock_writes_nothing(configure, monkeypatch):
    config = configure("runtime.checkpoint_seconds=0")
    folder = RunFolder(compose_root(config), identity.run_id(config))
    monkeypatch.setattr("repro.store.lock.FolderLock.is_ours", lambda self: False)
    with pytest.raises(StoreError, match="taken over"):
        run(config)
    assert folder.read_status().state == "RUNNING"
    assert [event.kind for event in read_journal(folder.journal_path).events] == ["started"]


def test_the_test_split_does_not_choose_the_weights(configure):
    with pytest.raises(ConfigError, match="test split"):
        run(configure("selection=best", "validation.every=2 steps", "validation.split=test"))


def test_a_restart_before_the_first_checkpoint_is_journalled(configure, monkeypatch):
    config = configure("runtime.log_every_steps=1")
    break_off_at_step(3, config, monkeypatch)
    outcome = run(config)
    assert outcome.record.provenance["restarts"] == 1
    assert [point.step for point in read_journal(outcome.folder.journal_path).points] == [1, 2, 3, 4, 5, 6]


def test_a_kill_between_record_and_status_is_mended_without_work(configure, monkeypatch):
    first = run(configure())
    first.folder.write_status("RUNNING", message="evaluating")
    monkeypatch.setattr("repro.run.lifecycle.Session", lambda *_: pytest.fail("worked again"))
    assert not run(configure()).fresh
    assert first.folder.read_status().state == "FINISHED"
