"""Heads: from backbone outputs to logits."""

from repro.nn.heads.aspp import ASPP, ASPPPlus
from repro.nn.heads.base import Head
from repro.nn.heads.dcnv2 import DCNv2
from repro.nn.heads.dsnet import DSNet
from repro.nn.heads.dynamic_filter import DynamicFilter
from repro.nn.heads.fcn import FCN, AuxiliaryHead
from repro.nn.heads.gald import GALD
from repro.nn.heads.psp import PSP
from repro.nn.heads.refined import JointClassifier
from repro.nn.heads.vortex import ModuleA, Vortex

__all__ = [
    "ASPP",
    "FCN",
    "GALD",
    "PSP",
    "ASPPPlus",
    "AuxiliaryHead",
    "DCNv2",
    "DSNet",
    "DynamicFilter",
    "Head",
    "JointClassifier",
    "ModuleA",
    "Vortex",
]
