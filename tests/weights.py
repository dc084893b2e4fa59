"""The weights that runs leave, compared."""

import torch
from torch import Tensor

from repro.store.run_folder import RunFolder

Weights = dict[str, Tensor]


def final_weights(folder: RunFolder) -> Weights:
    """The weights that a finished run leaves."""
    content: Weights = torch.load(folder.weights_path, weights_only=True)["model"]
    return content


def same_weights(one: Weights, other: Weights) -> bool:
    """Whether they are equal bit for bit."""
    return one.keys() == other.keys() and all(torch.equal(one[name], other[name]) for name in one)
