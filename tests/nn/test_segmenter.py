import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from repro.errors import ConfigError
from repro.nn import ResNet, Segmenter
from tests.nn.heads.checks import auxiliary_from_yaml, head_from_yaml


def segmenter(head: str = "fcn", **options: object) -> Segmenter:
    torch.manual_seed(0)
    backbone = ResNet(18, output_stride=16)
    return Segmenter(backbone, head_from_yaml(head, backbone.channels, 5, width=8), **options)


def with_auxiliary() -> Segmenter:
    return segmenter(auxiliary=auxiliary_from_yaml(ResNet(18).channels, 5, width=8))


@pytest.mark.parametrize("size", [(64, 64), (65, 97), (33, 50)])
def test_logits_have_the_size_of_the_image(size: tuple[int, int]) -> None:
    outputs = segmenter()(torch.randn(2, 3, *size))
    assert list(outputs) == ["main"]
    assert outputs["main"].shape == (2, 5, *size)


def test_the_auxiliary_head_runs_in_training_only() -> None:
    model = with_auxiliary()
    image = torch.randn(2, 3, 65, 97)
    outputs = model(image)
    assert list(outputs) == ["main", "auxiliary"]
    assert outputs["auxiliary"].shape == (2, 5, 65, 97)
    assert list(model.eval()(image)) == ["main"]


@pytest.mark.parametrize("align_corners", [False, True])
def test_one_decision_on_align_corners(align_corners: bool) -> None:
    model = segmenter(align_corners=align_corners).eval()
    image = torch.randn(1, 3, 65, 65)
    with torch.no_grad():
        logits = model.head(model.backbone(image))
        expected = F.interpolate(logits, size=(65, 65), mode="bilinear", align_corners=align_corners)
        assert torch.equal(model(image)["main"], expected)


def test_without_upsampling_training_sees_the_heads_own_logits() -> None:
    model = segmenter(upsample_logits=False)
    image = torch.randn(2, 3, 65, 97)
    assert model(image)["main"].shape == (2, 5, 5, 7)
    assert model.eval()(image)["main"].shape == (2, 5, 65, 97)


def test_output_stride_reaches_backbone_and_head() -> None:
    model = segmenter("aspp")
    before = {key: value.clone() for key, value in model.state_dict().items()}
    model.set_output_stride(8)
    assert (model.output_stride, model.backbone.output_stride) == (8, 8)
    assert model.head.context.rates == (1, 12, 24, 36)
    assert all(torch.equal(value, before[key]) for key, value in model.state_dict().items())
    assert model.eval()(torch.randn(1, 3, 64, 64))["main"].shape == (1, 5, 64, 64)


def test_the_head_takes_the_output_stride_of_the_backbone_from_the_start() -> None:
    backbone = ResNet(18, output_stride=8)
    assert Segmenter(backbone, head_from_yaml("aspp", backbone.channels, 5)).head.context.rates == (1, 12, 24, 36)


def test_a_refused_output_stride_changes_nothing() -> None:
    backbone = ResNet(18, output_stride=16)
    model = Segmenter(backbone, head_from_yaml("aspp", backbone.channels, 5, rates=(6, 9)))
    with pytest.raises(ValueError, match="a rate must be a whole number"):
        model.set_output_stride(32)
    assert (model.output_stride, model.head.context.rates) == (16, (1, 6, 9))
    with pytest.raises(ValueError, match="output_stride must be one of"):
        model.set_output_stride(64)
    assert (model.output_stride, model.head.context.rates) == (16, (1, 6, 9))


def test_a_head_that_cannot_run_at_the_output_stride_is_refused_at_once() -> None:
    backbone = ResNet(18, output_stride=16)
    with pytest.raises(ValueError, match=r"rate 3 at output stride 8 would become 1\.5"):
        Segmenter(backbone, head_from_yaml("vortex", backbone.channels, 5, rates_follow_output_stride=True))


def test_a_batch_of_one_trains_without_image_pooling_and_evaluates_with_it() -> None:
    image = torch.randn(1, 3, 64, 64)
    model = segmenter("aspp")
    with pytest.raises(ConfigError, match="image pooling cannot train on a batch of 1 image"):
        model(image)
    assert model.eval()(image)["main"].shape == (1, 5, 64, 64)
    assert segmenter("fcn")(image)["main"].shape == (1, 5, 64, 64)


@pytest.mark.parametrize("layout", [torch.contiguous_format, torch.channels_last])
def test_autocast_gives_logits_in_single_precision(layout: torch.memory_format) -> None:
    model = segmenter("vortex").to(memory_format=layout)
    image = torch.randn(2, 3, 65, 65).to(memory_format=layout)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        logits = model(image)["main"]
    assert logits.dtype == torch.float32
    logits.square().mean().backward()
    assert all(parameter.grad is not None and parameter.grad.isfinite().all() for parameter in model.parameters())


def test_channels_last_is_the_same_function() -> None:
    model = segmenter("vortex").eval()
    image = torch.randn(2, 3, 65, 97)
    with torch.no_grad():
        expected = model(image)["main"]
        last = model.to(memory_format=torch.channels_last)(image.to(memory_format=torch.channels_last))["main"]
    assert last.is_contiguous(memory_format=torch.channels_last)
    torch.testing.assert_close(last, expected, rtol=1e-4, atol=1e-5)


def test_double_precision_stays_double() -> None:
    assert segmenter().double()(torch.randn(2, 3, 33, 33, dtype=torch.float64))["main"].dtype == torch.float64


@pytest.mark.parametrize(
    "image",
    [
        torch.zeros(0, 3, 33, 33),
        torch.zeros(2, 3, 0, 33),
        torch.zeros(1, 1, 33, 33),
        torch.zeros(3, 33, 33),
        torch.zeros(1, 3, 33, 33, dtype=torch.uint8),
    ],
)
@pytest.mark.parametrize("training", [True, False])
def test_what_is_no_batch_of_images_is_refused(image: Tensor, training: bool) -> None:
    with pytest.raises(ConfigError) as error:
        segmenter("fcn").train(training)(image)
    dtype = str(image.dtype).removeprefix("torch.")
    assert str(error.value) == (
        "a network takes normalised images [B, 3, H, W], at least one and none without pixels; it was given "
        f"{list(image.shape)} of {dtype}"
    )


def test_a_batch_of_one_of_which_one_position_remains_is_refused_where_it_would_train() -> None:
    model, image = segmenter("fcn"), torch.randn(1, 3, 16, 13)
    with pytest.raises(ConfigError, match=r"one position \(16x13 pixels at stride 16\) cannot train on a batch of 1"):
        model.train()(image)
    assert model.train()(image.repeat(2, 1, 1, 1))["main"].shape == (2, 5, 16, 13)
    assert model.train()(torch.randn(1, 3, 17, 13))["main"].shape == (1, 5, 17, 13)
    assert model.eval()(torch.randn(1, 3, 1, 1))["main"].shape == (1, 5, 1, 1)
    for module in model.train().modules():
        if isinstance(module, nn.BatchNorm2d):
            module.eval()
    assert model(image)["main"].shape == (1, 5, 16, 13)


def test_a_network_without_its_last_stages_trains_on_smaller_images() -> None:
    backbone = ResNet(18)
    head = head_from_yaml("fcn", backbone.channels, 5, source="res3", width=4)
    backbone.keep(head.sources)
    model = Segmenter(backbone, head).train()
    assert model(torch.randn(1, 3, 16, 16))["main"].shape == (1, 5, 16, 16)
    with pytest.raises(ConfigError, match=r"8x8 pixels at stride 8"):
        model(torch.randn(1, 3, 8, 8))
