"""All that is compared: every head, block and aggregation, in the arrangements that the papers' rows have."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from functools import partial

import torchvision
from torch import Tensor, nn
from torchvision.models.segmentation.deeplabv3 import DeepLabHead
from torchvision.models.segmentation.fcn import FCNHead

from repro.build import build_model
from repro.nn import ResNet, from_torchvision
from tests.composed import composed
from tests.nn.heads.checks import CHANNELS, auxiliary_from_yaml, head_from_yaml, part
from tests.nn.parity import transcribed as t
from tests.nn.parity.compare import Case, Outputs, Reference, Values, transcribed

CLASSES = 5
MAP = (17, 13)
RATES = (2, 15, 20)
"""One within the map, one beyond its width, one beyond both sides."""
ASPP_RATES = (1, *RATES)
MAPS = {"res5": (3, CHANNELS["res5"], *MAP)}
TWO_MAPS = {"res3": (3, CHANNELS["res3"], 2 * MAP[0], 2 * MAP[1])} | MAPS
FEATURES = {"features": MAPS["res5"]}
PAIR = {"original": MAPS["res5"], "context": (3, 6, *MAP)}
CONTRACTED: dict[str, object] = {}
"""What makes a dilated ResNet torchvision's."""

GA = {
    "none": {},
    "aspp": {"ga.inner_width": 4, "ga.width": 8, "ga.rates": RATES},
    "psp": {"ga.level_width": 3, "ga.width": 8},
    "nonlocal": {"ga.width": 8, "ga.inner_width": 4},
    "cgnl": {"ga.width": 8, "ga.inner_width": 4, "ga.groups": 2},
}
LD = {
    "none": {},
    "v1": {"ld.width": 8},
    "v2": {"ld.local_width": 8, "ld.key_width": 4, "ld.value_width": 8, "ld.dilation": 2},
}
DSNET = {"context.width": 4, "context.rates": RATES, "sampling.width": 5, "modified_width": 6, "classifier.width": 8}


class _Installed:
    """A module of torchvision with our weights; `rename` takes a state dict of its names to one of ours."""

    def __init__(self, theirs: nn.Module, ours: nn.Module, rename: Callable[[dict[str, Tensor]], dict[str, Tensor]]):
        state = theirs.state_dict(keep_vars=True)
        renamed = rename(state)
        assert renamed.keys() == ours.state_dict().keys()
        for name, value in ours.state_dict().items():
            renamed[name].data.copy_(value)
        self.parameters = {name: renamed[name] for name, _ in ours.named_parameters()}
        self.statistics = {name: renamed[name] for name, _ in ours.named_buffers()}
        self.zeros: dict[str, Tensor] = {}


def _installed(
    make: Callable[[], nn.Module],
    rename: Callable[[dict[str, Tensor]], dict[str, Tensor]],
    take: Callable[..., Outputs] = lambda theirs, maps: theirs(maps["res5"]),
) -> Reference:
    def reference(module: nn.Module, training: bool) -> tuple[Values, Callable[..., Outputs]]:
        theirs = make().double().train(training)
        return _Installed(theirs, module, rename), partial(take, theirs)

    return reference


def _of_the_head(state: dict[str, Tensor], ours: str = "head.", theirs: str = "classifier.") -> dict[str, Tensor]:
    renamed = from_torchvision({f"{theirs}{key}": value for key, value in state.items()})
    return {key.removeprefix(ours): value for key, value in renamed.items()}


def _without_classifier(state: dict[str, Tensor]) -> dict[str, Tensor]:
    return {key: value for key, value in state.items() if not key.startswith("fc.")}


def _stages(network: nn.Module, image: Tensor) -> dict[str, Tensor]:
    features = network.maxpool(network.relu(network.bn1(network.conv1(image))))
    outputs = {}
    for number in range(1, 5):
        outputs[f"res{number + 1}"] = features = getattr(network, f"layer{number}")(features)
    return outputs


