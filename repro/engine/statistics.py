"""Batch norm on several processes: every statistic over as many images as asked for, folded in one process's order."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TypeGuard

import torch
from torch import Tensor, nn

from repro.config.settings import Shares
from repro.engine.team import Team
from repro.errors import ConfigError
from repro.nn.shared_norm import SharedBatchNorm2d


def share_statistics(model: nn.Module, team: Team, shares: Shares) -> None:
    """Replaces every batch norm by one over the neighbours whose images are behind one statistic, if there are any.

    Raises:
        ConfigError: a part of somebody's own has batch norm of a kind that cannot be replaced.
    """
    neighbours = shares.processes_per_statistic
    if neighbours == 1:
        return
    together = team.neighbours(neighbours)
    for path, module in list(model.named_modules()):
        for name, child in list(module.named_children()):
            if type(child) is nn.BatchNorm2d:
                setattr(module, name, SharedBatchNorm2d(child, together))
            elif isinstance(child, nn.modules.batchnorm._BatchNorm) and not isinstance(child, SharedBatchNorm2d):
                raise ConfigError(
                    f"{path}.{name} is a {type(child).__name__}, of which {neighbours} processes can share no "
                    f"statistics, as schedule.batch_norm.samples={shares.samples} asks for; give nn.BatchNorm2d, or "
                    f"at most {shares.batch_size // shares.samples} processes"
                )


class RunningStatistics:
    """The running statistics of a network, which each process moves by its own images only.

    With momentum m one process folds the statistics S_0, S_1, ... of a batch into R one after the other, which ends at
    (1-m)^n R plus each S_i times m (1-m)^(n-1-i). Processes that each fold their part of the row into the same R know
    all that this takes.

    Args:
        model: the network.
        team: the processes.
        shares: how these share a batch.
    """

    def __init__(self, model: nn.Module, team: Team, shares: Shares) -> None:
        self._model, self._team = model, team
        self._groups = team.size // shares.processes_per_statistic
        self._own_group, place = divmod(team.rank, shares.processes_per_statistic)
        self._speaks = place == 0

    @contextmanager
    def folded(self) -> Iterator[None]:
        """While entered a batch is passed through the network; at the end all processes have the same statistics."""
        norms = [] if self._groups == 1 else [norm for norm in self._model.modules() if _takes_statistics(norm)]
        if not norms:
            yield
            return
        before, passes_before = _running(norms), _passes(norms)
        yield
        passes = _passes(norms) - passes_before
        with torch.no_grad():
            joint = self._joint(norms, before, _running(norms), passes)
            for norm, values, more in zip(norms, joint, passes * (self._groups - 1), strict=True):
                for own, value in zip(_averages(norm), values.chunk(2), strict=True):
                    own.copy_(value)
                if norm.num_batches_tracked is not None:
                    norm.num_batches_tracked.add_(more)

    def _joint(
        self, norms: Sequence[nn.BatchNorm2d], before: Tensor, after: Tensor, passes: Tensor
    ) -> tuple[Tensor, ...]:
        """What the batch makes of the running statistics: of each layer mean and variance, one after the other."""
        widths = [2 * norm.num_features for norm in norms]
        kept = torch.tensor([1 - (norm.momentum or 0.0) for norm in norms], dtype=before.dtype, device=before.device)
        kept = (kept**passes).repeat_interleave(torch.tensor(widths, device=before.device))
        later = self._groups - 1 - self._own_group
        own = (after - kept * before) * kept**later if self._speaks else torch.zeros_like(before)
        return torch.split(kept**self._groups * before + self._team.sum(own), widths)


def _takes_statistics(module: nn.Module) -> TypeGuard[nn.BatchNorm2d]:
    return isinstance(module, nn.modules.batchnorm._BatchNorm) and module.training and module.track_running_stats


def _running(norms: Sequence[nn.BatchNorm2d]) -> Tensor:
    """All running means and variances in a row, in float64: what was added is got back by a subtraction."""
    return torch.cat([part for norm in norms for part in _averages(norm)]).double()


def _averages(norm: nn.BatchNorm2d) -> list[Tensor]:
    return [part for part in (norm.running_mean, norm.running_var) if part is not None]


def _passes(norms: Sequence[nn.BatchNorm2d]) -> Tensor:
    """How many statistics each layer has folded so far."""
    return torch.stack([norm.num_batches_tracked for norm in norms if norm.num_batches_tracked is not None])
