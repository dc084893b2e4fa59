"""Every head, block and aggregation against public code or a plain transcription, as `tests.nn.parity` prints it."""

import importlib
import inspect
import pkgutil
from dataclasses import replace
from functools import partial

import pytest
import torch
from torch import nn

import repro.nn
from repro.nn.shared_norm import SharedBatchNorm2d
from repro.nn.weights.network import PUBLISHED
from tests.composed import composed
from tests.nn.heads.checks import CHANNELS, head_from_yaml
from tests.nn.parity.cases import CASES
from tests.nn.parity.compare import compare
from tests.nn.parity.sizes import CLASSES, RATES

TORCHVISION = next(case for case in CASES if case.name == "aspp_torchvision")


@pytest.mark.parametrize("training", [True, False], ids=["training", "evaluation"])
@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_parity(case, training):
    found = compare(case, training=training)
    assert found.forward < 1e-12
    assert found.statistics < 1e-13
    # Gradients in front of a normalisation are what is left when large numbers cancel each other.
    assert found.gradients < 1e-8


def test_every_module_is_compared():
    modules = [importlib.import_module(found.name) for found in pkgutil.walk_packages(repro.nn.__path__, "repro.nn.")]
    ours = {
        value
        for module in modules
        for _, value in inspect.getmembers(module, inspect.isclass)
        if issubclass(value, nn.Module) and value.__module__ == module.__name__
    }
    with torch.device("meta"):
        compared = {kind for case in CASES for module in case.make().modules() for kind in type(module).__mro__}
    assert ours - compared == {SharedBatchNorm2d}  # which several processes alone have: tests/nn/test_shared_norm.py


@pytest.mark.parametrize(
    "dropout",
    [
        {"extra_conv_dropout": 0.0, "dropout": 0.5},
        {"dropout": 0.1},
        {"extra_conv_dropout": 0.4},
        {"dropout_kind": "channel"},
    ],
)
def test_dropout_in_another_place_of_another_size_or_kind_shows_in_training_alone(dropout):
    """The first of them is what this head was; that of torchvision stands between its projection and its 3x3."""
    make = partial(head_from_yaml, "aspp_torchvision", CHANNELS, CLASSES, rates=RATES, **dropout)
    other = replace(TORCHVISION, make=make)
    assert compare(other, training=False).largest < 1e-12
    assert compare(other, training=True).forward > 1e-3


@pytest.mark.parametrize("name", PUBLISHED)
def test_published_networks_come_with_torchvisions_auxiliary_loss(name):
    """In effect where training goes on: dropout of single values, and half of the main loss."""
    leaves = composed(f"init=torchvision:{name}").leaves
    assert (leaves["auxiliary.dropout_kind"], leaves["auxiliary.dropout"]) == ("elementwise", 0.1)
    assert leaves["auxiliary.weight"] == 0.5


def test_a_statistic_of_another_momentum_shows():
    def make():
        head = TORCHVISION.make()
        head.classifier.extra.norm.momentum = 0.05
        return head

    found = compare(replace(TORCHVISION, make=make), training=True)
    assert found.forward < 1e-12
    assert found.statistics > 1e-3


def test_what_differs_by_design_is_all_that_differs():
    """LightNet's running variance, over positions instead of images; and nothing of it without that exception."""
    (case,) = (case for case in CASES if case.apart)
    assert compare(case, training=True).largest < 1e-8
    assert compare(replace(case, apart=()), training=True).statistics > 1e-5
