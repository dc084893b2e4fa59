"""How convolutions start: the deviation of every one in every head and backbone against its formula."""

from math import prod, sqrt

import pytest
import torch
from torch import nn

from repro.config.groups import config_folder
from repro.config.settings.network import RULES
from repro.nn import draw_convolutions, draw_for_good
from repro.nn.layers import AtrousConv2d
from tests.nn.heads.checks import auxiliary_from_yaml, head_from_yaml

# Behind res5, narrow, but for a test in minutes; the formulas know no width.
CHANNELS = {"res2": 32, "res3": 48, "res4": 64, "res5": 96}
PARTS = {
    "gald": [
        {"ga": ga, "ld": ld}
        for ga, ld in (("aspp", "v2"), ("psp", "v1"), ("nonlocal", "v1"), ("cgnl", "v1"), ("none", "v2"))
    ],
    "dsnet": [{}, {"sampling.sampler": "nonlocal"}, {"sampling.origin": "centre"}],
}
HEADS = [
    (name, parts)
    for name in sorted(file.stem for file in (config_folder() / "head").glob("*.yaml"))
    for parts in PARTS.get(name, [{}])
]
FORMULAS = {
    "torch": lambda outputs, inputs, area: sqrt(1 / (3 * inputs * area)),
    "kaiming_normal": lambda outputs, inputs, area: sqrt(2 / (outputs * area)),
    "kaiming_normal_fan_in": lambda outputs, inputs, area: sqrt(2 / (inputs * area)),
    "xavier_uniform": lambda outputs, inputs, area: sqrt(2 / ((inputs + outputs) * area)),
    "normal": lambda outputs, inputs, area: 0.03,
}
PYTORCHS_LOGITS = ("aspp_torchvision", "gald", "psp")
# Ends of the names of what starts in a way of its own, and the deviation.
OWN = {
    ".logits": 0.01,
    ".block.query": 0.01, ".block.key": 0.01, ".block.value": 0.01, ".block.expand": 0.01,
    ".relations.query": 0.01, ".relations.key": 0.01, ".relations.value": 0.01, ".relations.expand": 0.01,
    ".block.theta": 0.01, ".block.phi": 0.01, ".block.g": 0.01,
    "refinement.sampling": 0.0,
    "ld.query": None, "ld.key": None, "ld.value": None,
}  # fmt: skip


def kernels(part):
    """Every kernel of more than one dimension, by the name of its layer."""
    return {
        name.removesuffix(".weight"): weight
        for name, weight in part.named_parameters()
        if weight.ndim > 2 and name.endswith(".weight")
    }


def assert_deviation(kernel, expected, name):
    """As far as so many numbers can tell: five times what the deviation of a normal sample varies by."""
    assert kernel.std().item() == pytest.approx(expected, rel=5 / sqrt(2 * kernel.numel())), name
    assert abs(kernel.mean().item()) <= 5 * expected / sqrt(kernel.numel()), name


def formula(rule, kernel):
    outputs, inputs, *sides = kernel.shape
    return FORMULAS[rule](outputs, inputs, prod(sides))


@pytest.mark.parametrize("rule", RULES)
@pytest.mark.parametrize(("name", "parts"), HEADS, ids=lambda value: str(value))
def test_every_convolution_of_every_head_has_the_deviation_of_its_formula(name, parts, rule):
    torch.manual_seed(0)
    head = head_from_yaml(name, CHANNELS, 21, **parts)
    drawn_at_first = {layer: kernel.clone() for layer, kernel in kernels(head).items()}
    draw_convolutions(head, rule, 0.03 if rule == "normal" else None)
    for layer, kernel in kernels(head).items():
        end = next((end for end in OWN if f".{layer}".endswith(end)), None)
        if end is None and not layer.endswith("points.convolution"):
            assert_deviation(kernel, formula(rule, kernel), layer)
            assert torch.equal(kernel, drawn_at_first[layer]) == (rule == "torch")
            continue
        assert torch.equal(kernel, drawn_at_first[layer])
        own_logits = name in PYTORCHS_LOGITS and end == ".logits"
        own = formula("torch", kernel) if own_logits else OWN.get(end)
        if own is not None and own > 0:
            assert_deviation(kernel, own, layer)
        elif end == "refinement.sampling":
            assert not kernel.any()
        elif end is not None:
            assert_deviation(kernel, formula("torch", kernel), layer)


