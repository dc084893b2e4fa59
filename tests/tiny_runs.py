"""Configurations of the smallest runs, and the weights that they leave."""

from functools import cache
from pathlib import Path

import torch
from torch import Tensor

from repro.config.compose import compose
from repro.config.configuration import Configuration
from repro.store.outputs import Outputs
from repro.store.run_folder import RunFolder
from tests.tiny import TINIEST

Weights = dict[str, Tensor]


def tiniest(outputs: Path, *overrides: str) -> Configuration:
    """The smallest run with some overrides; equal ones are composed once."""
    return _composed(*overrides).with_leaf("outputs", str(outputs))


@cache
def _composed(*overrides: str) -> Configuration:
    return compose([*TINIEST, *overrides])


def folder_of(configuration: Configuration) -> RunFolder:
    """The run folder of a configuration."""
    return Outputs(configuration.settings.outputs).run(configuration.run_id)


def final_weights(folder: RunFolder) -> Weights:
    """The weights that a finished run leaves."""
    content: Weights = torch.load(folder.weights_path, weights_only=True)["model"]
    return content


def same_weights(one: Weights, other: Weights) -> bool:
    """Whether they are equal bit for bit."""
    return one.keys() == other.keys() and all(torch.equal(one[name], other[name]) for name in one)
