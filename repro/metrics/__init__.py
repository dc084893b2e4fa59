"""Scores of a segmentation: one int64 confusion matrix per evaluation, and pure functions of it."""

from repro.metrics.confusion import ConfusionMatrix
from repro.metrics.scores import SCORES, iou_percent, miou_percent, pixel_accuracy_percent

__all__ = ["SCORES", "ConfusionMatrix", "iou_percent", "miou_percent", "pixel_accuracy_percent"]
