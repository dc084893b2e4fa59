from collections.abc import Callable
from functools import partial

import pytest
import torch
from torch import nn

from repro.nn import Head
from tests.nn.heads.checks import (
    CHANNELS,
    RESNET50,
    assert_follows_input_size,
    assert_gradient_reaches_every_parameter,
    auxiliary_from_yaml,
    conv_bn,
    features,
    head_from_yaml,
    on_meta,
    parameters,
)


def test_parameters_by_hand() -> None:
    assert parameters(on_meta("fcn")) == conv_bn(2048, 512, 3) + 512 * 21 + 21
    assert parameters(on_meta("fcn", width=None)) == 2048 * 21 + 21
    assert parameters(auxiliary_from_yaml(RESNET50, 21)) == conv_bn(1024, 256, 3) + 256 * 21 + 21


@pytest.mark.parametrize("made", [partial(head_from_yaml, "fcn"), auxiliary_from_yaml])
def test_sizes_and_gradients(made: Callable[..., Head]) -> None:
    assert_follows_input_size(made(CHANNELS, 5, width=6), 5)
    assert_gradient_reaches_every_parameter(made(CHANNELS, 5, width=6))


def test_without_width_the_logits_read_the_backbone() -> None:
    head = head_from_yaml("fcn", CHANNELS, 5, width=None, dropout=0)
    maps = features()
    torch.testing.assert_close(head(maps), head.classifier.logits(maps["res5"]))


def test_the_auxiliary_head_reads_the_stage_before_the_last() -> None:
    head = auxiliary_from_yaml(CHANNELS, 5).eval()
    maps = features()
    expected = head(maps)
    maps["res5"] = torch.full_like(maps["res5"], torch.nan)
    assert torch.equal(head(maps), expected)
    assert isinstance(head.classifier.dropout, nn.Dropout2d)


def test_the_output_stride_changes_nothing() -> None:
    head = head_from_yaml("fcn", CHANNELS, 5).eval()
    maps = features()
    expected = head(maps)
    head.set_output_stride(8)
    assert torch.equal(head(maps), expected)
