"""One step of the optimiser against the same step written out."""

import pytest
import torch
from torch import nn
from torch.nn import functional

from repro.config.settings import BatchNorm, FrozenIn, Precision
from repro.data import normalise
from repro.engine.losses import segmentation_losses, weighted_mean
from repro.engine.schedule import poly
from repro.engine.step import backward, gradient_scaler, set_training_mode, to_device, training_step
from repro.errors import ConfigError
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
    expected = functional.cross_entropy(plain.state.model(normalise(image))["main"], label.long(), ignore_index=255)
    expected.backward()
    torch.testing.assert_close(loss, expected.detach())
    assert not loss.requires_grad
    before = parameters(plain)
    torch.testing.assert_close(parameters(ours), before - rate * (gradients(plain) + schedule.weight_decay * before))


def uneven(step):
    """A batch with more and more void from image to image; the last is all void."""
    image, label = batch(step)
    for index, row in enumerate((1, 3, 6, 8)):
        label[index, :row] = 255
    return image, label


class TwoHeads(nn.Module):
    """The small network with auxiliary logits of other parameters, which see the same features."""

    def __init__(self, model):
        super().__init__()
        self.model, self.auxiliary = model, nn.Conv2d(6, 4, 1)
        with torch.no_grad():
            self.auxiliary.weight.copy_(torch.linspace(-1, 1, 24).view(4, 6, 1, 1))

    def forward(self, image):
        features = self.model.features(image)
        return {"main": self.model.classifier(features), "auxiliary": self.auxiliary(features)}


LOSSES = [[], ["schedule.loss=ohem", "schedule.ohem.kept_pixels=5", "schedule.ohem.threshold=0.2"]]


def plain_loss(logits, label, images, hard):
    """The mean over the counted pixels of every so many images, averaged; images without any add nothing."""
    means = []
    for some, truths in zip(logits.split(images), label.split(images), strict=True):
        counted = []
        for scores, truth in zip(some, truths, strict=True):
            losses = functional.cross_entropy(scores.flatten(1).T, truth.long().flatten(), ignore_index=255,
                                              reduction="none")[truth.flatten() != 255]  # fmt: skip
            ranked = losses.sort(descending=True).values
            kept = torch.arange(len(ranked)) < 5
            counted.append(ranked[kept | (torch.exp(-ranked) <= 0.2)] if hard else losses)
        joint = torch.cat(counted)
        means.append(joint.mean() if len(joint) else joint.sum())
    return sum(means) / len(means)


@pytest.mark.parametrize("average", ["batch", "group", "image"])
@pytest.mark.parametrize("passes", [1, 2, 4])
@pytest.mark.parametrize("mining", LOSSES, ids=["every pixel", "hard pixels"])
@pytest.mark.parametrize("weight", [0.0, 0.4])
@pytest.mark.parametrize("micro_batch", [None, 1])
def test_the_loss_is_averaged_as_written_out_whatever_the_passes(average, passes, mining, weight, micro_batch):
    samples = BATCH // passes
    images = {"batch": BATCH, "group": samples, "image": 1}[average]
    given = ["schedule.batch_norm.frozen=true", f"schedule.loss_average={average}", *mining]
    given += [f"runtime.micro_batch={micro_batch}"] if micro_batch else []
    ours = learner(*given, f"schedule.batch_norm.samples={samples}", auxiliary_weight=weight)
    image, label = uneven(0)
    if weight:
        ours.network = TwoHeads(ours.state.model)
    loss = backward(ours, image, label)
    found = gradients(ours)
    ours.state.optimiser.zero_grad(set_to_none=True)
    logits = ours.network(normalise(image))
    expected = plain_loss(logits["main"], label, images, bool(mining))
    if weight:
        expected = expected + weight * plain_loss(logits["auxiliary"], label, images, False)
    expected.backward()
    torch.testing.assert_close(loss, expected.detach())
    torch.testing.assert_close(found, gradients(ours))


@pytest.mark.parametrize("average", ["batch", "group", "image"])
@pytest.mark.parametrize("mining", LOSSES, ids=["every pixel", "hard pixels"])
def test_a_batch_without_a_labelled_pixel_has_no_loss_and_no_gradient(average, mining):
    one = learner(f"schedule.loss_average={average}", "schedule.batch_norm.samples=2", *mining)
    image, label = batch(0)
    assert backward(one, image, torch.full_like(label, 255)).item() == 0
    assert torch.count_nonzero(gradients(one)) == 0


@pytest.mark.parametrize("kept", [4, 3])
def test_hard_pixels_are_refused_in_the_first_step_where_smaller_logits_leave_none_out(kept):
    one = learner("schedule.loss=ohem", f"schedule.ohem.kept_pixels={kept}", "schedule.upsample_logits=false")
    one.network = lambda image: {"main": one.state.model(image)["main"][..., ::4, ::4]}
    if kept == 3:
        training_step(one, *batch(0))
        return
    before = parameters(one)
    with pytest.raises(ConfigError, match=r"the loss sees 4 pixels .* such as 1, .*schedule\.upsample_logits=true"):
        training_step(one, *batch(0))
    assert torch.equal(parameters(one), before)


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
    torch.testing.assert_close(loss, weighted_mean(segmentation_losses(logits, label), 0.4))


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


def test_batch_norm_may_be_frozen_in_the_backbone_as_published_alone():
    with torch.device("meta"):
        backbone = ResNet(18, blocks=6)
        model = Segmenter(backbone, head_from_yaml("aspp", backbone.channels, 5))
    set_training_mode(model, BatchNorm(frozen=True, frozen_in=FrozenIn.backbone))
    trained = {name for name, module in model.named_modules() if isinstance(module, nn.BatchNorm2d) and module.training}
    assert {name.split(".")[1] for name in trained if name.startswith("backbone.")} == {"block5", "block6"}
    assert any(name.startswith("head.") for name in trained)


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
