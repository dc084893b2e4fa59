"""The typed form of what a run reads from its configuration besides the arguments of network and data set.

Units stand in the names or in the value (`"400 steps"`). Every class checks its own ranges.
"""

from repro.config.settings.common import Length
from repro.config.settings.evaluation import Average, EvaluationSettings, ScaledSize, window_stride
from repro.config.settings.network import FirstDraw
from repro.config.settings.run import (
    DatasetSettings,
    Determinism,
    Init,
    Layout,
    Overlap,
    Precision,
    Repeat,
    Runtime,
    Selection,
    Settings,
    TrackingKind,
    TrackingSettings,
    Validation,
    is_replaced,
)
from repro.config.settings.schedule import (
    AugmentationSettings,
    BatchNorm,
    DecayOn,
    FrozenIn,
    HardPixels,
    Loss,
    LossAverage,
    Schedule,
)
from repro.config.settings.shares import Shares

__all__ = [
    "AugmentationSettings",
    "Average",
    "BatchNorm",
    "DatasetSettings",
    "DecayOn",
    "Determinism",
    "EvaluationSettings",
    "FirstDraw",
    "FrozenIn",
    "HardPixels",
    "Init",
    "Layout",
    "Length",
    "Loss",
    "LossAverage",
    "Overlap",
    "Precision",
    "Repeat",
    "Runtime",
    "ScaledSize",
    "Schedule",
    "Selection",
    "Settings",
    "Shares",
    "TrackingKind",
    "TrackingSettings",
    "Validation",
    "is_replaced",
    "window_stride",
]
