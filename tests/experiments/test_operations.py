import pytest
import torch
from torch.utils.flop_counter import FlopCounterMode

from repro.build import build_model, parameter_count
from repro.errors import ConfigError
from repro.experiments import operations
from repro.experiments.operations import Counter, evaluated_pixels, images_of, steps_of
from tests.composed import composed
from tests.tiny import TINY

SMALL = ("dataset.size=64", "schedule.length=5 steps", "schedule.batch_size=4", "dataset.cue_distance=0")


@pytest.fixture(scope="module")
def counter():
    return Counter()


@pytest.mark.parametrize("head", ["fcn", "aspp", "vortex", "module_a"])
@pytest.mark.parametrize("auxiliary", ["none", "fcn"])
def test_the_count_is_that_of_a_real_training_step(counter, head, auxiliary):
    configuration = composed(*SMALL, f"head={head}", f"auxiliary={auxiliary}")
    work = counter.work(configuration)
    model, _ = build_model(configuration, 8, pretrained=False)
    with FlopCounterMode(display=False) as counted:
        torch.autograd.backward([logits.sum() for logits in model(torch.zeros(4, 3, 64, 64)).values()])
    assert work.training == pytest.approx(5 * counted.get_total_flops(), rel=0.02)
    assert work.parameters == parameter_count(model)
    assert work.weights_bytes == pytest.approx(sum(item.numel() for item in model.state_dict().values()) * 4)
    assert work.checkpoint_bytes == work.weights_bytes + 4 * work.parameters


def test_stages_that_no_head_reads_do_not_count(counter):
    whole = counter.work(composed(*SMALL, "head=fcn"))
    configuration = composed(*SMALL, "head=fcn", "head.source=res3")
    low, again = counter.work(configuration), Counter().work(configuration)
    model, _ = build_model(configuration, 8, pretrained=False)
    with FlopCounterMode(display=False) as counted, torch.no_grad():
        model.eval()(torch.zeros(1, 3, 64, 64))
    assert low == again
    assert low.training == 3 * 5 * 4 * counted.get_total_flops() < whole.training
    assert low.parameters == parameter_count(model) < whole.parameters / 5
    assert low.numbers == sum(item.numel() for item in model.state_dict().values())
    assert counter.work(composed(*SMALL, "head=fcn")) == whole


def test_an_evaluation_is_counted_at_its_own_stride_and_views(counter):
    own = counter.work(composed(*SMALL, "head=aspp", "evaluation.output_stride=16")).evaluation
    assert counter.work(composed(*SMALL, "head=aspp")).evaluation == own
    finer = counter.work(composed(*SMALL, "head=aspp", "evaluation.output_stride=8")).evaluation
    assert 1.5 * own < finer < 4 * own
    mirrored = counter.work(composed(*SMALL, "head=aspp", "evaluation.flip=true", "evaluation.scales=[1,2]"))
    assert mirrored.evaluation == pytest.approx(10 * own)


def test_lengths_and_images_come_from_the_configuration():
    assert steps_of(composed(*TINY).with_leaf("schedule.length", "2 epochs")) == 8
    voc = composed("dataset=voc", "schedule.length=2 epochs", "schedule.batch_size=16")
    assert steps_of(voc) == 2 * (10582 // 16)
    assert steps_of(composed("dataset=voc")) == 30000
    assert images_of(composed("dataset=voc"), "val") == 1449
    assert images_of(composed("dataset=shapes"), "train") == 3200
    assert evaluated_pixels(composed("dataset=voc")) == 1449 * 513**2
    with pytest.raises(ConfigError, match=r"repro\.data\.VOC does not say how many images dev has"):
        images_of(composed("dataset=voc"), "dev")


def test_an_epoch_with_oversampled_images_is_as_long_as_the_masks_say():
    epochs = composed("dataset=voc", "schedule.length=2 epochs", "dataset.duplicate=[chair]")
    with pytest.raises(ConfigError, match="how many images of an epoch are oversampled; give the length in steps"):
        steps_of(epochs)
    assert steps_of(epochs.with_leaf("schedule.length", "7 steps")) == 7


def test_what_cannot_be_counted_says_so_each_time():
    counter = Counter()
    configuration = composed("head._target_=repro.nn.Nothing")
    for _ in range(2):
        with pytest.raises(ConfigError, match="cannot be imported"):
            counter.work(configuration)


def test_equal_parts_are_built_and_counted_once(monkeypatch):
    counter = Counter()
    first = counter.work(composed(*SMALL, "head=aspp"))
    monkeypatch.setattr(operations, "build_backbone", lambda *_: pytest.fail("built again"))
    counter.work(composed(*SMALL, "head=fcn"))
    monkeypatch.setattr(operations, "build_head", lambda *_: pytest.fail("built again"))
    monkeypatch.setattr(operations, "_count", lambda *_: pytest.fail("counted again"))
    longer = counter.work(composed(*SMALL, "head=aspp").with_leaf("schedule.length", "10 steps").with_seed(3))
    assert longer.training == 2 * first.training


def test_a_head_shared_by_two_strides_counts_as_on_its_own(counter):
    finer = [*SMALL, "head=vortex", "backbone.output_stride=8"]
    shared = counter.work(composed(*SMALL, "head=vortex")), counter.work(composed(*finer))
    assert shared == (Counter().work(composed(*SMALL, "head=vortex")), Counter().work(composed(*finer)))


def test_one_network_is_counted_at_two_sizes(counter):
    small, large = (counter.work(composed(*TINY, "head=vortex", f"dataset.size={size}")).training for size in (64, 128))
    assert 3 < large / small < 5
