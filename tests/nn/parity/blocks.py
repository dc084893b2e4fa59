"""The aggregations, the distributions and the blocks inside them and inside other heads."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from torch import nn

from repro.nn import ResNet
from tests.nn.heads.checks import CHANNELS, head_from_yaml, part
from tests.nn.parity import transcribed as t
from tests.nn.parity import transcribed_gald as g
from tests.nn.parity.compare import Case, Reference, transcribed
from tests.nn.parity.sizes import ASPP_RATES, CLASSES, FEATURES, MAP, MAPS, RATES

PAIR = {"original": MAPS["res5"], "context": (3, 6, *MAP)}


def _aggregations() -> Iterator[Case]:
    def block(name: str, against: str, choice: str, reference: Reference, of: str = "", **switches: object) -> Case:
        def make() -> nn.Module:
            module = part(f"ga/{choice}", **({"width": 6} | switches))(CHANNELS["res5"])
            return module.get_submodule(of)

        inside = of in ("block", "halving")
        return Case(name, against, make, reference, {"features": (3, 6, *MAP)} if inside else FEATURES)

    aspp = {"inner_width": 4, "rates": RATES}
    groups = {"inner_width": 4, "groups": 2}
    yield block("aggregation aspp", "GALD, ASPPModule", "aspp", transcribed(g.gald_aspp, ASPP_RATES), **aspp)
    yield block("aggregation psp", "PSPNet, PPM; mmsegmentation, PSPHead", "psp", transcribed(g.psp))
    yield block(
        "aggregation psp, no ReLU in levels", "GALD, PSPModule", "psp", transcribed(g.psp, relu=False), level_relu=False
    )
    yield block("aggregation convolution", "mmsegmentation, FCNHead", "convolution", transcribed(g.convolution))
    yield block("pyramid pooling", "PSPNet, PPM", "psp", transcribed(g.pyramid), "pyramid")
    yield block(
        "aggregation cgnl", "GALD's code but for the padding", "cgnl", transcribed(g.related, groups=2), **groups
    )
    yield block(
        "aggregation cgnl, padding 0",
        "GALD, GALDBlock",
        "cgnl",
        transcribed(g.related, groups=2, padding=0),
        padding=0,
        **groups,
    )
    yield block("CGNL block", "CGNL, SpatialCGNL", "cgnl", transcribed(g.cgnl_block, 2), "block", **groups)
    yield block(
        "aggregation nonlocal",
        "mmsegmentation, NonLocal2d in GALD's layers",
        "nonlocal",
        transcribed(g.related, groups=None),
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
        reference = transcribed(g.halved, "", padding=padding)
        yield block(f"halving, padding {padding}", against, "cgnl", reference, "halving", padding=padding, **groups)


def _distributions() -> Iterator[Case]:
    def of(choice: str, context: int | None, **switches: object) -> Callable[[], nn.Module]:
        return lambda: part(f"ld/{choice}", **switches)(CHANNELS["res5"], context)

    wide = {"original": (3, CHANNELS["res5"], 65, 49), "context": (3, 6, 65, 49)}
    yield Case("LDv1", "GALD, equations 1 and 2", of("v1", 6), transcribed(g.ldv1), PAIR)
    yield Case(
        "LDv1, padding 0",
        "GALD, LocalAttenModule",
        of("v1", 6, padding=0),
        transcribed(g.ldv1, padding=0),
        wide,
    )
    for kind in ("bilinear", "average"):
        reference = transcribed(g.ldv1_without_weights, kind)
        yield Case(f"LDv1, {kind}", "GALD, Table II(a)", of("v1", 6, kind=kind), reference, PAIR)
    small = {"local_width": 6, "key_width": 4, "value_width": 5}
    yield Case("LDv2", "GALD, equations 6 to 8", of("v2", 6, **small), transcribed(g.ldv2, 6), PAIR)
    masked = of("v2", 6, masked_border=True, dilation=3, **small)
    yield Case("LDv2, border left out", "GALD, III-B", masked, transcribed(g.ldv2, 3, masked=True), PAIR)


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
        "DSNet, applied as in mmsegmentation's DCM",
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


BLOCKS = (*_aggregations(), *_distributions(), *_layers())
