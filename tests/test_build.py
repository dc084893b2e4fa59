import pytest
import torch

from repro.build import build_dataset, build_model, parameter_count
from repro.config.compose import compose, config_folder
from repro.errors import ConfigError
from tests.tiny import TINY

HEADS = sorted(file.stem for file in (config_folder() / "head").glob("*.yaml"))
BACKBONES = sorted(file.stem for file in (config_folder() / "backbone").glob("*.yaml"))


def model_of(*overrides):
    return build_model(compose([*overrides, "backbone.weights=null"]), num_classes=8)


def weights(module):
    return torch.cat([parameter.detach().flatten() for parameter in module.parameters()])


@pytest.mark.parametrize("head", HEADS)
def test_every_head_builds_on_the_default_backbone_and_runs(head):
    model, _ = model_of(f"head={head}")
    logits = model.eval()(torch.randn(1, 3, 65, 49))["main"]
    assert logits.shape == (1, 8, 65, 49)


@pytest.mark.parametrize("backbone", BACKBONES)
@pytest.mark.parametrize("auxiliary", ["none", "fcn"])
def test_every_backbone_builds_with_and_without_an_auxiliary_head(backbone, auxiliary):
    model, weight = model_of(f"backbone={backbone}", "head=fcn", f"auxiliary={auxiliary}")
    assert weight == (0.4 if auxiliary == "fcn" else 0)
    with torch.no_grad():
        found = model.train()(torch.randn(2, 3, 33, 33))
    assert set(found) == ({"main", "auxiliary"} if auxiliary == "fcn" else {"main"})
    assert parameter_count(model) == sum(parameter.numel() for parameter in model.parameters())


def test_runs_of_one_seed_share_the_parts_they_share():
    one, other = model_of("head=fcn")[0], model_of("head=aspp", "auxiliary=fcn")[0]
    assert torch.equal(weights(one.backbone), weights(other.backbone))
    again = model_of("head=fcn", "auxiliary=fcn")[0]
    assert torch.equal(weights(one.head), weights(again.head))
    assert torch.equal(weights(again.auxiliary), weights(other.auxiliary))
    assert not torch.equal(weights(one.backbone), weights(model_of("head=fcn", "seed=1")[0].backbone))


def test_building_leaves_the_global_generator_alone():
    torch.manual_seed(3)
    before = torch.get_rng_state()
    model_of("head=fcn")
    assert torch.equal(torch.get_rng_state(), before)


def test_the_shapes_open_in_both_splits():
    config = compose(TINY)
    train, measured = build_dataset(config, "train"), build_dataset(config, "val")
    assert (len(train), len(measured)) == (16, 5)
    assert train.num_classes == len(train.class_names) == len(train.palette)


def test_a_target_of_the_wrong_kind_is_refused():
    config = compose(["dataset._target_=repro.nn.FCN"])
    with pytest.raises(ConfigError, match="is no SegmentationDataset"):
        build_dataset(config, "train")


def test_a_weights_file_is_loaded_into_the_backbone(tmp_path):
    donor, _ = model_of("seed=5")
    torch.save(donor.backbone.state_dict(), tmp_path / "backbone.pth")
    model, _ = build_model(compose([f"backbone.weights={tmp_path / 'backbone.pth'}"]), num_classes=8)
    assert torch.equal(weights(model.backbone), weights(donor.backbone))


def test_added_blocks_that_no_head_reads_are_refused():
    with pytest.raises(ConfigError, match=r"adds block6, which the head does not read; choose head=cascade"):
        model_of("head=aspp", "backbone.blocks=6")
    assert model_of("head=aspp", "head.source=deepest", "backbone.blocks=5")[0].head.sources == ("block5",)


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
        (["head=aspp", "head.rates=3"], "head.rates is 3; it must be a list of whole numbers"),
        (["head=vortex", "backbone.multi_grid=[1,2,4]"], "multi_grid needs one rate per unit of res5"),
    ],
)
def test_what_does_not_fit_together_is_one_sentence(overrides, sentence):
    with pytest.raises(ConfigError) as caught:
        model_of(*overrides)
    assert sentence in str(caught.value)
    assert "\n" not in str(caught.value)
