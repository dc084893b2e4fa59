from functools import cache
from math import prod, sqrt
from typing import Any

import pytest
import torch
import torchvision
from torch import nn

from repro.build import build_dataset, build_model, dataset_class, outputs_kept, parameter_count
from repro.config.configuration import Configuration
from repro.config.groups import config_folder
from repro.data import VOC
from repro.errors import ConfigError, DataError
from repro.nn import FCN, ASPPAggregation, draw_for_good
from repro.nn.weights import backbone as backbone_weights
from tests.composed import composed
from tests.tiny import TINY

HEADS = sorted(file.stem for file in (config_folder() / "head").glob("*.yaml"))
BACKBONES = sorted(file.stem for file in (config_folder() / "backbone").glob("*.yaml"))


def built(*overrides):
    return build_model(composed(*overrides, "backbone.weights=null"), num_classes=8)


@cache
def model_of(*overrides):
    """A network that no test changes."""
    return built(*overrides)[0]


def weights(module):
    return torch.cat([parameter.detach().flatten() for parameter in module.parameters()])


@pytest.mark.parametrize("head", HEADS)
def test_every_head_builds_on_the_default_backbone_and_runs(head):
    model, weight = built(f"head={head}")
    assert weight == 0
    with torch.no_grad():
        found = model.eval()(torch.randn(1, 3, 65, 49))
    assert {name: logits.shape for name, logits in found.items()} == {"main": (1, 8, 65, 49)}


@pytest.mark.parametrize("backbone", BACKBONES)
def test_every_backbone_builds_and_feeds_an_auxiliary_head(backbone):
    model, weight = built(f"backbone={backbone}", "head=fcn", "auxiliary=fcn")
    assert weight == 0.4
    with torch.no_grad():
        found = model.train()(torch.randn(2, 3, 33, 33))
    assert set(found) == {"main", "auxiliary"}
    assert parameter_count(model) == sum(parameter.numel() for parameter in model.parameters())


def test_an_auxiliary_head_without_weight_is_not_built():
    model, weight = built("head=fcn", "auxiliary=fcn", "auxiliary.weight=0")
    assert (model.auxiliary, weight) == (None, 0)
    for value in ("-1", "much", "true"):
        with pytest.raises(ConfigError, match=r"auxiliary\.weight is .*; it must be a number of at least 0"):
            built("head=fcn", "auxiliary=fcn", f"auxiliary.weight={value}")


def test_frozen_parameters_are_not_counted():
    model, _ = built("head=fcn")
    count = parameter_count(model)
    model.head.requires_grad_(False)
    assert parameter_count(model) == count - weights(model.head).numel()


def test_runs_of_one_seed_share_the_parts_they_share():
    one, other = model_of("head=fcn"), model_of("head=aspp", "auxiliary=fcn")
    assert torch.equal(weights(one.backbone), weights(other.backbone))
    again = model_of("head=fcn", "auxiliary=fcn")
    assert torch.equal(weights(one.head), weights(again.head))
    assert torch.equal(weights(again.auxiliary), weights(other.auxiliary))
    assert not torch.equal(weights(one.backbone), weights(model_of("head=fcn", "seed=1").backbone))


def test_building_leaves_the_global_generator_alone():
    torch.manual_seed(3)
    before = torch.get_rng_state()
    built("head=fcn")
    assert torch.equal(torch.get_rng_state(), before)


def test_settings_of_the_network_reach_it():
    model = model_of("head=fcn", "align_corners=true", "schedule.upsample_logits=false", "backbone.output_stride=8")
    assert (model.align_corners, model.upsample_logits, model.output_stride) == (True, False, 8)
    assert model_of("head=gald", "head/ga=none").head.ga is None


class UsedUp(ASPPAggregation):
    def __init__(self, channels: int, *, rates: list[int], **switches: Any) -> None:
        super().__init__(channels, rates=rates, **switches)
        rates.clear()


def test_what_a_constructor_does_to_its_arguments_does_not_reach_the_configuration():
    configuration = composed("head=gald", "head/ga=aspp", f"head.ga._target_={UsedUp.__module__}.UsedUp")
    build_model(configuration, num_classes=8)
    assert configuration.tree["head"]["ga"]["rates"] == [12, 24, 36]