@pytest.mark.parametrize(("name", "parts"), HEADS, ids=lambda value: str(value))
def test_biases_start_at_zero_and_norms_as_the_identity(name, parts):
    head = head_from_yaml(name, CHANNELS, 21, **parts)
    draw_convolutions(head, "xavier_uniform")
    as_in_pytorch = ("classifier.logits",) if name in PYTORCHS_LOGITS else ()
    biases = {name: bias for name, bias in head.named_parameters() if name.endswith(".bias")}
    for bias_name, bias in biases.items():
        assert bias.any() == (bias_name.removesuffix(".bias") in as_in_pytorch), bias_name
    norms = [module for module in head.modules() if isinstance(module, (nn.BatchNorm2d, nn.GroupNorm))]
    assert all((norm.weight == 1).all() for norm in norms)
    assert all(
        not norm.running_mean.any() and (norm.running_var == 1).all() for norm in norms if hasattr(norm, "running_var")
    )
    assert bool(norms) == (name != "cascade")


@pytest.mark.parametrize(
    ("rule", "deviation"), [("torch", 0.0043), ("kaiming_normal", 0.0295), ("xavier_uniform", 0.0098)]
)
def test_a_3x3_of_aspp_differs_sevenfold_between_public_codes(rule, deviation):
    torch.manual_seed(0)
    branch = AtrousConv2d(2048, 256, 3)
    draw_convolutions(branch, rule)
    assert branch.weight.std().item() == pytest.approx(deviation, abs=5e-5)


def test_the_auxiliary_head_starts_as_pytorch_draws_it_and_its_logits_by_their_deviation():
    torch.manual_seed(0)
    head = auxiliary_from_yaml(CHANNELS, 21)
    assert_deviation(head.classifier.logits.weight, formula("torch", head.classifier.logits.weight), "logits")
    assert head.classifier.logits.bias.any()
    head = auxiliary_from_yaml(CHANNELS, 21, logits_std=0.02)
    assert_deviation(head.classifier.logits.weight, 0.02, "logits")
    assert not head.classifier.logits.bias.any()


class Sampled(nn.Module):
    """A layer of somebody's own that is a convolution, and says so."""

    is_convolution = True

    def __init__(self):
        super().__init__()
        self.weight = nn.Parameter(torch.zeros(64, 32, 3, 3))


def test_a_users_own_part_is_drawn_but_for_what_it_drew_for_good():
    part = nn.Sequential(nn.Conv2d(8, 8, 3), nn.Conv1d(8, 8, 3), Sampled(), nn.Linear(8, 8), nn.BatchNorm2d(8))
    for parameter in part.parameters():
        nn.init.constant_(parameter, 7)
    draw_for_good(part[0], None)
    draw_convolutions(part, "torch")
    assert all((parameter == 7).all() for parameter in part.parameters())
    draw_convolutions(part, "xavier_uniform")
    kept = [bool((layer.weight == 7).all()) for layer in part]
    assert kept == [True, False, False, True, True]
    assert (part[0].bias == 7).all()
    assert not part[1].bias.any()
    assert_deviation(part[2].weight, formula("xavier_uniform", part[2].weight), "of one's own")


def test_an_unknown_rule_is_named():
    with pytest.raises(ValueError, match=r"must be one of torch, kaiming_normal, .*, not 'orthogonal'"):
        draw_convolutions(nn.Conv2d(1, 1, 1), "orthogonal")