def _backbones() -> Iterator[Case]:
    for depth, output_stride, dilate in (
        (18, 32, (False, False, False)),
        (50, 32, (False, False, False)),
        (50, 16, (False, False, True)),
    ):
        options = {} if depth < 50 else {"replace_stride_with_dilation": dilate}
        yield Case(
            f"ResNet-{depth} at output stride {output_stride}",
            f"torchvision, resnet{depth}",
            partial(ResNet, depth, output_stride=output_stride, **(CONTRACTED if output_stride < 32 else {})),
            _installed(
                partial(torchvision.models.get_model, f"resnet{depth}", weights=None, **options),
                _without_classifier,
                _stages,
            ),
            {"image": (2, 3, 49, 33)},
        )


def _network() -> Iterator[Case]:
    """As its files compose it, auxiliary head included: what goes on training from published weights."""
    name = "deeplabv3_resnet50"
    options = {"weights": None, "weights_backbone": None, "num_classes": CLASSES, "aux_loss": True}
    yield Case(
        f"init=torchvision:{name}, whole",
        f"torchvision, {name}",
        lambda: build_model(composed(f"init=torchvision:{name}"), CLASSES, pretrained=False)[0],
        _installed(partial(torchvision.models.get_model, name, **options), from_torchvision, _logits),
        {"image": (2, 3, 49, 33)},
    )


def _logits(theirs: nn.Module, image: Tensor) -> dict[str, Tensor]:
    logits = theirs(image)
    return {"main": logits["out"]} | ({"auxiliary": logits["aux"]} if theirs.training else {})


def _head(
    name: str, against: str, choice: str, reference: Reference, inputs: Mapping = MAPS, **switches: object
) -> Case:
    return Case(name, against, partial(head_from_yaml, choice, CHANNELS, CLASSES, **switches), reference, inputs)


def _parallel_heads() -> Iterator[Case]:
    aspp = {"width": 8, "rates": RATES}
    yield _head(
        "aspp_torchvision",
        "torchvision, DeepLabHead",
        "aspp_torchvision",
        _installed(partial(DeepLabHead, CHANNELS["res5"], CLASSES, RATES), _of_the_head),
        rates=RATES,
    )
    yield _head("aspp", "TensorFlow DeepLab", "aspp", transcribed(t.tensorflow_deeplab, ASPP_RATES), **aspp)
    yield _head(
        "aspp, fusion projected_3x3, dropout of channels",
        "mmsegmentation, ASPPHead",
        "aspp",
        transcribed(t.mmsegmentation_aspp, ASPP_RATES),
        fusion="projected_3x3",
        dropout_kind="channel",
        **aspp,
    )
    yield _head(
        "aspp, extra_conv, dropout of channels in both places",
        "PyTorch-Encoding, DeepLabV3Head",
        "aspp",
        transcribed(t.encoding_deeplab, ASPP_RATES),
        extra_conv=True,
        extra_conv_dropout=0.5,
        dropout_kind="channel",
        **aspp,
    )
    yield _head("aspp_plus", "Vortex Pooling, 4.1", "aspp_plus", transcribed(t.tensorflow_deeplab, ASPP_RATES), **aspp)
    yield _head(
        "module_a",
        "Vortex Pooling, Figure 3a",
        "module_a",
        transcribed(t.vortex, ASPP_RATES, [5] * 4),
        width=8,
        rates=RATES,
    )
    sizes = (1, 3, 9, 27)
    yield _head("vortex", "Vortex Pooling, Figure 3b", "vortex", transcribed(t.vortex, sizes, sizes), width=8)
    yield _head(
        "vortex as LightNet has it",
        "LightNet, VortexPooling",
        "vortex",
        transcribed(t.lightnet_vortex, sizes),
        width=8,
        branch_relu=False,
        fusion="projected_linear",
        count_include_pad=True,
        dropout=0.2,
        dropout_kind="channel",
    )


def _plain_heads() -> Iterator[Case]:
    width = CHANNELS["res5"] // 4
    yield _head(
        "fcn",
        "torchvision, FCNHead",
        "fcn",
        _installed(partial(FCNHead, CHANNELS["res5"], CLASSES), _of_the_head),
        width=width,
    )
    maps = {"res4": (3, CHANNELS["res4"], *MAP)}
    for name, against, kind, biased in (
        ("auxiliary", "mmsegmentation, FCNHead; PSPNet", "channel", False),
        ("auxiliary as GALD has it", "GALD, dsn", "channel", True),
        ("auxiliary, dropout elementwise", "torchvision, FCNHead", "elementwise", False),
    ):
        yield Case(
            name,
            against,
            partial(auxiliary_from_yaml, CHANNELS, CLASSES, width=6, dropout_kind=kind),
            transcribed(t.fcn, "res4", kind, biased=biased),
            maps,
        )
    yield _head("cascade", "TensorFlow DeepLab without ASPP", "cascade", transcribed(t.cascade))


