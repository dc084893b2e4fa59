"""The heads, in the arrangements that the papers' rows have, and as public code has them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import partial

from tests.nn.heads.checks import CHANNELS, auxiliary_from_yaml, head_from_yaml
from tests.nn.parity import transcribed as t
from tests.nn.parity import transcribed_gald as g
from tests.nn.parity.compare import Case, Reference, transcribed
from tests.nn.parity.sizes import ASPP_RATES, CLASSES, MAP, MAPS, RATES, TWO_MAPS

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


def _head(
    name: str, against: str, choice: str, reference: Reference, inputs: Mapping = MAPS, **switches: object
) -> Case:
    return Case(name, against, partial(head_from_yaml, choice, CHANNELS, CLASSES, **switches), reference, inputs)


def _parallel_heads() -> Iterator[Case]:
    aspp = {"width": 8, "rates": RATES}
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
    yield _head("psp", "PSPNet; mmsegmentation, PSPHead", "psp", transcribed(g.pspnet), width=8, level_width=3)
    yield _head("cascade", "TensorFlow DeepLab without ASPP", "cascade", transcribed(t.cascade))


def _gald_heads() -> Iterator[Case]:
    yield _head(
        "gald as its code has it (padding 0, residuals 2, transform)",
        "GALD, GALDHead",
        "gald",
        transcribed(g.gald_head, 2),
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
                    transcribed(g.gald, ga, ld, arrangement, ASPP_RATES, 2),
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
        ("dynamic_filter", "DSNet, filters as in mmsegmentation's DCM", {}),
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


HEADS = (*_parallel_heads(), *_plain_heads(), *_gald_heads(), *_dsnet_heads())
