"""The typed form of what a run reads from its configuration besides the arguments of network and data set.

Units stand in the names or in the value (`"400 steps"`). Every class checks its own ranges.
"""

from repro.config.settings.common import Length
from repro.config.settings.evaluation import Average, EvaluationSettings, window_stride
from repro.config.settings.run import (
    DatasetSettings,
    Determinism,
    Init,
    Layout,
    Precision,
    Runtime,
    Selection,
    Settings,
    TrackingKind,
    TrackingSettings,
    Validation,
)
from repro.config.settings.schedule import AugmentationSettings, BatchNorm, DecayOn, HardPixels, Loss, Schedule

__all__ = [
    "AugmentationSettings",
    "Average",
    "BatchNorm",
    "DatasetSettings",
    "DecayOn",
    "Determinism",
    "EvaluationSettings",
    "HardPixels",
    "Init",
    "Layout",
    "Length",
    "Loss",
    "Precision",
    "Runtime",
    "Schedule",
    "Selection",
    "Settings",
    "TrackingKind",
    "TrackingSettings",
    "Validation",
    "window_stride",
]
