"""A deterministic model of asynchronous training: gradients are taken on weights some updates old."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager

import torch
from torch import Tensor, nn


class StaleWeights:
    """The weights of the last few updates, for gradients as old as those of replicas that take turns.

    With N replicas, each one fetches the weights after its own update, computes a gradient while the N - 1 others
    update, and then applies it: every gradient is N - 1 updates old, those of the first N - 1 steps are taken on the
    initial weights. Running statistics of batch normalisation are shared and always the newest.

    Source: DeepLabv3, appendix B, whose replicas run at their own pace on a parameter server.
    Differs: the replicas take turns, so a staleness that varies there is constant here and a run can be repeated;
    weight decay acts on the newest weights. What it does not show is the time that real replicas save.

    Args:
        model: the network that is trained; between two gradients it holds the newest weights.
        replicas: number of replicas, at least 2.
    """

    def __init__(self, model: nn.Module, replicas: int) -> None:
        self._parameters = dict(model.named_parameters())
        self._versions = [
            {name: parameter.detach().clone() for name, parameter in self._parameters.items()}
            for _ in range(replicas - 1)
        ]

    @contextmanager
    def in_place(self, step: int) -> Iterator[None]:
        """Puts the weights that step `step` differentiates into the model, and the newest ones back at the end."""
        version = self._versions[step % len(self._versions)]
        for name, parameter in self._parameters.items():
            parameter.data, version[name] = version[name], parameter.data
        try:
            yield
        finally:
            with torch.no_grad():
                for name, parameter in self._parameters.items():
                    parameter.copy_(version[name])  # which stays behind as the version of this step

    def state_dict(self) -> list[dict[str, Tensor]]:
        """The versions, place by place."""
        return self._versions

    def load_state_dict(self, versions: list[Mapping[str, Tensor]]) -> None:
        """Takes over the values of versions stored before."""
        for own, stored in zip(self._versions, versions, strict=True):
            for name, tensor in own.items():
                tensor.copy_(stored[name])
