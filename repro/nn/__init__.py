"""Networks, in torch only; nothing here knows of a config. Configs point at the names below, so they stay."""

from repro.nn.context.aggregation import (
    ASPPAggregation,
    CGNLAggregation,
    ConvolutionAggregation,
    NonLocalAggregation,
    PSPAggregation,
)
from repro.nn.context.aspp import ASPPContext
from repro.nn.context.dynamic_sampling import DynamicSampling
from repro.nn.context.ldv1 import LDv1
from repro.nn.context.ldv2 import LDv2
from repro.nn.context.parts import Aggregation, HeadPart, LocalDistribution
from repro.nn.first_draw import draw_convolutions, draw_for_good
from repro.nn.heads import (
    ASPP,
    FCN,
    GALD,
    PSP,
    ASPPPlus,
    AuxiliaryHead,
    DCNv2,
    DSNet,
    DynamicFilter,
    Head,
    JointClassifier,
    ModuleA,
    Vortex,
)
from repro.nn.resnet import ResNet
from repro.nn.segmenter import Segmenter
from repro.nn.weights import from_torchvision, load_backbone_weights, load_network_weights, load_published_weights

__all__ = [
    "ASPP",
    "FCN",
    "GALD",
    "PSP",
    "ASPPAggregation",
    "ASPPContext",
    "ASPPPlus",
    "Aggregation",
    "AuxiliaryHead",
    "CGNLAggregation",
    "ConvolutionAggregation",
    "DCNv2",
    "DSNet",
    "DynamicFilter",
    "DynamicSampling",
    "Head",
    "HeadPart",
    "JointClassifier",
    "LDv1",
    "LDv2",
    "LocalDistribution",
    "ModuleA",
    "NonLocalAggregation",
    "PSPAggregation",
    "ResNet",
    "Segmenter",
    "Vortex",
    "draw_convolutions",
    "draw_for_good",
    "from_torchvision",
    "load_backbone_weights",
    "load_network_weights",
    "load_published_weights",
]
