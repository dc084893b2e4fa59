import pytest
import torch
from torch.utils.flop_counter import FlopCounterMode

from repro.build import build_model, parameter_count
from repro.config.compose import compose
from repro.errors import ConfigError
from repro.sweep.plan.operations import Counter, evaluated_pixels, images_of, steps_of
from tests.tiny import TINY

SMALL = ["dataset.size=64", "schedule.length=5 steps", "schedule.batch_size=4", "dataset.cue_distance=0"]


@pytest.mark.parametrize("head", ["fcn", "aspp", "vortex", "module_a"])
@pytest.mark.parametrize("auxiliary", ["none", "fcn"])
def test_the_count_is_that_of_a_real_training_step(head, auxiliary):
    config = compose([*SMALL, f"head={head}", f"auxiliary={auxiliary}"])
    work = Counter().work(config)
    model, _ = build_model(config, 8, pretrained=False)
    with FlopCounterMode(display=False) as counter:
        torch.autograd.backward([logits.sum() for logits in model(torch.zeros(4, 3, 64, 64)).values()])
    assert work.training == pytest.approx(5 * counter.get_total_flops(), rel=0.02)
    assert work.parameters == parameter_count(model)
    assert work.weights_bytes == pytest.approx(sum(item.numel() for item in model.state_dict().values()) * 4)
    assert work.checkpoint_bytes == work.weights_bytes + 4 * work.parameters


def test_an_evaluation_is_counted_at_its_own_stride_and_views():
    counter = Counter()
    own = counter.work(compose([*SMALL, "head=aspp", "evaluation.output_stride=16"])).evaluation
    assert counter.work(compose([*SMALL, "head=aspp"])).evaluation == own
    finer = counter.work(compose([*SMALL, "head=aspp", "evaluation.output_stride=8"])).evaluation
    assert 1.5 * own < finer < 4 * own
    mirrored = counter.work(compose([*SMALL, "head=aspp", "evaluation.flip=true", "evaluation.scales=[1,2]"]))
    assert mirrored.evaluation == pytest.approx(10 * own)


def test_lengths_and_images_come_from_the_configuration():
    assert steps_of(compose([*TINY, "schedule.length=2 epochs"])) == 8
    assert steps_of(compose(["dataset=voc", "schedule.length=2 epochs", "schedule.batch_size=16"])) == 2 * (10582 // 16)
    assert steps_of(compose(["dataset=voc"])) == 30000
    assert images_of(compose(["dataset=voc"])["dataset"], "val") == 1449
    assert evaluated_pixels(compose(["dataset=voc"])) == 1449 * 513**2
    with pytest.raises(ConfigError, match="does not say how many images dev has"):
        images_of(compose(["dataset=voc"])["dataset"], "dev")


def test_an_epoch_with_duplicates_is_as_long_as_the_masks_say():
    config = compose(["dataset=voc", "schedule.length=2 epochs"])
    config["dataset"]["duplicate"] = ["chair"]
    with pytest.raises(ConfigError, match="how many images of an epoch are duplicates; give the length in steps"):
        steps_of(config)
    config["schedule"]["length"] = "7 steps"
    assert steps_of(config) == 7


def test_what_cannot_be_counted_says_so_each_time():
    counter = Counter()
    config = compose(["head._target_=repro.nn.Nothing"])
    for _ in range(2):
        with pytest.raises(ConfigError, match="cannot be imported"):
            counter.work(config)


def test_equal_networks_are_built_and_counted_once(monkeypatch):
    counter = Counter()
    first = counter.work(compose([*SMALL, "head=aspp"]))
    monkeypatch.setattr("repro.sweep.operations.build_model", lambda *_, **__: pytest.fail("built again"))
    monkeypatch.setattr("repro.sweep.operations._count", lambda *_: pytest.fail("counted again"))
    longer = counter.work(compose([*SMALL, "head=aspp", "schedule.length=10 steps", "seed=3"]))
    assert longer.training == 2 * first.training


def test_one_network_is_counted_at_two_sizes():
    counter = Counter()
    sizes = [
        [item if not item.startswith("dataset.size") else f"dataset.size={size}" for item in TINY] for size in (64, 128)
    ]
    pooled = [
        ["head=vortex" if item == "head=fcn" else item for item in given if item != "head.width=16"] for given in sizes
    ]
    small, large = (counter.work(compose(given)).training for given in pooled)
    assert 3 < large / small < 5
