"""The work of one process: what it refuses before it trains, and what does not change the result."""

import pytest
import torch

from repro.build import build_model
from repro.errors import ConfigError, DataError, ReproError
from repro.run.lifecycle import run
from repro.run.session import check_output_stride
from repro.store.journal import read_journal
from tests.tiny_runs import final_weights

RESNET = "backbone._target_=repro.nn.ResNet"


@pytest.fixture
def no_training(monkeypatch):
    monkeypatch.setattr("repro.run.session.train_network", lambda *_: pytest.fail("trained first"))


def test_a_bad_evaluation_is_found_before_the_training(configure, no_training):
    with pytest.raises(ConfigError, match=r"evaluation\.output_stride"):
        run(configure("evaluation.output_stride=12"))


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
def test_a_mistake_is_a_sentence(configure, overrides, error, sentence):
    with pytest.raises(error) as caught:
        run(configure(RESNET, *overrides))
    assert sentence in str(caught.value)
    assert "\n" not in str(caught.value)


def test_an_output_stride_is_tried_and_not_kept(configure):
    model, _ = build_model(configure(), num_classes=3)
    check_output_stride(model, 8)
    check_output_stride(model, None)
    with pytest.raises(ConfigError, match=r"evaluation\.output_stride: the output stride is 8, 16 or 32, not 12"):
        check_output_stride(model, 12)
    assert model.output_stride == 16


def test_the_evaluation_stride_does_not_stay(configure, tmp_path):
    denser = run(configure("evaluation.output_stride=8"))
    as_trained = run(configure("evaluation.output_stride=16"))
    apart = run(configure(outputs=tmp_path / "apart"))
    assert denser.fresh
    assert as_trained.fresh
    assert denser.folder.path == as_trained.folder.path
    assert denser.record.confusion_sha256 != as_trained.record.confusion_sha256
    assert as_trained.record.confusion_sha256 == apart.record.confusion_sha256


@pytest.mark.parametrize(
    "overrides", [["precision=bf16"], ["precision=fp16"], ["determinism=strict"], ["auxiliary=fcn"]], ids=" ".join
)
def test_number_formats_determinism_and_auxiliary_loss_run(configure, overrides):
    try:
        outcome = run(configure(*overrides))
    finally:
        torch.use_deterministic_algorithms(False)
    losses = [point.metrics["loss"] for point in read_journal(outcome.folder.journal_path).points]
    assert losses[-1] < losses[0]
    assert all(tensor.dtype != torch.bfloat16 for tensor in final_weights(outcome.folder).values())


def test_the_real_backbone_runs(configure):
    outcome = run(configure(RESNET, "schedule.length=2 steps"))
    assert outcome.record.steps == 2
    assert outcome.record.parameters > 11_000_000


@pytest.mark.parametrize("channels_last", [True, False])
def test_another_memory_format_on_resume_changes_no_more_than_rounding(configure, tmp_path, break_off, channels_last):
    straight = final_weights(run(configure()).folder)

    def stopped(channels_last):
        settings = ["runtime.checkpoint_seconds=0", f"runtime.channels_last={channels_last}"]
        return configure(*settings, outputs=tmp_path / "stopped")

    break_off(stopped(not channels_last), at_step=3)
    resumed = run(stopped(channels_last))
    assert resumed.record.provenance["restarts"] == 1
    for name, tensor in straight.items():
        torch.testing.assert_close(final_weights(resumed.folder)[name], tensor, rtol=1e-3, atol=1e-4)


@pytest.mark.real
def test_a_compiled_network_trains_to_the_same_weights_within_rounding(configure, tmp_path):
    # Without dropout, of which a compiled network draws other masks; and few layers, each of which is compiled.
    short = ["backbone._target_=tests.tiny_network.Bare", "head.dropout=0", "schedule.length=2 steps"]
    plain = final_weights(run(configure(*short)).folder)
    compiled = run(configure(*short, "runtime.compile=true", outputs=tmp_path / "compiled"))
    for name, tensor in plain.items():
        torch.testing.assert_close(final_weights(compiled.folder)[name], tensor, rtol=0.05, atol=0.01)
