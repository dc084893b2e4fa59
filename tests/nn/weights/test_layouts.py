from pathlib import Path

import pytest
import torch
import torchvision
from torch import Tensor, nn

from repro.build import build_model
from repro.errors import ConfigError, DataError
from repro.nn import ResNet, Segmenter, from_torchvision, load_network_weights
from repro.nn.weights.layouts import LAYOUTS, in_our_names
from tests.composed import composed
from tests.nn.heads.checks import auxiliary_from_yaml, head_from_yaml
from tests.nn.test_resnet import randomise_norms
from tests.nn.weights.public import CLASSES, NETWORKS, Mmsegmentation, Short, listing

SIZE = (33, 49)
LARGE = (116, 124)
"""Large enough for unpadded convolutions of GALD, and such that the pooling of its stem has something to round."""


def ours_for(*overrides: str) -> Segmenter:
    """Our network, whose weights are those that stood in the memory."""
    with torch.device("meta"):
        model, _ = build_model(composed("dataset=voc", *overrides), CLASSES, pretrained=False)
    return model.to_empty(device="cpu").eval()


def heads_of(name: str) -> set[str]:
    return {"dsn", "head"} if name == "gald" else {"decode_head", "auxiliary_head"}


def theirs_for(name: str) -> nn.Module:
    torch.manual_seed(0)
    theirs = NETWORKS[name]().eval()
    randomise_norms(theirs)
    for module in theirs.modules():
        if isinstance(module, nn.Conv2d) and module.bias is not None:
            nn.init.normal_(module.bias, std=0.3)
    return theirs


def both_heads(model: Segmenter, image: Tensor) -> list[Tensor]:
    features = model.backbone(image)
    return [model._resized(head(features), image) for head in (model.head, model.auxiliary)]


@pytest.mark.parametrize("name", NETWORKS)
def test_the_listing_of_the_public_code_is_read_to_the_last_entry(name: str) -> None:
    """Names and shapes alone, without a number."""
    with torch.device("meta"):
        theirs = NETWORKS[name]().state_dict()
    heads = {key: list(value.shape) for key, value in theirs.items() if key.partition(".")[0] in heads_of(name)}
    assert heads == listing(name)
    own = ours_for(f"init={name}").state_dict()
    with torch.device("meta"):
        found = in_our_names(theirs, name.partition("_")[0], "a file")
    assert {key: value.shape for key, value in found.items()} == {key: value.shape for key, value in own.items()}


@pytest.mark.parametrize("name", [name for name in NETWORKS if name != "gald"])
def test_a_network_of_mmsegmentation_gives_the_same_logits(name: str, tmp_path: Path) -> None:
    theirs, ours, image = theirs_for(name), ours_for(f"init={name}"), torch.randn(1, 3, *SIZE)
    torch.save({"meta": {"CLASSES": ["a"] * CLASSES}, "state_dict": theirs.state_dict()}, tmp_path / "theirs.pth")
    assert load_network_weights(ours, tmp_path / "theirs.pth", layout="mmsegmentation") == ()
    with torch.no_grad():
        for logits, expected in zip(both_heads(ours, image), theirs(image), strict=True):
            assert expected.std() > 1e-3
            torch.testing.assert_close(logits, expected, rtol=1e-4, atol=1e-4)


