"""One step of the optimiser against the same step written out."""

import pytest
import torch
from torch import nn

from repro.config.settings import BatchNorm, Precision
from repro.data import normalise
from repro.engine.losses import cross_entropy, segmentation_loss
from repro.engine.schedule import poly
from repro.engine.step import backward, gradient_scaler, set_training_mode, to_device, training_step
from repro.nn import ResNet, Segmenter
from tests.engine.learners import BATCH, CPU, STEPS, batch, learner
from tests.nn.heads.checks import head_from_yaml


def parameters(one):
    return torch.cat([parameter.detach().flatten() for parameter in one.state.model.parameters()])


def gradients(one):
    return torch.cat([parameter.grad.flatten() for parameter in one.state.model.parameters()])


@pytest.mark.parametrize("step", [0, 4])
def test_a_step_is_that_of_sgd_on_the_mean_loss_at_the_rate_of_the_step(step):
    ours, plain = learner("schedule.momentum=0"), learner("schedule.momentum=0")
    ours.state.step = step
    image, label = batch(0)
    loss, rate = training_step(ours, image, label)
    schedule = ours.settings.schedule
    assert rate == poly(step, STEPS, schedule.learning_rate, schedule.power)
    expected = cross_entropy(plain.state.model(normalise(image))["main"], label.long())
    expected.backward()
    torch.testing.assert_close(loss, expected.detach())
    assert not loss.requires_grad
    before = parameters(plain)
    torch.testing.assert_close(parameters(ours), before - rate * (gradients(plain) + schedule.weight_decay * before))


def test_gradients_of_micro_batches_are_averaged():
    whole, split = (
        learner("schedule.batch_norm.frozen=true"),
        learner("schedule.batch_norm.frozen=true", "schedule.batch_norm.samples=1"),
    )
    image, label = batch(0)
    label[:, 0] = label[:, 1]  # as many labelled pixels in every image, so that the mean of means is the mean
    torch.testing.assert_close(backward(split, image, label), backward(whole, image, label))
    torch.testing.assert_close(gradients(split), gradients(whole))


def test_statistics_have_as_many_images_behind_them_as_asked_for():
    seen = []
    one = learner("schedule.batch_norm.samples=2")
    one.network = lambda image: seen.append(len(image)) or one.state.model(image)
    training_step(one, *batch(0))
    assert seen == [2] * (BATCH // 2)


def test_the_auxiliary_loss_counts_with_its_weight():
    one = learner(auxiliary_weight=0.4)
    image, label = batch(0)
    logits = {name: torch.randn(BATCH, 4, 8, 8) for name in ("main", "auxiliary")}
    one.network = lambda image: {name: value + 0 * one.state.model(image)["main"] for name, value in logits.items()}
    loss, _ = training_step(one, image, label)
    torch.testing.assert_close(loss, segmentation_loss(logits, label, 0.4))


def test_hard_pixels_are_mined_where_the_schedule_says_so():
    image, label = batch(0)
    every = backward(learner(), image, label)
    mining = learner("schedule.loss=ohem", "schedule.ohem.kept_pixels=3", "schedule.ohem.threshold=0.001")
    hardest = backward(mining, image, label)
    assert hardest > every


def test_with_replicas_the_first_gradients_are_taken_on_the_initial_weights():
    asynchronous, synchronous = learner("schedule.replicas=3"), learner()
    for step in range(3):
        for one in (asynchronous, synchronous):
            one.state.step = step
            training_step(one, *batch(step))
        same = torch.equal(parameters(asynchronous), parameters(synchronous))
        assert same == (step == 0)


def test_a_step_that_overflows_in_half_precision_is_left_out():
    one = learner("precision=fp16")
    before = parameters(one)
    one.network = lambda image: {"main": one.state.model(image)["main"] * float("inf")}
    training_step(one, *batch(0))
    assert torch.equal(parameters(one), before)
    assert one.state.scaler.get_scale() < 2.0**16


def test_only_half_precision_scales_its_loss():
    scaled = {precision: gradient_scaler(precision, CPU).is_enabled() for precision in Precision}
    assert scaled == {Precision.fp32: False, Precision.bf16: False, Precision.fp16: True}


def test_images_take_the_memory_format_that_convolutions_like():
    image = batch(0)[0]
    last = to_device(image, CPU, channels_last=True)
    assert last.is_contiguous(memory_format=torch.channels_last)
    assert torch.equal(last, image)
    assert to_device(image, CPU, channels_last=False) is image


@pytest.mark.parametrize("frozen", [False, True])
def test_the_training_mode_freezes_statistics_alone(frozen):
    model = nn.Sequential(nn.Conv2d(3, 4, 1), nn.BatchNorm2d(4), nn.Dropout(0.5))
    set_training_mode(model.eval(), BatchNorm(frozen=frozen))
    assert [module.training for module in model] == [True, not frozen, True]


def test_the_momentum_is_that_of_the_part_and_added_blocks_count_with_the_head():
    with torch.device("meta"):
        backbone = ResNet(18, blocks=6)
        heads = [head_from_yaml(name, backbone.channels, 5) for name in ("aspp", "fcn")]
        model = Segmenter(backbone, *heads)
    set_training_mode(model, BatchNorm(backbone_momentum=0.05, head_momentum=0.0003))
    found = {name: module.momentum for name, module in model.named_modules() if isinstance(module, nn.BatchNorm2d)}
    slow = ("head.", "auxiliary.", "backbone.block5.", "backbone.block6.")
    assert found == {name: 0.0003 if name.startswith(slow) else 0.05 for name in found}
    assert all(any(name.startswith(part) for name in found) for part in (*slow, "backbone.bn1", "backbone.layer4."))
