"""Heads: from backbone outputs to logits."""

from repro.nn.heads.aspp import ASPP, ASPPPlus
from repro.nn.heads.base import Head
from repro.nn.heads.fcn import FCN, AuxiliaryHead
from repro.nn.heads.vortex import ModuleA, Vortex

__all__ = ["ASPP", "FCN", "ASPPPlus", "AuxiliaryHead", "Head", "ModuleA", "Vortex"]
