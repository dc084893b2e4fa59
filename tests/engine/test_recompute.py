"""Training with recomputation against the same training without, bit for bit."""

from contextlib import nullcontext

import pytest
import torch
from torch import nn

from repro.build import build_model
from repro.engine import recompute
from repro.engine.asynchronous import StaleWeights
from repro.engine.checkpoint import TrainingState
from repro.engine.optim import build_optimiser
from repro.engine.recompute import recomputed_parts, recomputing
from repro.engine.step import Learner, gradient_scaler, set_training_mode, training_step
from repro.errors import ConfigError
from repro.nn import ResNet
from tests.composed import composed
from tests.engine.learners import CPU
from tests.experiments.storages import thin

SIDE, STEPS = 33, 2
SETTINGS = [
    f"dataset.size={SIDE}", f"schedule.augmentation.crop_size={SIDE}", "schedule.batch_size=4", "auxiliary=fcn",
    "auxiliary.weight=0.4", "backbone=resnet18",
]  # fmt: skip


def trained(*overrides, wanted):
    """Weights, running statistics and last gradients after some steps."""
    settings = composed(*SETTINGS, *overrides).settings
    model, weight = build_model(composed(*SETTINGS, *overrides), 8, pretrained=False)
    model = model.to(memory_format=torch.channels_last)
    set_training_mode(model, settings.schedule.batch_norm)
    optimiser = build_optimiser(model.backbone, [model.head, model.auxiliary], settings.schedule)
    replicas = settings.schedule.replicas
    stale = StaleWeights(model, replicas) if replicas > 1 else None
    state = TrainingState(model, optimiser, gradient_scaler(settings.precision, CPU), stale=stale)
    learner = Learner(state, model, settings, weight, STEPS, CPU)
    generator = torch.Generator().manual_seed(0)
    torch.manual_seed(1)
    with recomputing(model, wanted=wanted):
        for _ in range(STEPS):
            image = torch.randint(0, 256, (4, 3, SIDE, SIDE), generator=generator, dtype=torch.uint8)
            label = torch.randint(0, 8, (4, SIDE, SIDE), generator=generator, dtype=torch.uint8)
            label[:, :4] = 255
            training_step(learner, image, label)
            state.step += 1
    gradients = {f"{name}.grad": parameter.grad for name, parameter in model.named_parameters()}
    return {**model.state_dict(), **gradients}


@pytest.mark.parametrize(
    "overrides",
    [
        ["head=aspp", "head.dropout=0.5", "schedule.batch_norm.samples=2", "backbone.stem=deep"],
        ["head=aspp", "schedule.loss=ohem", "schedule.ohem.kept_pixels=100", "schedule.batch_norm.samples=2"],
        ["head=gald", "head.width=16", "backbone.output_stride=8", "schedule.batch_norm.frozen_in=backbone",
         "schedule.batch_norm.frozen=true"],
        ["head=fcn", "precision=bf16"],
        ["schedule.replicas=2", "head=fcn"],
    ],
    ids=["passes and dropout", "hard pixels", "gald, frozen", "bf16", "stale weights"],
)  # fmt: skip
def test_gradients_statistics_and_weights_are_bit_for_bit_the_same(overrides, monkeypatch):
    thin(monkeypatch)
    plain, again = trained(*overrides, wanted=False), trained(*overrides, wanted=True)
    assert plain.keys() == again.keys()
    assert [name for name, tensor in plain.items() if not torch.equal(tensor, again[name])] == []


def test_a_statistic_would_be_counted_twice_without_the_copies(monkeypatch):
    thin(monkeypatch)
    monkeypatch.setattr(recompute, "contexts_of", lambda part: (nullcontext(), nullcontext()))
    plain, again = trained("head=fcn", wanted=False), trained("head=fcn", wanted=True)
    differing = {name.rpartition(".")[2] for name, tensor in plain.items() if not torch.equal(tensor, again[name])}
    assert differing == {"running_mean", "running_var", "num_batches_tracked"}


def test_the_parts_are_residual_units_sequences_of_layers_and_parts_of_heads(monkeypatch):
    thin(monkeypatch)
    model, _ = build_model(composed(*SETTINGS, "head=aspp", "backbone.stem=deep"), 8, pretrained=False)
    parts = recomputed_parts(model)
    units = [unit for stage in model.backbone.stages() for unit in stage]
    others = [model.head.context, model.head.classifier, model.auxiliary.hidden, model.auxiliary.classifier]
    assert parts == [model.backbone.conv1, *units, *others]


def test_nothing_is_left_behind_and_an_evaluation_computes_nothing_twice():
    model = nn.Sequential(ResNet(18).requires_grad_(False))
    with recomputing(model, wanted=True):
        parts = recomputed_parts(model)
        assert all("forward" in vars(part) for part in parts)
        model.eval()
        with torch.inference_mode():
            inside = model(torch.zeros(1, 3, 32, 32))["res5"]
    assert parts
    assert not any("forward" in vars(part) for part in model.modules())
    with torch.inference_mode():
        assert torch.equal(inside, model(torch.zeros(1, 3, 32, 32))["res5"])


class Remembers(nn.Module):
    """Adds what it has seen before."""

    def __init__(self):
        super().__init__()
        self.layer = nn.Linear(2, 2)
        self.register_buffer("seen", torch.zeros(2))

    def forward(self, numbers):
        self.seen += numbers.detach().mean(0)
        return self.layer(numbers) + self.seen


def test_a_part_that_would_not_compute_the_same_again_is_refused():
    model = nn.Sequential(nn.ModuleList([Remembers()]))
    with recomputing(model, wanted=True), pytest.raises(ConfigError, match=r"Remembers a second time.*buffer seen"):
        model[0][0](torch.ones(3, 2))
