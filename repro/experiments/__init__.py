"""From printed cells to configurations of runs: overrides, scales, chains of stages, deviations."""

from repro.experiments.differences import Deviation, deviations, differences
from repro.experiments.measurement import KINDS, Measurement, StageConfig
from repro.experiments.measurements import FROM_RECORDS, STATIC, Measurements, measurements
from repro.experiments.static import static_value

__all__ = [
    "FROM_RECORDS",
    "KINDS",
    "STATIC",
    "Deviation",
    "Measurement",
    "Measurements",
    "StageConfig",
    "deviations",
    "differences",
    "measurements",
    "static_value",
]
