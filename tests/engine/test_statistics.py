"""Statistics of batch norm over neighbours, and running statistics folded in the order of one process."""

import pytest
import torch
from torch import nn

from repro.config.settings import Shares
from repro.engine.statistics import RunningStatistics, share_statistics
from repro.engine.team import ALONE, Team
from repro.errors import ConfigError
from repro.nn.shared_norm import SharedBatchNorm2d
from tests.engine.teams import by_all

BOTH = Shares(8, 8, 2)


class Pair(Team):
    """A team of two that need not meet."""

    size, rank = 2, 0

    def neighbours(self, number):
        return f"{number} neighbours"


def test_a_batch_norm_is_replaced_only_where_neighbours_share_it():
    model = nn.Sequential(nn.Conv2d(3, 4, 1), nn.Sequential(nn.BatchNorm2d(4)))
    share_statistics(model, Pair(), Shares(8, 4, 2))
    assert type(model[1][0]) is nn.BatchNorm2d
    before = model.state_dict()
    share_statistics(model, Pair(), BOTH)
    assert isinstance(model[1][0], SharedBatchNorm2d)
    assert model[1][0].neighbours == "2 neighbours"
    assert all(before[name] is value or torch.equal(before[name], value) for name, value in model.state_dict().items())
    share_statistics(model, Pair(), BOTH)


def test_a_batch_norm_of_another_kind_is_refused():
    model = nn.ModuleDict({"head": nn.Sequential(nn.Linear(3, 4), nn.BatchNorm1d(4))})
    with pytest.raises(ConfigError, match=r"head\.1 is a BatchNorm1d, .*samples=4 asks for; .* at most 2 processes"):
        share_statistics(model, Pair(), Shares(8, 4, 4))


def features():
    return torch.randn(8, 3, 2, 2, generator=torch.Generator().manual_seed(0), dtype=torch.float64)


def folded(team, samples, momentum):
    norm = nn.BatchNorm2d(3, momentum=momentum).double()
    shares = Shares(8, samples, team.size)
    own = shares.share(team.rank)
    with RunningStatistics(norm, team, shares).folded():
        for part in features()[own.start : own.stop].split(shares.pass_images):
            norm(part)
    return norm.state_dict()


@pytest.mark.parametrize("momentum", [0.1, 1.0])
def test_running_statistics_are_those_of_one_process(momentum, tmp_path):
    alone = folded(ALONE, 2, momentum)
    for state in by_all(2, tmp_path, folded, 2, momentum):
        for name, value in alone.items():
            torch.testing.assert_close(state[name], value, rtol=1e-12, atol=1e-12)
    assert alone["num_batches_tracked"] == 4
