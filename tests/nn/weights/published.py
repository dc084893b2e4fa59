"""What the tests of weights share: a published state dict, and files of it."""

from functools import cache
from pathlib import Path

import torch
import torchvision
from torch import Tensor, nn


@cache
def published() -> dict[str, Tensor]:
    """A state dict as torchvision publishes them, classifier included."""
    torch.manual_seed(1)
    return torchvision.models.resnet18(weights=None).state_dict()


def file_of(state: object, folder: Path, name: str = "weights.pth") -> str:
    torch.save(state, folder / name)
    return str(folder / name)


def holds(backbone: nn.Module, state: dict[str, Tensor]) -> bool:
    return all(torch.equal(value, state[key]) for key, value in backbone.state_dict().items())
