import pytest
import torch
from torch import nn

from repro.engine.optim import build_optimiser, set_learning_rate
from tests.composed import composed


def schedule(*overrides):
    return composed(*(f"schedule.{override}" for override in overrides)).settings.schedule


def small():
    return nn.Sequential(nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4))


def test_every_parameter_is_in_exactly_one_group():
    backbone, head = small(), small()
    optimiser = build_optimiser(backbone, [head], schedule("weight_decay_on=conv_weights"))
    grouped = [id(parameter) for group in optimiser.param_groups for parameter in group["params"]]
    assert sorted(grouped) == sorted(id(parameter) for module in (backbone, head) for parameter in module.parameters())


def test_the_decay_rule_decides_what_decays():
    backbone, head = small(), small()
    everywhere = build_optimiser(backbone, [head], schedule("weight_decay=0.1", "weight_decay_on=all"))
    assert {group["weight_decay"] for group in everywhere.param_groups} == {0.1}
    convolutions = build_optimiser(backbone, [head], schedule("weight_decay=0.1", "weight_decay_on=conv_weights"))
    for group in convolutions.param_groups:
        assert all((parameter.ndim > 1) == (group["weight_decay"] == 0.1) for parameter in group["params"])


def test_the_head_learns_at_its_multiple_of_the_rate():
    backbone, head = small(), small()
    wanted = schedule("head_learning_rate_multiple=10", "learning_rate=0.01")
    optimiser = build_optimiser(backbone, [head], wanted)
    base = set_learning_rate(optimiser, 50, 100, wanted)
    assert base == pytest.approx(0.01 * 0.5**0.9)
    rates = {id(parameter): group["lr"] for group in optimiser.param_groups for parameter in group["params"]}
    assert {rates[id(parameter)] for parameter in backbone.parameters()} == {base}
    assert {rates[id(parameter)] for parameter in head.parameters()} == {base * 10}


def test_one_step_equals_sgd_written_out():
    module = small()
    wanted = schedule("momentum=0.9", "weight_decay=0.01", "learning_rate=0.1")
    optimiser = build_optimiser(module, [], wanted)
    weight = module[0].weight
    before, buffer = weight.detach().clone(), torch.zeros_like(weight)
    for step in range(3):
        rate = set_learning_rate(optimiser, step, 10, wanted)
        optimiser.zero_grad()
        module(torch.ones(2, 3, 5, 5)).square().sum().backward()
        gradient = weight.grad + 0.01 * before
        buffer = gradient.clone() if step == 0 else 0.9 * buffer + gradient
        before = before - rate * buffer
        optimiser.step()
        torch.testing.assert_close(weight.detach(), before)


def test_a_first_step_skipped_for_an_overflow_leaves_no_trace():
    torch.manual_seed(0)
    module = small()
    optimiser = build_optimiser(module, [], schedule("learning_rate=0.1"), fused=False)
    scaler = torch.amp.GradScaler("cpu", enabled=True)
    before = module[0].weight.detach().clone()
    for scale in (float("inf"), 1.0):
        optimiser.zero_grad()
        scaler.scale(module(torch.ones(2, 3, 5, 5)).square().sum() * scale).backward()
        gradient = module[0].weight.grad / scaler.get_scale()
        scaler.step(optimiser)
        scaler.update()
    torch.testing.assert_close(module[0].weight.detach(), before - 0.1 * (gradient + 1e-4 * before))
