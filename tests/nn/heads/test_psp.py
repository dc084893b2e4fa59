import torch

from tests.nn.heads.checks import (
    CHANNELS,
    RESNET50,
    assert_follows_input_size,
    assert_gradient_reaches_every_parameter,
    conv_bn,
    features,
    head_from_yaml,
    on_meta,
    parameters,
)


def test_parameters_by_hand() -> None:
    levels = 4 * conv_bn(2048, 512, 1)
    assert parameters(on_meta("psp")) == levels + conv_bn(2048 + 4 * 512, 512, 3) + 512 * 21 + 21
    assert list(RESNET50)[-1] == on_meta("psp").source


def test_sizes_and_gradients() -> None:
    torch.manual_seed(0)
    assert_follows_input_size(head_from_yaml("psp", CHANNELS, 5, width=6), 5)
    assert_gradient_reaches_every_parameter(head_from_yaml("psp", CHANNELS, 5, width=6, level_width=4))


def test_logits_come_from_the_pyramid() -> None:
    head = head_from_yaml("psp", CHANNELS, 5, width=6).eval()
    maps = features()
    torch.testing.assert_close(head(maps), head.classifier.logits(head.pyramid(maps["res5"])))