def _gald_heads() -> Iterator[Case]:
    yield _head(
        "gald as its code has it (padding 0, residuals 2, transform)",
        "GALD, GALDHead",
        "gald",
        transcribed(t.gald_head, 2),
        {"res5": (3, CHANNELS["res5"], 65, 49)},
        width=8,
        transform=True,
        **GA["cgnl"],
        **LD["v1"],
        **{"ga.padding": 0, "ld.padding": 0, "ld.residuals": 2},
    )
    for arrangement in ("gald", "ldga", "parallel"):
        for ga in GA:
            for ld in LD:
                if ga == ld == "none" or ("none" in (ga, ld) and arrangement != "gald"):
                    continue
                yield _head(
                    f"gald, {arrangement}: GA {ga}, LD {ld}",
                    "GALD, III; its code's layers",
                    "gald",
                    transcribed(t.gald, ga, ld, arrangement, ASPP_RATES, 2),
                    arrangement=arrangement,
                    ga=ga,
                    ld=ld,
                    width=8,
                    **GA[ga],
                    **LD[ld],
                )


def _dsnet_heads() -> Iterator[Case]:
    yield _head("dsnet", "DSNet, Figure 3", "dsnet", transcribed(t.dsnet, ASPP_RATES), TWO_MAPS, **DSNET)
    yield _head(
        "dsnet, guide res5",
        "DSNet, Table 1",
        "dsnet",
        transcribed(t.dsnet, ASPP_RATES, guide="res5"),
        TWO_MAPS,
        guide="res5",
        **DSNET,
    )
    yield _head(
        "dsnet, sampler nonlocal",
        "DSNet, ablation",
        "dsnet",
        transcribed(t.dsnet, ASPP_RATES, relations=True),
        TWO_MAPS,
        **DSNET,
        **{"sampling.sampler": "nonlocal"},
    )
    for choice, against, width in (
        ("dcnv2", "mmcv's layer on torchvision's deform_conv2d", {"width": 5}),
        ("dynamic_filter", "mmsegmentation, DMHead", {}),
    ):
        small = {"context.width": 4, "context.rates": RATES, "classifier.width": 8} | width
        yield _head(choice, against, choice, transcribed(t.refined, choice, ASPP_RATES), **small)
        yield _head(
            f"{choice}, two 3x3 in the classifier, dropout before the second too",
            "DeepLabv3+, PyTorch-Encoding",
            choice,
            transcribed(t.refined, choice, ASPP_RATES, before=0.5),
            **{"classifier.extra_conv": True, "classifier.extra_conv_dropout": 0.5},
            **small,
        )


def _aggregations() -> Iterator[Case]:
    def block(name: str, against: str, choice: str, reference: Reference, of: str = "", **switches: object) -> Case:
        def make() -> nn.Module:
            module = part(f"ga/{choice}", **({"width": 6} | switches))(CHANNELS["res5"])
            return module.get_submodule(of)

        inside = of in ("block", "halving")
        return Case(name, against, make, reference, {"features": (3, 6, *MAP)} if inside else FEATURES)

    aspp = {"inner_width": 4, "rates": RATES}
    groups = {"inner_width": 4, "groups": 2}
    yield block("aggregation aspp", "GALD, ASPPModule", "aspp", transcribed(t.gald_aspp, ASPP_RATES), **aspp)
    yield block("aggregation psp", "PSPNet, PPM; mmsegmentation, PSPHead", "psp", transcribed(t.psp))
    yield block(
        "aggregation psp, no ReLU in levels", "GALD, PSPModule", "psp", transcribed(t.psp, relu=False), level_relu=False
    )
    yield block("pyramid pooling", "PSPNet, PPM", "psp", transcribed(t.pyramid), "pyramid")
    yield block(
        "aggregation cgnl", "GALD's code but for the padding", "cgnl", transcribed(t.related, groups=2), **groups
    )
    yield block(
        "aggregation cgnl, padding 0",
        "GALD, GALDBlock",
        "cgnl",
        transcribed(t.related, groups=2, padding=0),
        padding=0,
        **groups,
    )
    yield block("CGNL block", "CGNL, SpatialCGNL", "cgnl", transcribed(t.cgnl_block, 2), "block", **groups)
    yield block(
        "aggregation nonlocal",
        "mmsegmentation, NonLocal2d in GALD's layers",
        "nonlocal",
        transcribed(t.related, groups=None),
        inner_width=4,
    )
    yield block(
        "non-local block",
        "mmsegmentation, NonLocal2d",
        "nonlocal",
        transcribed(t.nonlocal_block),
        "block",
        inner_width=4,
    )
    for padding in (1, 0):
        against = "GALD, down" if padding == 0 else "GALD's code but for the padding"
        reference = transcribed(t.halved, "", padding=padding)
        yield block(f"halving, padding {padding}", against, "cgnl", reference, "halving", padding=padding, **groups)


