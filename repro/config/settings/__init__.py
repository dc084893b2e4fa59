"""The typed form of what a run reads from its configuration besides the network and the data set.

Units stand in the names or in the value (`"400 steps"`). Every class checks its own ranges.
"""

from repro.config.settings.common import Length
from repro.config.settings.evaluation import Average, EvaluationSettings, window_stride
from repro.config.settings.run import Determinism, Precision, Runtime, Selection, Settings, Validation
from repro.config.settings.schedule import AugmentationSettings, BatchNorm, DecayOn, HardPixels, Loss, Schedule

__all__ = [
    "AugmentationSettings",
    "Average",
    "BatchNorm",
    "DecayOn",
    "Determinism",
    "EvaluationSettings",
    "HardPixels",
    "Length",
    "Loss",
    "Precision",
    "Runtime",
    "Schedule",
    "Selection",
    "Settings",
    "Validation",
    "window_stride",
]