class Failing(ASPPAggregation):
    def __init__(self, channels: int, **switches: Any) -> None:
        raise KeyError("channels")


class Silent(ASPPAggregation):
    def __init__(self, channels: int, **switches: Any) -> None:
        super().__init__(channels, **switches)
        del self.out_channels


@pytest.mark.parametrize(
    ("part", "sentence"),
    [(Failing, r"KeyError: 'channels' \(.*test_build\.py, line \d+\)$"), (Silent, "out_channels is None; it must be")],
)
def test_a_fault_in_a_part_of_ones_own_head_group_is_told(part, sentence):
    target = f"head.ga._target_={__name__}.{part.__name__}"
    with pytest.raises(ConfigError, match=rf"^head\.ga: {__name__}\.{part.__name__} \(.*test_build\.py\): {sentence}"):
        build_model(composed("head=gald", "head/ga=aspp", target), num_classes=8)


def test_the_shapes_open_in_both_splits():
    configuration = composed(*TINY, "dataset.duplicate=[wire]")
    train, measured = build_dataset(configuration, "train"), build_dataset(configuration, "val")
    assert (len(train), len(measured)) == (16, 5)
    assert train.num_classes == len(train.class_names) == len(train.palette)


def test_a_data_set_is_known_without_its_files():
    assert dataset_class(composed("dataset=voc", "dataset.root=/nowhere")) is VOC


@pytest.mark.parametrize(
    ("override", "sentence"),
    [
        ("dataset._target_=repro.nn.FCN", "dataset._target_ is 'repro.nn.FCN', which is no SegmentationDataset"),
        ("dataset._target_=repro.data.Nothing", "'repro.data.Nothing', which cannot be imported: "),
        ("dataset._target_=no_such_package.A", "which cannot be imported: "),
        ("dataset._target_=null", "dataset has no _target_; it needs the public path of a class, such as repro.nn."),
        ("dataset.size=1.5", "dataset.size is 1.5; it must be a whole number"),
    ],
)  # fmt: skip
def test_a_target_that_does_not_fit_is_one_sentence(override, sentence):
    with pytest.raises(ConfigError) as caught:
        build_dataset(composed(override), "train")
    assert sentence in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_folder_that_the_system_does_not_let_us_list_is_one_sentence(tmp_path):
    for part in ("train", "val", "test"):
        (tmp_path / f"{part}.txt").write_text(f"{part}\n")
        (tmp_path / part).touch()
        (tmp_path / f"{part}annot").touch()
    leaves = [f"dataset.root={tmp_path}", "dataset.expected_images=null", "dataset.split_sha256=null"]
    with pytest.raises(DataError, match=rf"CamVid\): {tmp_path}/train cannot be read: Not a directory"):
        build_dataset(composed("dataset=camvid", *leaves), "train")


def test_a_weights_file_is_loaded_into_the_backbone_unless_it_would_be_replaced(tmp_path):
    donor = model_of("seed=5")
    path = tmp_path / "backbone.pth"
    torch.save(donor.backbone.state_dict(), path)
    configuration = composed().with_leaf("backbone.weights", str(path))
    model, _ = build_model(configuration, num_classes=8)
    assert torch.equal(weights(model.backbone), weights(donor.backbone))
    model, _ = build_model(configuration, num_classes=8, pretrained=False)
    assert torch.equal(weights(model.backbone), weights(model_of().backbone))


def test_published_weights_of_other_strides_are_taken_only_if_asked_for(monkeypatch):
    published = torchvision.models.resnet18(weights=None).state_dict()
    monkeypatch.setattr(backbone_weights, "fetched", lambda url, remedy: published)
    last = ("backbone.stride_at=last", "backbone.weights=IMAGENET1K_V1")
    with pytest.raises(ConfigError, match=r"IMAGENET1K_V1 were trained with the stride in the first unit .* deviation"):
        build_model(composed(*last), num_classes=8)
    asked = composed(*last, "backbone.weights_of_other_strides=true")
    model, _ = build_model(asked, num_classes=8)
    assert torch.equal(model.backbone.conv1.weight, published["conv1.weight"])
    assert asked.run_id != composed(*last).run_id


