"""The settings of the measurement."""

import math
from dataclasses import dataclass
from enum import Enum

from repro.config.settings.common import require
from repro.errors import refuse_repeated


class Average(Enum):
    """What is averaged over scales, mirrored images and windows."""

    probabilities = "probabilities"
    logits = "logits"


class ScaledSize(Enum):
    """Pixels of a scaled side: `round(scale * side)`, or `int(scale * (side - 1)) + 1`, which keeps sides of 8 n + 1.

    Source of the second: TensorFlow's DeepLab.
    """

    rounded = "rounded"
    plus_one = "plus_one"

    def __call__(self, side: int, scale: float) -> int:
        """The side at the scale, at least one pixel."""
        return max(round(side * scale) if self is ScaledSize.rounded else int(scale * (side - 1) + 1), 1)


def window_stride(window: int) -> int:
    """Pixels between sliding windows where none are asked for: two thirds of the window, as in GALD's public code."""
    return math.ceil(window * 2 / 3)


@dataclass
class EvaluationSettings:
    """How a run's weights are measured.

    Attributes:
        antialias: whether a view that shrinks has its pixels averaged, or is read between the nearest ones only.
        scaled_align_corners: whether the corner pixels of a scaled view are those of the image; null: as of the logits.
        pad_first: whether images are padded before they are scaled and mirrored, and not after.
    """

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
    antialias: bool = False
    scaled_size: ScaledSize = ScaledSize.rounded
    scaled_align_corners: bool | None = None
    pad_first: bool = False

    def __post_init__(self) -> None:
        require(self.window is None or self.window > 0, "evaluation.window must be at least 1 pixel, or null")
        require(
            self.window_stride is None or (self.window is not None and 0 < self.window_stride <= self.window),
            f"evaluation.window_stride is {self.window_stride}; it must lie between 1 and evaluation.window, "
            f"which is {'null' if self.window is None else self.window}, or be null for two thirds of it",
        )
        require(bool(self.scales) and min(self.scales) > 0, "evaluation.scales needs at least one positive scale")
        refuse_repeated("evaluation.scales", self.scales)
        require(self.batch_size > 0, f"evaluation.batch_size is {self.batch_size}; it must be at least 1")
        require(self.panels >= 0, f"evaluation.panels is {self.panels}; it cannot be negative")
