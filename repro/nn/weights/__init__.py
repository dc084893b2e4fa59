"""Weights from elsewhere: ImageNet weights, files of our own and of others, torchvision's segmentation networks."""

from repro.nn.weights.backbone import load_backbone_weights
from repro.nn.weights.layouts import LAYOUTS, from_torchvision
from repro.nn.weights.network import load_network_weights, load_published_weights

__all__ = ["LAYOUTS", "from_torchvision", "load_backbone_weights", "load_network_weights", "load_published_weights"]
