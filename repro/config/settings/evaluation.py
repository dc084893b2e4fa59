"""The settings of the measurement."""

import math
from dataclasses import dataclass
from enum import Enum

from repro.config.settings.common import require


class Average(Enum):
    """What is averaged over scales, mirrored images and windows."""

    probabilities = "probabilities"
    logits = "logits"


def window_stride(window: int) -> int:
    """Pixels between sliding windows where none are asked for: two thirds of the window, as in GALD's public code."""
    return math.ceil(window * 2 / 3)


@dataclass
class EvaluationSettings:
    """How a run's weights are measured."""

    split: str | None
    output_stride: int | None
    scales: list[float]
    flip: bool
    average: Average
    pad_to: int | None
    batch_size: int
    masks: bool
    panels: int
    window: int | None = None
    window_stride: int | None = None

    def __post_init__(self) -> None:
        require(self.window is None or self.window > 0, "evaluation.window must be at least 1 pixel, or null")
        require(
            self.window_stride is None or (self.window is not None and 0 < self.window_stride <= self.window),
            f"evaluation.window_stride is {self.window_stride}; it must lie between 1 and evaluation.window, "
            f"which is {'null' if self.window is None else self.window}, or be null for two thirds of it",
        )
        require(bool(self.scales) and min(self.scales) > 0, "evaluation.scales needs at least one positive scale")
        require(self.batch_size > 0, f"evaluation.batch_size is {self.batch_size}; it must be at least 1")
        require(self.panels >= 0, f"evaluation.panels is {self.panels}; it cannot be negative")
