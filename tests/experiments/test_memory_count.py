"""What is counted without numbers against the same count on real tensors."""

import pytest

from repro.errors import ConfigError
from repro.experiments.memory_count import counted
from tests.composed import composed
from tests.experiments.storages import thin

SMALL = ("backbone=resnet18", "dataset.size=64", "schedule.augmentation.crop_size=48", "schedule.batch_size=4",
         "evaluation.batch_size=2")  # fmt: skip


@pytest.mark.parametrize(
    "overrides",
    [
        ("head=aspp", "runtime.recompute=blocks", "auxiliary=fcn", "auxiliary.weight=0.4"),
        ("head=vortex", "precision=bf16", "evaluation.output_stride=8"),
        ("head=gald", "head.width=16", "schedule.batch_norm.frozen=true", "runtime.micro_batch=2"),
        ("head=dsnet", "evaluation.scales=[1,1.5]", "evaluation.flip=true", "schedule.replicas=3"),
        ("head=fcn", "schedule.loss=ohem", "schedule.ohem.kept_pixels=100", "schedule.batch_norm.samples=2",
         "validation.every=1 epochs"),
    ],
    ids=["aspp", "vortex", "gald", "dsnet", "fcn"],
)  # fmt: skip
def test_fake_tensors_count_as_real_ones(overrides, monkeypatch):
    thin(monkeypatch)
    configuration = composed(*SMALL, *overrides)
    assert counted(configuration) == pytest.approx(counted(configuration, fake=False), rel=0.02)


def bytes_with(*overrides):
    """On maps so large that they take more than the weights."""
    large = ("schedule.augmentation.crop_size=257", "schedule.batch_size=8", "head=fcn")
    return counted(composed("backbone=resnet18", *large, "schedule.batch_norm.frozen=true", *overrides))[0]


def test_recomputation_and_smaller_passes_take_less():
    whole = bytes_with()
    assert bytes_with("runtime.recompute=blocks") < 0.8 * whole
    assert bytes_with("runtime.micro_batch=1") < bytes_with("runtime.micro_batch=4") < 0.8 * whole
    assert bytes_with("runtime.micro_batch=8") == pytest.approx(whole, rel=1e-6)


def test_a_run_without_training_counts_its_evaluation_alone(monkeypatch):
    thin(monkeypatch)
    memory = counted(composed(*SMALL, "head=fcn", "schedule=none", "init.from=run:0123456789abcdef"))
    assert memory[0] == 0 < memory[1]


def test_a_network_that_asks_for_numbers_says_so(monkeypatch):
    monkeypatch.setattr("repro.experiments.memory_count.classify", lambda *given: bool(given[1].sum()))
    with pytest.raises(ConfigError, match="cannot be counted without numbers"):
        counted(composed(*SMALL, "head=fcn"))
