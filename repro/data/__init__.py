"""Data sets, augmentation and loaders: uint8 images and labels, every random choice drawn from a named stream."""

from repro.data.camvid import CamVid
from repro.data.loaders import Loader, evaluation_loader, steps_per_epoch, training_loader
from repro.data.oversampled import Oversampled
from repro.data.shapes import Shapes
from repro.data.spec import IGNORE, IMAGENET_MEAN, IMAGENET_STD, PAD_COLOUR, SegmentationDataset
from repro.data.transforms import Augmentation, normalise
from repro.data.voc import VOC

__all__ = [
    "IGNORE",
    "IMAGENET_MEAN",
    "IMAGENET_STD",
    "PAD_COLOUR",
    "VOC",
    "Augmentation",
    "CamVid",
    "Loader",
    "Oversampled",
    "SegmentationDataset",
    "Shapes",
    "evaluation_loader",
    "normalise",
    "steps_per_epoch",
    "training_loader",
]
