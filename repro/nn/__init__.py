"""Networks, in torch only; nothing here knows of a config. Configs point at the names below, so they stay."""

from repro.nn.heads import ASPP, FCN, ASPPPlus, AuxiliaryHead, Head, ModuleA, Vortex
from repro.nn.resnet import ResNet
from repro.nn.segmenter import Segmenter
from repro.nn.weights import from_torchvision, load_backbone_weights, load_network_weights

__all__ = [
    "ASPP",
    "FCN",
    "ASPPPlus",
    "AuxiliaryHead",
    "Head",
    "ModuleA",
    "ResNet",
    "Segmenter",
    "Vortex",
    "from_torchvision",
    "load_backbone_weights",
    "load_network_weights",
]