def _distributions() -> Iterator[Case]:
    def of(choice: str, context: int | None, **switches: object) -> Callable[[], nn.Module]:
        return lambda: part(f"ld/{choice}", **switches)(CHANNELS["res5"], context)

    wide = {"original": (3, CHANNELS["res5"], 65, 49), "context": (3, 6, 65, 49)}
    yield Case("LDv1", "GALD, equations 1 and 2", of("v1", 6), transcribed(t.ldv1), PAIR)
    yield Case(
        "LDv1, padding 0",
        "GALD, LocalAttenModule",
        of("v1", 6, padding=0),
        transcribed(t.ldv1, padding=0),
        wide,
    )
    for kind in ("bilinear", "average"):
        reference = transcribed(t.ldv1_without_weights, kind)
        yield Case(f"LDv1, {kind}", "GALD, Table II(a)", of("v1", 6, kind=kind), reference, PAIR)
    small = {"local_width": 6, "key_width": 4, "value_width": 5}
    yield Case("LDv2", "GALD, equations 6 to 8", of("v2", 6, **small), transcribed(t.ldv2, 6), PAIR)
    masked = of("v2", 6, masked_border=True, dilation=3, **small)
    yield Case("LDv2, border left out", "GALD, III-B", masked, transcribed(t.ldv2, 3, masked=True), PAIR)


def _layers() -> Iterator[Case]:
    """Blocks of other heads, and switches that no row has."""

    def inside(choice: str, of: str, **switches: object) -> Callable[[], nn.Module]:
        return lambda: head_from_yaml(choice, CHANNELS, CLASSES, **switches).get_submodule(of)

    context = {"context.width": 6}
    maps = {"features": (3, 6, *MAP)}
    yield Case(
        "modulated deformable convolution",
        "torchvision, deform_conv2d",
        inside("dcnv2", "refinement", width=5, **context),
        transcribed(t.deformable),
        maps,
    )
    yield Case(
        "generated filter",
        "mmsegmentation, DCM",
        inside("dynamic_filter", "refinement", **context),
        transcribed(t.dynamic_filter),
        maps,
    )
    for origin in ("grid", "centre"):
        yield Case(
            f"dynamic sampling, origin {origin}",
            "DSNet, equation 2, by grid_sample",
            lambda origin=origin: part("sampling/dynamic", width=5, origin=origin)(4, 6),
            transcribed(t.sampling, origin=origin),
            {"features": (3, 4, *MAP), "guide": (3, 6, *MAP)},
        )
    image = inside("vortex", "context.image_pooling", width=4, branch_relu=False)
    yield Case(
        "image pooling",
        "LightNet, normalised behind the enlargement",
        image,
        transcribed(t.lightnet_image_branch),
        FEATURES,
        apart=("transform.norm.running_var",),
    )
    yield Case(
        "unit of stride 2 with an identity shortcut",
        "TensorFlow slim, subsample",
        lambda: ResNet(18, output_stride=64, blocks=5).get_submodule("block5.0"),
        transcribed(t.strided_unit),
        {"features": (3, 512, 5, 4)},
    )


CASES = (
    *_backbones(),
    *_network(),
    *_parallel_heads(),
    *_plain_heads(),
    *_gald_heads(),
    *_dsnet_heads(),
    *_aggregations(),
    *_distributions(),
    *_layers(),
)
