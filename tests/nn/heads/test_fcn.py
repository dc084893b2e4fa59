import pytest
import torch
from torch import nn

from repro.nn import FCN, AuxiliaryHead
from tests.nn.heads.checks import (
    CHANNELS,
    assert_follows_input_size,
    assert_gradient_reaches_every_parameter,
    conv_bn,
    features,
    on_meta,
    parameters,
)


def test_parameters_by_hand() -> None:
    assert parameters(on_meta(FCN)) == conv_bn(2048, 512, 3) + 512 * 21 + 21
    assert parameters(on_meta(FCN, width=None)) == 2048 * 21 + 21
    assert parameters(on_meta(AuxiliaryHead)) == conv_bn(1024, 256, 3) + 256 * 21 + 21


@pytest.mark.parametrize("head", [FCN, AuxiliaryHead])
def test_sizes_and_gradients(head: type[FCN]) -> None:
    assert_follows_input_size(head(CHANNELS, 5, width=6), 5)
    assert_gradient_reaches_every_parameter(head(CHANNELS, 5, width=6))


def test_without_width_the_logits_read_the_backbone() -> None:
    head = FCN(CHANNELS, 5, width=None, dropout=0)
    maps = features()
    torch.testing.assert_close(head(maps), head.classifier.logits(maps["res5"]))


def test_the_auxiliary_head_reads_the_stage_before_the_last() -> None:
    head = AuxiliaryHead(CHANNELS, 5).eval()
    maps = features()
    expected = head(maps)
    maps["res5"] = torch.full_like(maps["res5"], torch.nan)
    assert torch.equal(head(maps), expected)
    assert isinstance(head.classifier.dropout, nn.Dropout2d)


def test_the_output_stride_changes_nothing() -> None:
    head = FCN(CHANNELS, 5).eval()
    maps = features()
    expected = head(maps)
    head.set_output_stride(8)
    assert torch.equal(head(maps), expected)