def test_stages_that_no_head_reads_are_not_built():
    whole, low = model_of("head=fcn"), model_of("head=fcn", "head.source=res3")
    kept = [key for key in whole.backbone.state_dict() if not key.startswith(("layer3", "layer4"))]
    assert list(low.backbone.state_dict()) == kept
    assert all(torch.equal(low.backbone.state_dict()[key], whole.backbone.state_dict()[key]) for key in kept)
    with_auxiliary = model_of("head=fcn", "head.source=res3", "auxiliary=fcn")
    assert list(with_auxiliary.backbone.channels) == ["res2", "res3", "res4"]
    with torch.no_grad():
        assert with_auxiliary.train()(torch.randn(2, 3, 33, 33)).keys() == {"main", "auxiliary"}


class Plain(torch.nn.Module):
    """A backbone of somebody else's, which cannot do with less."""

    output_stride = 16

    def __init__(self) -> None:
        super().__init__()
        self.channels = {"res3": 2, "res5": 2}

    def set_output_stride(self, output_stride: int) -> None:
        pass

    def forward(self, image: torch.Tensor) -> dict[str, torch.Tensor]:
        return dict.fromkeys(self.channels, image[:, :2, ::16, ::16])


def test_a_backbone_that_cannot_drop_stages_keeps_them():
    tree = composed("head=fcn", "head.source=res3").tree
    configuration = Configuration(tree | {"backbone": {"_target_": f"{__name__}.Plain"}}, {})
    assert list(build_model(configuration, 3)[0].backbone.channels) == ["res3", "res5"]


def test_a_head_that_does_not_tell_what_it_reads_gets_everything():
    channels = {"res2": 1, "res3": 1, "res4": 1}
    told, silent = model_of("head=fcn", "head.source=res3").head, torch.nn.Identity()
    assert outputs_kept(channels, told, None) == ("res2", "res3")
    assert outputs_kept(channels, told, silent) == tuple(channels)


def test_added_blocks_that_no_head_reads_are_refused():
    with pytest.raises(ConfigError, match=r"adds block6, which the head does not read; choose head=cascade"):
        model_of("head=aspp", "backbone.blocks=6")
    assert model_of("head=aspp", "head.source=deepest", "backbone.blocks=5").head.sources == ("block5",)


@pytest.mark.parametrize(
    ("overrides", "sentence"),
    [
        (["head=dsnet", "head.sampled=res9"], "sampled"),
        (["head=fcn", "head.source=block7"], "source 'block7' is no output of this backbone; it gives res2"),
        (["head=cascade", "backbone.output_stride=256"], "not 256, which takes blocks=7"),
        (["head=gald", "head/ld=v2", "head.ld.kernel_size=4"], "kernel_size must be odd, such as 3, 5 or 7"),
        (["head=gald", "head/ga=cgnl", "head.ga.groups=7"], "groups"),
        (["head=gald", "head/ga=none", "head/ld=none"], "neither ga nor ld is given"),
        (["head=gald", "head/ld=none", "head.arrangement=ldga"], "needs both ga and ld"),
        (["head=gald", "head.ld.width=0", "head/ga=none"], "head.ld (repro.nn.LDv1): a convolution's width"),
        (["head=gald", "head.ga._target_=torch.nn.ReLU"], "head.ga._target_ is 'torch.nn.ReLU', which is no HeadPart"),
        (
            ["head=aspp", "head.reference_output_stride=0"],
            "reference_output_stride must be a whole number of at least 1",
        ),
        (["head=aspp", "head.rates=3"], "head.rates is 3; it must be a list of whole numbers"),
        (["head=vortex", "backbone.multi_grid=[1,2,4]"], "multi_grid needs one rate per unit of res5"),
    ],
)
def test_what_does_not_fit_together_is_one_sentence(overrides, sentence):
    with pytest.raises(ConfigError) as caught:
        built(*overrides)
    assert sentence in str(caught.value)
    assert "\n" not in str(caught.value)


class DrawsItself(FCN):
    """A head of one's own: its first convolution starts at 7, and its last one does so for good."""

    def __init__(self, channels: dict[str, int], num_classes: int, **switches: Any) -> None:
        super().__init__(channels, num_classes, **switches)
        nn.init.constant_(self.hidden.convolution.weight, 7)
        draw_for_good(self.classifier.logits, 3)


