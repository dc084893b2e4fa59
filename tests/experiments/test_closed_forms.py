"""Closed forms of networks against counts by hand."""

import pytest

from repro.build import build_model
from repro.errors import ConfigError
from repro.experiments.closed_forms import COMPUTED, billions_of_operations
from repro.experiments.values import network_value
from repro.nn.context.ldv2 import LDv2
from repro.papers import Metric
from tests.composed import composed, measured

SMALL = ("backbone=resnet18", "dataset=shapes", "schedule=shapes_200", "auxiliary=none")
CLASSES = 8  # of the built-in images
GALD = (*SMALL, "backbone.output_stride=8", "head=gald", "head/ga=none", "head/ld=v2")


def value(name, *overrides):
    return network_value(composed(*overrides), Metric(name))


def of_backbone():
    """Multiply-adds of a ResNet-18 whose last two stages are dilated, without its head, by the lines of its table."""
    stem = 257**2 * 64 * 3 * 49
    first = 129**2 * 4 * 64 * 64 * 9
    stages = [65**2 * (a * b * 9 + 3 * b * b * 9 + a * b) for a, b in ((64, 128), (128, 256), (256, 512))]
    return stem + first + sum(stages)


def test_the_operations_of_a_plain_network():
    head = 65**2 * (512 * 256 * 9 + 256 * CLASSES)
    found = value("operations", *SMALL, "backbone.output_stride=8", "head=fcn", "head.width=256")
    assert found * 1e9 == pytest.approx(of_backbone() + head, rel=1e-6)


def test_local_attention_counts_what_its_equations_ask_for():
    three, five = (value("operations", *GALD, f"head.ld.kernel_size={size}") for size in (3, 5))
    assert (five - three) * 1e9 == pytest.approx(65**2 * (25 - 9) * (256 + 512), rel=1e-6)
    assert value("operations", *GALD, "head.ld.dilation=1") == value("operations", *GALD, "head.ld.dilation=6")


def test_attention_among_all_positions_counts_every_pair():
    whole, none = (
        value("operations", *SMALL, "backbone.output_stride=8", "head=gald", f"head/ga={ga}", "head/ld=none", *more)
        for ga, more in (("nonlocal", ["head.ga.downsample=false"]), ("convolution", []))
    )
    inner = 4 * 65**2 * 512 * 256  # query, key, value and the way back
    pairs = 2 * (65**2) ** 2 * 256
    assert (whole - none) * 1e9 == pytest.approx(inner + pairs, rel=1e-6)


def test_attended_positions():
    all_pairs = ("head=gald", "head/ga=nonlocal", "head/ld=none", "head.ga.downsample=false")
    assert value("attended_positions", *SMALL, "backbone.output_stride=8", *all_pairs) == 65**2
    assert value("attended_positions", *GALD, "head.ld.kernel_size=7") == 49
    with pytest.raises(ConfigError, match="the head FCN has no attention"):
        value("attended_positions", *SMALL, "head=fcn")


def test_the_map_of_a_crop():
    strides = {stride: value("map_positions", *SMALL, f"backbone.output_stride={stride}", "head=fcn",
                             "schedule.augmentation.crop_size=513") for stride in (8, 16)}  # fmt: skip
    assert strides == {8: 65**2, 16: 33**2}


def brute_force(side, rate):
    """Number of weights of a 3x3 on the map, for each position of it."""
    on_map = [sum(0 <= place + step < side for step in (-rate, 0, rate)) for place in range(side)]
    return [rows * columns for rows in on_map for columns in on_map]


@pytest.mark.parametrize("rate", [6, 40, 64])
def test_valid_weights_are_counted_position_by_position(rate):
    head = ("head=aspp", "head.rates_follow_output_stride=false", f"head.rates=[{rate}]")
    network = (*SMALL, "backbone.output_stride=8", "schedule.augmentation.crop_size=513", *head)
    counts = brute_force(65, rate)
    assert value("valid_weights", *network) == pytest.approx(sum(counts) / (9 * 65**2))
    assert value("full_kernels", *network) == pytest.approx(counts.count(9) / 65**2)
    assert value("centre_kernels", *network) == pytest.approx(counts.count(1) / 65**2)


def test_a_head_without_a_rate_and_a_training_without_a_crop_are_named():
    with pytest.raises(ConfigError, match="the head FCN has no 3x3 convolution with a rate"):
        value("valid_weights", *SMALL, "schedule.augmentation.crop_size=64", "head=fcn", "head.width=null")
    with pytest.raises(ConfigError, match="no crop"):
        COMPUTED["map_positions"](None, None)


def test_counting_leaves_no_hook_behind():
    import torch

    with torch.device("meta"):
        network = build_model(composed(*GALD), 8, pretrained=False)[0]
    billions_of_operations(network)
    assert not any(module._forward_hooks for module in network.modules() if isinstance(module, LDv2))


def test_what_the_texts_say_of_networks_alone_can_be_worked_out():
    static = [item for item in measured("paper", "*/prose").values() if item.kind == "static"]
    assert {item.metric.name for item in static} == set(COMPUTED)