def test_an_fcn_of_one_convolution_on_the_plain_stem_is_ours(tmp_path: Path) -> None:
    theirs = Mmsegmentation(Short(2048, 512), stem="plain").eval()
    randomise_norms(theirs)
    torch.save(theirs.state_dict(), tmp_path / "theirs.pth")
    contracted = ["backbone.output_stride=8", "backbone.first_unit=contracted"]
    ours = ours_for("backbone=resnet50", "head=fcn", *contracted)
    assert load_network_weights(ours, tmp_path / "theirs.pth", layout="mmsegmentation") == ("auxiliary.",)
    image = torch.randn(1, 3, *SIZE)
    with torch.no_grad():
        torch.testing.assert_close(ours(image)["main"], theirs(image)[0], rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("layout", ["gald", "gald_rgb"])
def test_the_network_of_galds_code_gives_the_same_logits(layout: str, tmp_path: Path) -> None:
    theirs, ours = theirs_for("gald"), ours_for("init=gald")
    torch.save({f"module.{key}": value for key, value in theirs.state_dict().items()}, tmp_path / "theirs.pth")
    assert load_network_weights(ours, tmp_path / "theirs.pth", layout=layout) == ()
    levels = torch.randint(0, 256, (1, 3, *LARGE)).float()
    mean, std = (torch.tensor(values)[:, None, None] for values in ((0.485, 0.456, 0.406), (0.229, 0.224, 0.225)))
    image = (levels / 255 - mean) / std
    as_theirs = levels.flip(1) - torch.tensor((104.00698793, 116.66876762, 122.67891434))[:, None, None]
    with torch.no_grad():
        found, expected = both_heads(ours, image), theirs(image if layout == "gald_rgb" else as_theirs)
    # The paddings of the two codes stand for colours that are up to one grey level apart.
    tolerance = 1e-4 if layout == "gald_rgb" else 1e-2
    for logits, wanted in zip(found, expected, strict=True):
        assert wanted.std() > 0.1
        torch.testing.assert_close(logits, wanted, rtol=tolerance, atol=tolerance * wanted.std().item())


def same_logits(theirs: nn.Module, ours: Segmenter) -> None:
    """Carries the weights over and compares the logits of both heads."""
    randomise_norms(theirs)
    ours.load_state_dict(from_torchvision(theirs.state_dict()))
    image = torch.randn(1, 3, 97, 129)
    theirs.eval()
    ours.eval()
    with torch.no_grad():
        expected, logits = theirs(image), ours(image)["main"]
        assert expected["out"].std() > 1e-3
        torch.testing.assert_close(logits, expected["out"], rtol=1e-4, atol=1e-4)
        if ours.auxiliary is not None:
            auxiliary = ours._resized(ours.auxiliary(ours.backbone(image)), image)
            torch.testing.assert_close(auxiliary, expected["aux"], rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("auxiliary", [False, True])
def test_deeplabv3_of_torchvision_gives_the_same_logits(auxiliary: bool) -> None:
    torch.manual_seed(0)
    theirs = torchvision.models.segmentation.deeplabv3_resnet50(weights=None, weights_backbone=None, aux_loss=auxiliary)
    backbone = ResNet(50, output_stride=8, first_unit="contracted")
    head = head_from_yaml("aspp_torchvision", backbone.channels, 21)
    same_logits(theirs, Segmenter(backbone, head, auxiliary_from_yaml(backbone.channels, 21) if auxiliary else None))


def test_fcn_of_torchvision_gives_the_same_logits() -> None:
    torch.manual_seed(0)
    theirs = torchvision.models.segmentation.fcn_resnet50(weights=None, weights_backbone=None, aux_loss=True)
    backbone = ResNet(50, output_stride=8, first_unit="contracted")
    same_logits(
        theirs,
        Segmenter(backbone, head_from_yaml("fcn", backbone.channels, 21), auxiliary_from_yaml(backbone.channels, 21)),
    )


def test_an_unknown_entry_is_named() -> None:
    with pytest.raises(ValueError, match=r"'decoder\.weight' is no entry of torchvision's DeepLabv3 or FCN"):
        from_torchvision({"backbone.conv1.weight": torch.zeros(1), "decoder.weight": torch.zeros(1)})
    for layout, theirs in (("mmsegmentation", "decode_head.fpn_in.conv.weight"), ("gald", "head.other.0.weight")):
        with pytest.raises(DataError, match=rf"file cannot be read with init\.layout={layout}: '{theirs}' is no entry"):
            in_our_names({theirs: torch.zeros(1)}, layout, "the file")


def test_a_file_of_another_layout_than_was_said_is_told() -> None:
    with pytest.raises(DataError, match=r"those of mmsegmentation, and init\.layout is ours; set init\.layout=mmseg"):
        in_our_names({"decode_head.conv_seg.weight": torch.zeros(1)}, "ours", "the file")
    with pytest.raises(DataError, match=r"those of gald, and init\.layout is torchvision"):
        in_our_names({"head.conva.0.weight": torch.zeros(1)}, "torchvision", "the file")
    with pytest.raises(ConfigError, match=r"init\.layout is 'timm'; it must be one of ours, torchvision, mmseg"):
        in_our_names({}, "timm", "the file")
    assert list(LAYOUTS) == ["ours", "torchvision", "mmsegmentation", "gald", "gald_rgb"]


BLOCK = "decode_head.nl_block"
ODD = {
    "mmsegmentation": [
        {"decode_head.aspp_modules.0.conv.weight": (8, 8, 1, 1), "decode_head.bottleneck.conv.weight": (8, 40, 3, 3)},
        {"decode_head.conv_cat.conv.weight": (8, 16, 3, 3), f"{BLOCK}.g.conv.bias": (4,)},
        {
            "decode_head.conv_cat.conv.weight": (8, 16, 3, 3),
            f"{BLOCK}.g.conv.bias": (4,),
            f"{BLOCK}.conv_out.conv.weight": (8, 5, 1, 1),
            f"{BLOCK}.conv_out.bn.running_mean": (8,),
        },
    ],
    "gald": [
        {"conv1.0.weight": (64, 3, 3, 3), "conv1.1.running_mean": (32,)},
        {"conv1.0.weight": (64, 1, 3, 3)},
        {"head.conva.0.bias": (3,), "head.conva.1.running_mean": (4,)},
    ],
}


@pytest.mark.parametrize(("layout", "shapes"), [(layout, shapes) for layout in ODD for shapes in ODD[layout]])
def test_entries_that_are_missing_or_do_not_fit_each_other_are_told(
    layout: str, shapes: dict[str, tuple[int, ...]], tmp_path: Path
) -> None:
    torch.save({key: torch.ones(shape) for key, shape in shapes.items()}, tmp_path / "theirs.pth")
    with pytest.raises(
        DataError, match=r"theirs\.pth (does not fit this network; missing|cannot be read .* each other)"
    ):
        load_network_weights(any_network(), tmp_path / "theirs.pth", layout=layout)


def any_network() -> Segmenter:
    with torch.device("meta"):
        backbone = ResNet(18)
        return Segmenter(backbone, head_from_yaml("fcn", backbone.channels, CLASSES))