def convolutions_of(part):
    return {name: module.weight for name, module in part.named_modules() if isinstance(module, nn.Conv2d)}


def test_the_first_draw_of_a_head_of_ones_own_is_a_setting_though_its_file_does_not_name_it():
    own = ["head=fcn", f"head._target_={DrawsItself.__module__}.DrawsItself"]
    kept, drawn = (built(*own, f"head.first_draw={rule}")[0].head for rule in ("torch", "kaiming_normal"))
    assert (kept.hidden.convolution.weight == 7).all()
    outputs = drawn.hidden.convolution.out_channels
    assert drawn.hidden.convolution.weight.std().item() == pytest.approx(sqrt(2 / (9 * outputs)), rel=0.01)
    assert torch.equal(kept.classifier.logits.weight, drawn.classifier.logits.weight)


@pytest.mark.parametrize("rule", ["torch", "kaiming_normal", "kaiming_normal_fan_in", "xavier_uniform", "normal:0.02"])
def test_every_convolution_of_a_backbone_without_weights_has_the_deviation_of_its_rule(rule):
    deviations = {
        "torch": lambda outputs, inputs, area: sqrt(1 / (3 * inputs * area)),
        "kaiming_normal": lambda outputs, inputs, area: sqrt(2 / (outputs * area)),
        "kaiming_normal_fan_in": lambda outputs, inputs, area: sqrt(2 / (inputs * area)),
        "xavier_uniform": lambda outputs, inputs, area: sqrt(2 / ((outputs + inputs) * area)),
        "normal:0.02": lambda outputs, inputs, area: 0.02,
    }
    fewer, more = (
        built("head=cascade", f"backbone.blocks={blocks}", f"backbone.first_draw={rule}")[0].backbone
        for blocks in (4, 5)
    )
    for name, weight in convolutions_of(more).items():
        outputs, inputs, *sides = weight.shape
        expected = deviations[rule](outputs, inputs, prod(sides))
        assert weight.std().item() == pytest.approx(expected, rel=5 / sqrt(2 * weight.numel())), name
    both = convolutions_of(fewer).keys()
    assert convolutions_of(more).keys() - both == {
        "block5.0.conv1",
        "block5.0.conv2",
        "block5.1.conv1",
        "block5.1.conv2",
    }
    assert all(torch.equal(weight, convolutions_of(more)[name]) for name, weight in convolutions_of(fewer).items())
    norms = [module for module in more.modules() if isinstance(module, nn.BatchNorm2d)]
    assert all((norm.weight == 1).all() and not norm.bias.any() for norm in norms)


def test_added_blocks_start_by_the_rule_behind_weights_that_they_are_not_in(tmp_path):
    path = tmp_path / "backbone.pth"
    torch.save(model_of("seed=5").backbone.state_dict(), path)
    configuration = composed("head=cascade", "backbone.blocks=5", "backbone.first_draw=normal:0.5")
    backbone = build_model(configuration.with_leaf("backbone.weights", str(path)), num_classes=8)[0].backbone
    assert torch.equal(backbone.layer4[0].conv1.weight, model_of("seed=5").backbone.layer4[0].conv1.weight)
    assert backbone.block5[0].conv1.weight.std().item() == pytest.approx(0.5, rel=0.01)


def test_the_papers_heads_start_as_their_public_code_draws_them():
    started = {
        "head=aspp": sqrt(2 / (9 * (512 + 256))),  # TensorFlow DeepLab
        "head=aspp_torchvision": sqrt(1 / (3 * 9 * 512)),
        "head=vortex": sqrt(2 / (9 * (512 + 256))),
    }
    for head, expected in started.items():
        kernel = model_of(head).head.context.branches[2].convolution.weight
        assert kernel.std().item() == pytest.approx(expected, rel=0.01), head
    auxiliary = model_of("head=fcn", "auxiliary=fcn", "auxiliary.first_draw=kaiming_normal").auxiliary
    assert auxiliary.hidden.convolution.weight.std().item() == pytest.approx(sqrt(2 / (9 * 256)), rel=0.01)
    for group in ("backbone", "head", "auxiliary"):
        with pytest.raises(ConfigError, match=rf"{group}\.first_draw is 'much'; it must be one of torch, "):
            built("head=fcn", "auxiliary=fcn", f"{group}.first_draw=much")
