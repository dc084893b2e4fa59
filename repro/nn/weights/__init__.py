"""Weights from elsewhere: ImageNet weights, a local file, and torchvision's segmentation networks."""

from repro.nn.weights.backbone import load_backbone_weights
from repro.nn.weights.network import from_torchvision, load_network_weights, load_published_weights

__all__ = ["from_torchvision", "load_backbone_weights", "load_network_weights", "load_published_weights"]
